"""Blobs in the journal's own file: durable like its events, and gone with it."""

import sqlite3
from hashlib import sha256 as digest_of

import anyio.to_thread

from agentorch.errors import JournalDamaged
from agentorch.journal.reader import Reader
from agentorch.journal.writer import Writer


class SqliteBlobs:
    """A `Blobs` in the table of an open journal."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(self, data: bytes) -> str:
        """Store `data` once; return its SHA-256 when it is durable."""
        sha256 = (await anyio.to_thread.run_sync(digest_of, data)).hexdigest()
        sql = "INSERT INTO blobs (sha256, data) VALUES (?, ?) ON CONFLICT DO NOTHING"
        await self._writer.run(lambda connection: connection.execute(sql, (sha256, data)).rowcount)
        return sha256

    async def get(self, sha256: str) -> bytes:
        """Return the bytes; KeyError when there are none, JournalDamaged when they do not match their name."""
        return await self._reader.run(_checked, sha256)


def _checked(connection: sqlite3.Connection, sha256: str) -> bytes:
    row = connection.execute("SELECT data FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    if row is None:
        raise KeyError(sha256)
    if digest_of(row[0]).hexdigest() != sha256:
        raise JournalDamaged(f"blob {sha256}: its bytes are not what was written")
    return row[0]
