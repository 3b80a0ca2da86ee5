"""The journal and the bus of a simulated process: slow, and unreliable in all that their promises leave open.

1. The journal is durable some time after `append`; a killed process leaves a prefix of what it had queued, acknowledged
   or not. What is acknowledged is on the disk.
2. The bus delays, and so reorders; it delivers twice; it loses acknowledgements, so that an envelope comes again. It
   loses no envelope, and a withdrawal may go unheard.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from agentorch.core.events import Event
from agentorch.errors import JournalError
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, Work
from agentorch.ports.journal import Request, RunRecord
from agentorch.testing.faulty_bus import FaultyBus
from tests.simulation.world import Process, World

SLOW_DISK, SLOW_WIRE = 0.004, 0.01


class SlowJournal:
    """A journal whose appends take time, over the disk that outlives the process."""

    durable = True

    def __init__(self, world: World, process: Process, appended: Callable[[], None]) -> None:
        self._world = world
        self._process = process
        self._disk = world.disk
        self._appended = appended
        self._line: deque[tuple[str, list[Event], int, asyncio.Future[None]]] = deque()
        self._owners: set[str] = set()
        self._free = 0.0
        self.blobs = world.disk.blobs

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        if self._line and not self._process.dead:
            await asyncio.wait([future for *_, future in self._line])

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        if self._process.dead:
            raise JournalError("the process is dead")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._line.append((run_id, list(events), after, future))
        self._free = max(self._free, loop.time()) + self._world.pause(SLOW_DISK)
        loop.call_at(self._free, self._write_next)
        self._appended()
        return future

    def _write_next(self) -> None:
        if self._process.dead or not self._line:
            return
        error = self._write()
        future = error[1]
        if future.done():
            return
        if error[0] is None:
            future.set_result(None)
        else:
            future.set_exception(error[0])

    def _write(self) -> "tuple[Exception | None, asyncio.Future[None]]":
        run_id, events, after, future = self._line.popleft()
        try:
            self._disk._add(run_id, events, after)
        except JournalError as error:
            return error, future
        self._world.durable(events)
        return None, future

    def die(self) -> None:
        """Leave what a killed process leaves."""
        for _ in range(self._world.chance.randint(0, len(self._line))):
            self._write()
        for owner in self._owners:
            self._disk.disclaim(owner)

    async def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        return await self._disk.read(run_id, after=after, limit=limit)

    def runs(
        self, *, status: str | None = None, tags: dict[str, str] | None = None, limit: int | None = None
    ) -> AsyncIterator[RunRecord]:
        return self._disk.runs(status=status, tags=tags, limit=limit)

    async def find(self, key: str) -> RunRecord | None:
        return await self._disk.find(key)

    async def record(self, run_id: str) -> RunRecord | None:
        return await self._disk.record(run_id)

    async def request(self, run_id: str, kind: str, payload: dict[str, Any], *, by: str, at: float) -> int:
        return await self._disk.request(run_id, kind, payload, by=by, at=at)

    async def requests(self, *, after: int = 0) -> list[Request]:
        return await self._disk.requests(after=after)

    async def settle(self, id: int) -> None:
        await self._disk.settle(id)

    def claim(self, owner: str) -> None:
        self._owners.add(owner)
        self._disk.claim(owner)

    def disclaim(self, owner: str) -> None:
        self._disk.disclaim(owner)

    def is_alive(self, owner: str) -> bool:
        return self._disk.is_alive(owner)

    def beat(self, owner: str) -> int | None:
        return self._disk.beat(owner)


class SimulatedBus(FaultyBus):
    """A bus between machines, or within one process, that dies with it and tells the world what leaves."""

    def __init__(self, world: World, process: Process, sent: Callable[[], None], *, local: bool) -> None:
        super().__init__(world, wire=SLOW_WIRE)
        self.local = local
        self._world = world
        self._process = process
        self._sent = sent

    def offer(self, envelope: Envelope) -> bool:
        if self._process.dead:
            return True
        self._sent()
        if self.local:
            return self._bus.offer(envelope)
        if isinstance(envelope.data, Work):
            self._world.leaves(envelope.data.key)
        return super().offer(envelope)

    def offer_all(self, envelopes: Sequence[Envelope]) -> int:
        if self.local and not self._process.dead:
            for _ in envelopes:
                self._sent()
            return self._bus.offer_all(envelopes)
        return super().offer_all(envelopes)

    def _deliver(self, envelope: Envelope) -> None:
        if not self._process.dead:
            super()._deliver(envelope)

    def _loses(self, envelope: Envelope) -> bool:
        return not self.local and super()._loses(envelope)

    def _acknowledged(self, envelope: Envelope) -> None:
        if isinstance(envelope.data, Result) and not self._process.dead:
            self._world.acknowledged(envelope.data.key)

    def broadcast(self, envelope: Envelope) -> None:
        if self._process.dead:
            return
        if self.local:
            self._bus.broadcast(envelope)
        else:
            super().broadcast(envelope)
