"""A run's events, for any number of readers.

1. Publishing costs the run nothing per reader: one shared ring of recent events, one shared wake-up.
2. A reader owns only its place. One that is slow, or late, reads what the ring has lost from the journal; what many
   readers want at about the same time is read and decoded once.
3. Token deltas are lossy: each reader that wants them has a bounded queue of its own.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import cached_property
from typing import Final

from agentorch.core.events import Event, RunFinished
from agentorch.messages.work import TextDelta
from agentorch.ports.journal import Journal
from agentorch.runtime.pages import Pages

RING: Final = 1024
"""Recent events that are kept while anybody reads; what it has lost lies in a full page of the journal."""
DELTAS: Final = 4096
"""Deltas that wait for one reader before the oldest are dropped."""


class Feed:
    """The durable events of one run as they come."""

    # Most runs are read by nobody: what readers share is made for the first of them.
    readers = 0
    _head = 0
    """The last event that is known to be durable."""
    _over = False
    _wake: "asyncio.Future[None] | None" = None
    _deltas: Sequence[deque[TextDelta]] = ()

    def __init__(self, run_id: str, journal: Journal) -> None:
        self._run_id = run_id
        self._journal = journal

    @cached_property
    def _ring(self) -> deque[Event]:
        return deque(maxlen=RING)

    @cached_property
    def _pages(self) -> Pages:
        return Pages(self._run_id, self._journal)

    def publish(self, events: Sequence[Event]) -> None:
        """Show events that are durable now."""
        self._head = events[-1].seq
        if not self.readers:
            return
        self._ring.extend(events)
        self._rouse()

    def publish_delta(self, delta: TextDelta) -> None:
        """Show a piece of text to whoever wants deltas."""
        if self._deltas:
            for queue in self._deltas:
                queue.append(delta)
            self._rouse()

    def end(self) -> None:
        """Nothing more will come from this process: readers read what the journal has, and stop."""
        self._over = True
        self._rouse()

    def go_on(self) -> None:
        """More will come, for those who read from now on."""
        self._over = False

    async def read(self, after: int = 0) -> AsyncGenerator[Event]:
        """Go through the events with `seq > after`, up to RunFinished or the end of the feed."""
        async with aclosing(self._batches(after)) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    async def read_with_deltas(self, after: int = 0) -> AsyncGenerator[Event | TextDelta]:
        """The same, with the pieces of text that models say in between."""
        queue: deque[TextDelta] = deque(maxlen=DELTAS)
        self._deltas = [*self._deltas, queue]
        try:
            async with aclosing(self._batches(after, queue)) as batches:
                async for batch in batches:
                    while queue:
                        yield queue.popleft()
                    for event in batch:
                        yield event
        finally:
            self._deltas = [one for one in self._deltas if one is not queue]

    async def _batches(self, after: int, queue: deque[TextDelta] | None = None) -> AsyncGenerator[list[Event]]:
        """Go through what there is, in batches; an empty one says that there are deltas."""
        self.readers += 1
        try:
            while True:
                over = self._over
                batch = self._recent(after)
                if batch is None:
                    batch = await self._pages.behind(after, head=self._head)
                if batch or queue:
                    yield batch
                if any(isinstance(event, RunFinished) for event in batch):
                    return
                if batch:
                    after = batch[-1].seq
                elif not queue:
                    if over:
                        return
                    await self._more(after, queue)
        finally:
            self._leave()

    def _leave(self) -> None:
        self.readers -= 1
        if not self.readers:
            self._ring.clear()
            self._pages.clear()

    def _recent(self, after: int) -> list[Event] | None:
        """Return what the ring has behind `after`; None when only the journal can tell.

        While there is a reader, everything durable comes into the ring: who is level with it has missed nothing. An
        empty ring says nothing, and what came after the end is in the journal alone.
        """
        ring = self._ring
        if not ring or ring[0].seq > after + 1:
            return None
        missed = ring[-1].seq - after
        if missed <= 0:
            return None if self._over else []
        return [ring[index] for index in range(len(ring) - missed, len(ring))]

    async def _more(self, after: int, queue: deque[TextDelta] | None = None) -> None:
        """Wait until something was published; the check and the wait have nothing between them."""
        if self._over or queue or (self._ring and self._ring[-1].seq > after):
            return
        if self._wake is None or self._wake.done():
            self._wake = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._wake)

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
