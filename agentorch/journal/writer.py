"""The one thread that writes: it takes what is queued, commits it as a group, and tells the loop.

1. A group is one transaction of at most 512 entries. An entry that conflicts fails alone; whatever builds on it
   conflicts in turn, because the head has not moved.
2. Whatever goes wrong in the thread reaches the futures that wait; the thread goes on.
3. The thread ends only by `close`, after all that was queued; nobody abandons it.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

import anyio
import anyio.to_thread

from agentorch.errors import JournalError
from agentorch.journal.appending import Append, Appender
from agentorch.journal.schema import Durability, in_words, open_writer

_GROUP: Final = 512
"""Entries that are committed together at most."""
_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True)
class Job:
    """Something else to be written: it runs in a savepoint of the group's transaction."""

    future: "asyncio.Future[Any]"
    call: Callable[[sqlite3.Connection], Any]


Told = tuple["asyncio.Future[Any]", Any, Exception | None]
"""A future, and the result or the error that it is to have."""


class Writer:
    """Owner of the connection that writes."""

    def __init__(self, path: Path, durability: Durability) -> None:
        self._path = path
        self._durability: Durability = durability
        self._queue: SimpleQueue[Append | Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    async def open(self) -> None:
        """Open the file and start the thread."""
        connection = await anyio.to_thread.run_sync(open_writer, self._path, self._durability)
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._work, args=(connection,), name="agentorch-journal", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Wait until all that was queued is written and the file is closed; no cancellation cuts this short."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._queue.put(None)
        with anyio.CancelScope(shield=True):
            await self._ended.wait()
        thread.join()

    def future(self) -> "asyncio.Future[Any]":
        """Return a future for an entry; JournalError when the writer is not open."""
        if self._thread is None or self._loop is None:
            raise JournalError(f"journal {self._path} is not open")
        return self._loop.create_future()

    def put(self, append: Append) -> None:
        """Queue an append."""
        self._queue.put(append)

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """Run `call` in the thread, in a transaction, and return what it returned once that is durable."""
        future = self.future()
        self._queue.put(Job(future, call))
        return await future

    def _work(self, connection: sqlite3.Connection) -> None:
        appender = Appender(connection)
        while (group := self._next_group())[0] is not None:
            told = self._commit(connection, appender, [entry for entry in group if entry is not None])
            self._call(_settle, told)
            if group[-1] is None:
                break
        try:
            connection.close()
        except sqlite3.Error as error:
            _log.warning("journal %s: %s", self._path, error)
        self._call(self._ended.set)

    def _next_group(self) -> list[Append | Job | None]:
        group = [self._queue.get()]
        try:
            while group[-1] is not None and len(group) < _GROUP:
                group.append(self._queue.get_nowait())
        except Empty:
            pass
        return group

    def _commit(self, connection: sqlite3.Connection, appender: Appender, group: Sequence[Append | Job]) -> list[Told]:
        appends = [entry for entry in group if isinstance(entry, Append)]
        try:
            connection.execute("BEGIN IMMEDIATE")
            told = [_run(connection, entry) for entry in group if isinstance(entry, Job)]
            refused = appender.write(appends)
            told += [(append.future, None, error) for append, error in zip(appends, refused, strict=True)]
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
            appender.forget()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return [(entry.future, None, self._why(error)) for entry in group]
        return told

    def _why(self, error: Exception) -> Exception:
        return in_words(self._path, error) if isinstance(error, sqlite3.Error | OSError) else error

    def _call(self, callback: Callable[..., None], *args: Any) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop is closed: nobody waits any more
            _log.debug("journal %s: the event loop ended before the journal was closed", self._path)


def _run(connection: sqlite3.Connection, job: Job) -> Told:
    connection.execute("SAVEPOINT job")
    try:
        result = job.call(connection)
    except Exception as error:  # noqa: BLE001  # only this job failed
        connection.execute("ROLLBACK TO job")
        return job.future, None, error
    finally:
        connection.execute("RELEASE job")
    return job.future, result, None


def _settle(told: Sequence[Told]) -> None:
    """Give the futures their results; those whose waiter was cancelled have none to get."""
    for future, result, error in told:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
