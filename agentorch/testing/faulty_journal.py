"""A journal in memory that is slow, full, gone, or too late: what a disk and a second writer can do to a run."""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence

from agentorch.core.events import Event
from agentorch.errors import JournalConflict, JournalError
from agentorch.journal.memory import MemoryJournal


class FaultyJournal(MemoryJournal):
    """A `MemoryJournal` with faults; appends are numbered from 1.

    An append is durable, and can be read, `delay` seconds later. While it is `full`, none is taken. The appends in
    `raises_at` raise an OSError out of the call; those in `loses_at` find that another writer was first.
    """

    def __init__(
        self, *, delay: float = 0.0, full: bool = False, raises_at: Collection[int] = (), loses_at: Collection[int] = ()
    ) -> None:
        super().__init__()
        self.delay = delay
        """May be changed at any time."""
        self.full = full
        """May be changed at any time."""
        self.raises_at = raises_at
        self.loses_at = loses_at
        self.appends = 0
        """How many were asked for."""
        self.kept: list[Event] = []
        """The events that are durable, of all runs, in the order in which they became it."""
        self._line: deque[tuple[str, Sequence[Event], int, asyncio.Future[None]]] = deque()

    async def close(self) -> None:
        """Wait for what was queued."""
        if self._line:
            await asyncio.wait([future for *_, future in self._line])
        await super().close()

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        """Append as the faults have it."""
        self.appends += 1
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if self.appends in self.raises_at:
            raise OSError("the disk is gone")
        if self.full:
            future.set_exception(JournalError("the disk is full"))
        elif self.appends in self.loses_at:
            future.set_exception(JournalConflict(f"run {run_id}: another writer was first"))
        else:
            self._line.append((run_id, events, after, future))
            if self.delay or len(self._line) > 1:
                loop.call_later(self.delay, self._write_next)
            else:
                self._write_next()
        return future

    def _write_next(self) -> None:
        run_id, events, after, future = self._line.popleft()
        written = super().append(run_id, events, after=after)
        error = written.exception()
        if error is None:
            self.kept += events
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
