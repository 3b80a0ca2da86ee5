"""The one thread that writes: it takes what is queued, commits it as a group, and tells the loop.

1. A group is one transaction of at most 512 entries. An entry that conflicts fails alone; whatever builds on it
   conflicts in turn, because the head has not moved.
2. Whatever goes wrong in the thread reaches the futures that wait; the thread goes on.
3. A loop that never rests keeps the interpreter lock from the thread: each of its turns ends before the lock is
   asked for in earnest (measured: 512 events took up to 14 s). So when nothing was committed for 10 ms, the loop
   stands still until the next commit, for 2 ms at most, and again after another 10 ms.
4. Nothing is acknowledged that was written to a file which somebody has removed.
5. The thread ends only by `close`, after all that was queued; nobody abandons it. Where a file is opened to be read,
   it begins with the first entry: reading waits for no lock, and goes on where nothing can be written.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from agentorch.errors import JournalError
from agentorch.journal.appending import Append, Appender
from agentorch.journal.schema import Durability, in_words, open_writer, undo
from agentorch.journal.standing import OpenFile
from agentorch.journal.waiting import to_the_end

_GROUP: Final = 512
"""Entries that are committed together at most."""
_PATIENCE: Final = 0.010
"""Seconds without a commit after which the loop gives way to the thread."""
_GIVEN: Final = 0.002
"""Seconds that it gives."""
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
        self._ended: asyncio.Future[None] | None = None
        self._committed = threading.Event()
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0
        """When something was last committed, or began to wait."""

    async def open(self) -> None:
        """Start the thread, which opens the file; JournalError when it cannot."""
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._start(opened)
        try:
            await opened
        except BaseException:
            await self.close()
            raise
        self._loop = opened.get_loop()

    def open_when_needed(self) -> None:
        """Let the first entry start the thread; when the file cannot be opened, that and all later ones fail."""
        self._loop = asyncio.get_running_loop()

    def _start(self, opened: "asyncio.Future[None]") -> None:
        loop = opened.get_loop()
        self._ended = loop.create_future()
        work = (loop, opened, self._ended)
        self._thread = threading.Thread(target=self._work, args=work, name="agentorch-journal", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Wait until all that was queued is written and the file is closed; no cancellation cuts this short."""
        thread, self._thread = self._thread, None
        self._loop = None
        if thread is None or self._ended is None:
            return
        self._queue.put(None)
        try:
            await to_the_end(self._ended)
        finally:
            thread.join()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def future(self) -> "asyncio.Future[Any]":
        """Return a future for an entry; JournalError when the writer is not open."""
        if self._loop is None:
            raise JournalError(f"journal {self._path} is not open")
        return self._loop.create_future()

    def put(self, append: Append) -> None:
        """Queue an append."""
        self._enqueue(append)

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """Run `call` in the thread, in a transaction, and return what it returned once that is durable."""
        future = self.future()
        self._enqueue(Job(future, call))
        return await future

    def _enqueue(self, entry: Append | Job) -> None:
        self._queue.put(entry)
        if self._thread is None:
            opened: asyncio.Future[None] = entry.future.get_loop().create_future()
            opened.add_done_callback(lambda opened: opened.exception())  # it is the entry's to raise
            self._start(opened)
        if self._waiting == 0:
            self._since = time.monotonic()
        self._waiting += 1
        if self._timer is None:
            self._timer = entry.future.get_loop().call_later(_PATIENCE, self._give_way)

    def _give_way(self) -> None:
        self._timer = None
        if self._waiting == 0 or self._loop is None:
            return
        if time.monotonic() - self._since >= _PATIENCE:
            self._committed.clear()
            self._committed.wait(_GIVEN)
        self._timer = self._loop.call_later(_PATIENCE, self._give_way)

    def _work(
        self, loop: asyncio.AbstractEventLoop, opened: "asyncio.Future[None]", ended: "asyncio.Future[None]"
    ) -> None:
        try:
            connection = open_writer(self._path, self._durability)
        except Exception as error:  # noqa: BLE001  # it is raised where `open` is awaited
            self._call(loop, _settle, [(opened, None, error)])
            self._refuse_until_closed(loop, error)
        else:
            self._call(loop, _settle, [(opened, None, None)])
            self._write_until_closed(loop, connection)
        self._call(loop, _settle, [(ended, None, None)])

    def _refuse_until_closed(self, loop: asyncio.AbstractEventLoop, error: Exception) -> None:
        last: Append | Job | None = self._queue.get()
        while last is not None:
            self._committed.set()
            self._call(loop, self._settle, [(last.future, None, error)])
            last = self._queue.get()

    def _write_until_closed(self, loop: asyncio.AbstractEventLoop, connection: sqlite3.Connection) -> None:
        appender = Appender(connection)
        file = OpenFile(self._path)
        while (group := self._next_group())[0] is not None:
            told = self._commit(connection, appender, [entry for entry in group if entry is not None])
            removed = file.removed(connection)
            if removed is not None:
                told = [(future, None, removed) for future, _, _ in told]
            self._committed.set()
            self._call(loop, self._settle, told)
            if group[-1] is None:
                break
        try:
            connection.close()
        except sqlite3.Error as error:
            _log.warning("journal %s: %s", self._path, error)

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
            undo(connection)
            if len(group) > 1 and not isinstance(error, sqlite3.OperationalError):
                # Not the disk or a lock: one entry is at fault, and only that one is to fail.
                return [told for entry in group for told in self._commit(connection, appender, [entry])]
            return [(entry.future, None, self._why(error)) for entry in group]
        return told

    def _why(self, error: Exception) -> Exception:
        return in_words(self._path, error) if isinstance(error, sqlite3.Error | OSError) else error

    def _settle(self, told: Sequence[Told]) -> None:
        self._waiting -= len(told)
        self._since = time.monotonic()
        _settle(told)

    def _call(self, loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any) -> None:
        try:
            loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop is closed: nobody waits any more
            _log.debug("journal %s: the event loop ended before the journal was closed", self._path)


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


def _settle(told: Sequence[Told]) -> None:
    """Give the futures their results; those whose waiter was cancelled have none to get."""
    for future, result, error in told:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
