"""Blobs in the journal's own file: durable like its events, and gone with it."""

import sqlite3
from hashlib import sha256 as digest_of
from typing import Final

import anyio.to_thread

from agentorch.errors import JournalDamaged
from agentorch.journal.reader import Reader
from agentorch.journal.writer import Writer

GIVEN_BACK: Final = "`agentorch journal import` gives it back from an export that has it"
"""What helps where a blob is gone."""


class SqliteBlobs:
    """A `Blobs` in the table of an open journal."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(self, data: bytes) -> str:
        """Store `data` once; return its SHA-256 when it is durable."""
        sha256 = (await anyio.to_thread.run_sync(digest_of, data)).hexdigest()
        await self._writer.run(lambda connection: keep(connection, sha256, data))
        return sha256

    async def get(self, sha256: str) -> bytes:
        """Return the bytes; KeyError when there are none, JournalDamaged when they do not match their name."""
        return await self._reader.run(_checked, sha256)


def keep(connection: sqlite3.Connection, sha256: str, data: bytes) -> bool:
    """Write a blob, also in place of one that was damaged; return whether that changed anything."""
    sql = """INSERT INTO blobs (sha256, data) VALUES (?, ?)
        ON CONFLICT DO UPDATE SET data = excluded.data WHERE data IS NOT excluded.data"""
    return connection.execute(sql, (sha256, data)).rowcount > 0


def _checked(connection: sqlite3.Connection, sha256: str) -> bytes:
    row = connection.execute("SELECT data FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    if row is None:
        raise KeyError(sha256)
    if not isinstance(row[0], bytes) or digest_of(row[0]).hexdigest() != sha256:
        raise JournalDamaged(f"blob {sha256}: its bytes are not what was written: {GIVEN_BACK}")
    return row[0]
