"""Groups of entries, each written as one transaction, by whoever has the connection: the loop or the thread.

1. An entry that conflicts fails alone; whatever builds on it conflicts in turn, because the head has not moved.
2. Nothing is acknowledged that was written to a file which somebody has removed.
3. `at_once` waits for nobody, and says nothing of what goes wrong: `commit` is to be asked then, which writes what was
   not written. With `durability="process"` it does not wait for the disk either: checkpoints are made by `tidy` alone.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from agentorch.journal.appending import Append, Appender
from agentorch.journal.checkpoints import Checkpoints
from agentorch.journal.schema import BUSY_SECONDS, Durability, in_words, open_writer, undo
from agentorch.journal.standing import OpenFile

LOG_BYTES: Final = 4 * 1024 * 1024
"""How far the log grows before a checkpoint is due: as far as with SQLite's own."""

_MOST_BEHIND: Final = 3 * LOG_BYTES
"""How far the log grows while one is made: the disk may be slow."""


@dataclass(slots=True)
class Job:
    """Something else to be written: it runs in a savepoint of the group's transaction."""

    future: "asyncio.Future[Any]"
    call: Callable[[sqlite3.Connection], Any]


Entry = Append | Job
Told = tuple["asyncio.Future[Any]", Any, Exception | None]
"""A future, and the result or the error that it is to have."""


class Transactions:
    """The transactions of one connection, in the order in which they are asked for."""

    def __init__(self, path: Path, durability: Durability) -> None:
        """Open the file; JournalError when it cannot be."""
        self._path = path
        self._connection = open_writer(path, durability)
        self._appender = Appender(self._connection)
        self._file = OpenFile(path)
        self._at_once = durability == "process"
        self._checkpoints = Checkpoints(path)
        self._due_at = LOG_BYTES
        self.is_busy = False
        """Whether it was another one that wrote when `at_once` last could not."""
        if self._at_once:
            self._connection.execute("PRAGMA wal_autocheckpoint=0")
            self._wait_for_others(0)

    @property
    def is_due(self) -> bool:
        """Whether a checkpoint is to be made by `tidy`."""
        return self._at_once and self._file.log_bytes >= self._due_at

    @property
    def is_overdue(self) -> bool:
        """Whether so much was written since one became due that no more should be, before it is made."""
        return self._at_once and self._file.log_bytes >= self._due_at + _MOST_BEHIND

    def at_once(self, group: Sequence[Append]) -> list[Told] | None:
        """Write a group if nothing hinders that and return what its futures are to have, else None."""
        self.is_busy = False
        try:
            told = self._written(group)
        except Exception as error:  # noqa: BLE001  # `commit` tells what it was, if it is still there
            self.is_busy = (getattr(error, "sqlite_errorname", "") or "").startswith("SQLITE_BUSY")
            self._appender.forget()
            undo(self._connection)
            return None
        return None if self._file.is_removed() else told

    def commit(self, group: Sequence[Entry]) -> list[Told]:
        """Write a group and return what its futures are to have; it waits for other processes."""
        if self._at_once:
            self._wait_for_others(BUSY_SECONDS)
        told = self._committed(group)
        if self._at_once:
            self._wait_for_others(0)
        if self._file.is_removed():
            removed = self._file.said_of_removal(self._connection)
            return [(future, None, removed) for future, _, _ in told]
        return told

    def tidy(self) -> None:
        """Make a checkpoint; somebody else may write meanwhile."""
        self._checkpoints.make()
        self._file.is_removed()
        self._due_at = self._file.log_bytes + LOG_BYTES

    def close(self) -> None:
        """Let go of the file."""
        self._checkpoints.close()
        self._connection.close()

    def _committed(self, group: Sequence[Entry]) -> list[Told]:
        try:
            return self._written(group)
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
            self._appender.forget()
            undo(self._connection)
            if len(group) > 1 and not isinstance(error, sqlite3.OperationalError):
                # Not the disk or a lock: one entry is at fault, and only that one is to fail.
                return [told for entry in group for told in self._committed([entry])]
            return [(entry.future, None, self._why(error)) for entry in group]

    def _written(self, group: Sequence[Entry]) -> list[Told]:
        told: list[Told] = []
        self._connection.execute("BEGIN IMMEDIATE")
        for kind, entries in groupby(group, type):
            if kind is Job:
                told += [_run(self._connection, entry) for entry in entries if isinstance(entry, Job)]
                continue
            appends = [entry for entry in entries if isinstance(entry, Append)]
            refused = self._appender.write(appends)
            told += [(append.future, None, error) for append, error in zip(appends, refused, strict=True)]
        self._connection.execute("COMMIT")
        return told

    def _wait_for_others(self, seconds: float) -> None:
        self._connection.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}")

    def _why(self, error: Exception) -> Exception:
        return in_words(self._path, error) if isinstance(error, sqlite3.Error | OSError) else error


def _run(connection: sqlite3.Connection, job: Job) -> Told:
    connection.execute("SAVEPOINT job")
    try:
        result = job.call(connection)
    except Exception as error:
        if not connection.in_transaction:  # SQLite has undone the whole group: the disk is full, or gone
            raise
        connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")
        return job.future, None, error
    connection.execute("RELEASE job")
    return job.future, result, None
