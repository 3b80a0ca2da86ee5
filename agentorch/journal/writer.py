"""The writer: it takes what is queued, commits it as a group, and tells the loop.

1. A group is one transaction: of at most 512 entries in the thread that writes.
2. With `durability="process"` a commit waits for no disk. So the loop writes by itself what was queued in one of its
   turns, 32 events at the latest: no thread must be woken that gets no time behind a busy loop. While somebody else
   writes, it tries again for 10 ms. Everything else is the thread's: what is no append, what fails, and checkpoints.
3. As long as the thread has anything to write, what comes goes to the thread, behind that. So the connection belongs to
   one of the two at a time, and everything is written in the order in which it came.
4. Whatever goes wrong in the thread reaches the futures that wait; the thread goes on.
5. A loop that never rests keeps the interpreter lock from the thread: each of its turns ends before the lock is
   asked for in earnest (measured: 512 events took up to 14 s). So when nothing was committed for 10 ms, the loop
   stands still until the next commit, for 2 ms at most, and again after another 10 ms.
6. The thread ends only by `close`, after all that was queued; nobody abandons it. Where a file is opened to be read,
   it begins with the first entry: reading waits for no lock, and goes on where nothing can be written.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from agentorch.errors import JournalError
from agentorch.journal.appending import Append
from agentorch.journal.schema import Durability
from agentorch.journal.transactions import Entry, Job, Told, Transactions
from agentorch.journal.waiting import to_the_end

_GROUP: Final = 512
"""Entries that are committed together at most."""
_PATIENCE: Final = 0.010
"""Seconds without a commit after which the loop gives way to the thread."""
_GIVEN: Final = 0.002
"""Seconds that it gives."""
_TURN_EVENTS: Final = 32
"""Events that the loop does not leave unwritten until its turn ends."""
_AGAIN: Final = 0.001
"""Seconds after which the loop tries again to write what it could not."""
_log = logging.getLogger(__name__)

T = TypeVar("T")


class Tidy(Enum):
    """What asks the thread for a checkpoint."""

    UP = auto()


class Writer:
    """Owner of the connection that writes."""

    def __init__(self, path: Path, durability: Durability) -> None:
        self._path = path
        self._durability: Durability = durability
        self._in_turns = durability == "process"
        self._transactions: Transactions | None = None
        """Of the open file, where the loop may write: while nothing waits for the thread."""
        self._turn: list[Append] = []
        """What was queued in this turn of the loop, to be written by it."""
        self._turn_events = 0
        self._turn_ends = False
        """Whether its end is to be heard of."""
        self._came = self._came_before = 0
        """Small appends in this turn, and in the one before: what comes alone need not wait for others."""
        self._busy_since: float | None = None
        """When the loop first could not write it because somebody else did."""
        self._tidying = False
        """Whether the thread is to make a checkpoint."""
        self._queue: SimpleQueue[Entry | Tidy | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None
        self._committed = threading.Event()
        self._waiting = 0
        """Entries that the thread has and that the loop has not heard of."""
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0
        """When something was last committed, or began to wait."""

    async def open(self) -> None:
        """Start the thread, which opens the file; JournalError when it cannot."""
        opened: asyncio.Future[Transactions] = asyncio.get_running_loop().create_future()
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

    def _start(self, opened: "asyncio.Future[Transactions]") -> None:
        loop = opened.get_loop()
        opened.add_done_callback(self._opened)
        self._ended = loop.create_future()
        work = (loop, opened, self._ended)
        self._thread = threading.Thread(target=self._work, args=work, name="agentorch-journal", daemon=True)
        self._thread.start()

    def _opened(self, opened: "asyncio.Future[Transactions]") -> None:
        if self._in_turns and self._thread and not opened.cancelled() and opened.exception() is None:
            self._transactions = opened.result()

    async def close(self) -> None:
        """Wait until all that was queued is written and the file is closed; no cancellation cuts this short."""
        self._hand_over()
        self._transactions, self._tidying = None, False
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
        if self._transactions is None or self._waiting:
            self._enqueue(append)
            return
        self._turn.append(append)
        self._turn_events += len(append.payloads)
        is_much = self._turn_events >= _TURN_EVENTS
        if not is_much:
            self._came += 1
            self._hear_of_its_end(append.future.get_loop())
        if is_much or (self._came == 1 and self._came_before <= 1):
            self._write_turn(self._transactions)

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """Run `call` in the thread, in a transaction, and return what it returned once that is durable."""
        future = self.future()
        self._hand_over()
        self._enqueue(Job(future, call))
        return await future

    def _hear_of_its_end(self, loop: asyncio.AbstractEventLoop, *, after: float = 0) -> None:
        if not self._turn_ends:
            self._turn_ends = True
            _ = loop.call_later(after, self._end_turn) if after else loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._turn_ends = False
        self._came, self._came_before = 0, self._came
        if self._transactions is not None and self._turn:
            self._write_turn(self._transactions)

    def _write_turn(self, transactions: Transactions) -> None:
        told = None if transactions.is_overdue else transactions.at_once(self._turn)
        if told is not None:
            self._begin_turn()
            _settle(told)
            if transactions.is_due and not self._tidying:
                self._tidying = True
                self._queue.put(Tidy.UP)
        elif transactions.is_busy and self._may_wait():
            self._hear_of_its_end(self._turn[0].future.get_loop(), after=_AGAIN)
        else:
            self._hand_over()

    def _may_wait(self) -> bool:
        now = time.monotonic()
        if self._busy_since is None:
            self._busy_since = now
        return now - self._busy_since < _PATIENCE

    def _hand_over(self) -> None:
        """Leave to the thread what the loop has not written."""
        for append in self._begin_turn():
            self._enqueue(append)

    def _begin_turn(self) -> list[Append]:
        """Return what was queued in the last one."""
        turn, self._turn = self._turn, []
        self._turn_events = 0
        self._busy_since = None
        return turn

    def _tidied(self) -> None:
        self._tidying = False

    def _enqueue(self, entry: Entry) -> None:
        self._queue.put(entry)
        if self._thread is None:
            opened: asyncio.Future[Transactions] = entry.future.get_loop().create_future()
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
        self, loop: asyncio.AbstractEventLoop, opened: "asyncio.Future[Transactions]", ended: "asyncio.Future[None]"
    ) -> None:
        try:
            transactions = Transactions(self._path, self._durability)
        except Exception as error:  # noqa: BLE001  # it is raised where `open` is awaited
            self._call(loop, _settle, [(opened, None, error)])
            self._refuse_until_closed(loop, error)
        else:
            self._call(loop, _settle, [(opened, transactions, None)])
            self._write_until_closed(loop, transactions)
        self._call(loop, _settle, [(ended, None, None)])

    def _refuse_until_closed(self, loop: asyncio.AbstractEventLoop, error: Exception) -> None:
        for group in self._groups():
            self._committed.set()
            self._call(loop, self._settle, [(entry.future, None, error) for entry in group])

    def _write_until_closed(self, loop: asyncio.AbstractEventLoop, transactions: Transactions) -> None:
        for group in self._groups():
            if group:
                told = transactions.commit(group)
                self._committed.set()
                self._call(loop, self._settle, told)
            if transactions.is_due or not group:
                transactions.tidy()
                self._call(loop, self._tidied)
        try:
            transactions.close()
        except sqlite3.Error as error:
            _log.warning("journal %s: %s", self._path, error)

    def _groups(self) -> Iterator[list[Entry]]:
        """Go through what is queued, as it comes, until the writer is closed; an empty group asks for a checkpoint."""
        last: Entry | Tidy | None = Tidy.UP
        while last is not None:
            last = self._queue.get()
            group: list[Entry] = []
            while isinstance(last, Entry):
                group.append(last)
                if len(group) == _GROUP or self._queue.empty():
                    break
                last = self._queue.get()
            if group or last:
                yield group

    def _settle(self, told: Sequence[Told]) -> None:
        self._waiting -= len(told)
        self._since = time.monotonic()
        _settle(told)

    def _call(self, loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any) -> None:
        try:
            loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop is closed: nobody waits any more
            _log.debug("journal %s: the event loop ended before the journal was closed", self._path)


def _settle(told: Sequence[Told]) -> None:
    """Give the futures their results; those whose waiter was cancelled have none to get."""
    for future, result, error in told:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
