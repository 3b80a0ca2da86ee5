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

from agentorch.bus import MemoryBus
from agentorch.core.events import Event
from agentorch.errors import BusError, JournalError
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, Work
from agentorch.ports.bus import Accept, AcceptAll, Delivery, Subscription
from agentorch.ports.journal import Request, RunRecord
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


class _Twice:
    """A delivery whose acknowledgement may be lost: then its envelope comes again."""

    def __init__(
        self,
        delivery: Delivery,
        dealt_with: Callable[[Envelope], None],
        again: Callable[[Envelope], None],
        *,
        lost: bool,
    ) -> None:
        self.envelope = delivery.envelope
        self._delivery = delivery
        self._dealt_with = dealt_with
        self._again = again
        self._lost = lost

    def ack(self) -> None:
        self._dealt_with(self.envelope)
        self._delivery.ack()
        if self._lost:
            self._lost = False
            self._again(self.envelope)


class FaultyBus:
    """A bus between machines, over the real one in memory."""

    def __init__(self, world: World, process: Process, sent: Callable[[], None], *, local: bool) -> None:
        self.local = local
        self._world = world
        self._process = process
        self._sent = sent
        self._bus = MemoryBus(strict=True)

    async def open(self) -> None:
        await self._bus.open()

    async def close(self) -> None:
        await self._bus.close()

    def offer(self, envelope: Envelope) -> bool:
        if self._process.dead:
            return True
        self._sent()
        if not self.local and isinstance(envelope.data, Work):
            self._world.leaves(envelope.data.key)
        if self.local:
            return self._bus.offer(envelope)
        self._later(envelope)
        if self._world.happens(0.03):
            self._world.fault("duplicate", _task_of(envelope))
            self._later(envelope)
        return True

    def offer_all(self, envelopes: Sequence[Envelope]) -> int:
        if self.local and not self._process.dead:
            for _ in envelopes:
                self._sent()
            return self._bus.offer_all(envelopes)
        return sum(self.offer(envelope) for envelope in envelopes)

    async def publish(self, envelope: Envelope) -> None:
        self.offer(envelope)

    def _later(self, envelope: Envelope, wait: float = 0.0) -> None:
        loop = asyncio.get_running_loop()
        delay = wait + self._world.pause(SLOW_WIRE)
        if self._world.happens(0.03):
            self._world.fault("delay", _task_of(envelope))
            delay += self._world.pause(1.0)
        loop.call_later(delay, self._deliver, envelope)

    def _deliver(self, envelope: Envelope) -> None:
        if self._process.dead:
            return
        try:
            self._bus.offer(envelope)
        except BusError:
            return

    def subscribe(
        self,
        subjects: Sequence[str],
        accept: Accept,
        *,
        credit: int | None = None,
        accept_all: AcceptAll | None = None,
    ) -> Subscription:
        def watched(delivery: Delivery) -> Delivery:
            lost = not self.local and self._world.happens(0.02)
            if lost:
                self._world.fault("lost ack", _task_of(delivery.envelope))
            return _Twice(delivery, self._acknowledged, lambda envelope: self._later(envelope, 0.5), lost=lost)

        def all_given(deliveries: Sequence[Delivery]) -> None:
            assert accept_all is not None
            accept_all([watched(delivery) for delivery in deliveries])

        together = None if accept_all is None else all_given
        return self._bus.subscribe(
            subjects, lambda delivery: accept(watched(delivery)), credit=credit, accept_all=together
        )

    def _acknowledged(self, envelope: Envelope) -> None:
        if isinstance(envelope.data, Result) and not self._process.dead:
            self._world.acknowledged(envelope.data.key)

    def broadcast(self, envelope: Envelope) -> None:
        if self._process.dead or (not self.local and self._world.happens(0.1)):
            return
        if self.local:
            self._bus.broadcast(envelope)
        else:
            asyncio.get_running_loop().call_later(self._world.pause(SLOW_WIRE), self._bus.broadcast, envelope)

    def listen(self, subject: str, heard: Callable[[Envelope], None]) -> Subscription:
        return self._bus.listen(subject, heard)


def _task_of(envelope: Envelope) -> str:
    return envelope.data.key.split("/")[1]
