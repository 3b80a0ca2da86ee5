"""Journals to work on as a whole: written by a journal, then closed."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from agentorch.core.events import Event, RunFinished, RunStarted, TaskSucceeded
from agentorch.core.values import blob_ref
from agentorch.journal.chain import unseal
from agentorch.journal.checking import Check, Checked
from agentorch.journal.compacting import Compacted, Compaction
from agentorch.journal.exporting import Export
from agentorch.journal.files import file_to_read, file_to_write
from agentorch.journal.importing import Import, Imported
from agentorch.journal.sqlite import SqliteJournal

LARGE = b'"' + b"a" * 70_000 + b'"'
"""The JSON of a large value."""
BLOB = sha256(LARGE).hexdigest()


def succeeded(run_id: str, seq: int, output: object) -> TaskSucceeded:
    return TaskSucceeded(seq=seq, at=1000.0 + seq, run_id=run_id, task="a", key=f"{run_id}/a/1/1/1", output=output)


def finished(run_id: str, seq: int) -> RunFinished:
    return RunFinished(seq=seq, at=1000.0 + seq, run_id=run_id, status="succeeded")


async def keep(path: Path, owner: str = "") -> Path:
    """Write four runs: a and b are finished, a with a large output, c is under way, d has a key and tags.

    Each event is a block.
    """
    journal = SqliteJournal(path)
    await journal.open()
    try:
        name = await journal.blobs.put(LARGE)
        await append_each(journal, _run("a", [succeeded("a", 2, blob_ref(name, len(LARGE)))]))
        await append_each(journal, _run("b", [succeeded("b", 2, ["ö", "\ud800", float("nan")])]))
        await append_each(journal, _run("c", [succeeded("c", 2, "c")], owner=owner)[:2])
        await append_each(journal, _run("d", [], key="k", tags={"team": "blau"}, request="r"))
        await journal.request("c", "cancel", {"why": "enough"}, by="somebody", at=5.0)
    finally:
        await journal.close()
    return path


def harm(seq: int, run: int = 1) -> Callable[[sqlite3.Connection], None]:
    """Change one byte of the JSON of an event, wherever it is stored."""

    def do(connection: sqlite3.Connection) -> None:
        where = "WHERE run = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
        sql = f"SELECT rowid, header, payload FROM events {where}"
        row, stored, payload = connection.execute(sql, (run, seq)).fetchone()
        header = unseal(stored)
        before = sum(size + 1 for size in header.sizes[: seq - header.seq])
        changed = payload[:before] + b"[" + payload[before + 1 :]
        connection.execute("UPDATE events SET payload = ? WHERE rowid = ?", (changed, row))

    return do


async def append_each(journal: SqliteJournal, events: Sequence[Event]) -> None:
    """Append events of a run one by one, so that each is a block by itself."""
    await asyncio.gather(*(journal.append(event.run_id, [event], after=event.seq - 1) for event in events))


def _run(run_id: str, events: Sequence[Event], **said: object) -> list[Event]:
    first = RunStarted.model_validate({"seq": 1, "at": 1000.0, "run_id": run_id, "goal": f"goal of {run_id}", **said})
    return [first, *events, finished(run_id, len(events) + 2)]


def compacted(path: Path, *run_ids: str, in_use: bool = False) -> Compacted:
    """Compact some runs."""
    with file_to_write(path) as connection:
        return Compaction(connection, in_use=lambda: in_use).compact(run_ids)


def checked(path: Path, run_id: str | None = None) -> Checked:
    """Check a journal."""
    with file_to_read(path) as connection:
        return Check(connection).run(run_id)


def faults(path: Path, run_id: str | None = None) -> list[str]:
    """Return what is wrong with a journal."""
    return [str(fault) for fault in checked(path, run_id).faults]


def exported(path: Path, *run_ids: str) -> bytes:
    """Return a journal's export."""
    with file_to_read(path) as connection:
        return b"".join(Export(connection, release="0").lines(run_ids))


def imported(data: bytes, path: Path) -> Imported:
    """Take an export into the journal at `path`."""
    with file_to_write(path) as connection:
        return Import(connection).take(BytesIO(data))


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that a journal holds of its runs."""
    with file_to_read(path) as connection:
        return {
            "runs": connection.execute("SELECT * FROM runs ORDER BY number").fetchall(),
            "events": connection.execute("SELECT * FROM events ORDER BY run, seq").fetchall(),
            "blobs": connection.execute("SELECT * FROM blobs ORDER BY sha256").fetchall(),
        }


def change(path: Path, do: Callable[[sqlite3.Connection], object] | str) -> None:
    """Change the closed file behind the journal's back."""
    connection = sqlite3.connect(path)
    with connection:
        if isinstance(do, str):
            connection.execute(do)
        else:
            do(connection)
    connection.close()
