"""Where a process is killed: a journal and a bus that count what goes through them, and kill their process at one.

1. `before`: the call has not begun. `queued`: the append is handed to the writer, and may be on the disk or not.
   `durable`: it is on the disk, and nobody has been told yet. `after`: whoever was sent it has it.
2. SIGKILL, by itself: no `finally`, no flush, no closing of files but the kernel's.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from agentorch.bus.memory import MemoryBus, MemoryDelivery, MemorySubscription
from agentorch.core.events import Event
from agentorch.journal.schema import Durability
from agentorch.journal.sqlite import SqliteJournal
from agentorch.messages.envelope import Envelope
from agentorch.ports.bus import Accept, AcceptAll

Where = Literal["before append", "queued append", "durable append", "before send", "after send", "before ack"]
PLACES: Final[tuple[Where, ...]] = (
    "before append",
    "queued append",
    "durable append",
    "before send",
    "after send",
    "before ack",
)


@dataclass(frozen=True, slots=True)
class Point:
    """The `number`-th time that a process comes past a place."""

    where: Where
    number: int

    def __str__(self) -> str:
        return f"{self.where} {self.number}"


class Cut:
    """Counts how often each place is passed, and kills this process at `point`."""

    def __init__(self, point: Point | None = None) -> None:
        self._point = point
        self._passed: dict[Where, int] = dict.fromkeys(PLACES, 0)

    def passing(self, where: Where) -> None:
        """Be killed here, if this is the point."""
        self._passed[where] += 1
        if self._point == Point(where, self._passed[where]):
            os.kill(os.getpid(), signal.SIGKILL)


class CutJournal(SqliteJournal):
    """A journal whose every append is a place to be killed at."""

    def __init__(self, path: Path, cut: Cut, durability: Durability = "power") -> None:
        super().__init__(path, durability)
        self._cut = cut

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        """Append, and perhaps not live to tell."""
        self._cut.passing("before append")
        future = super().append(run_id, events, after=after)
        self._cut.passing("queued append")
        future.add_done_callback(self._durable)  # before anybody else can add theirs
        return future

    def _durable(self, future: "asyncio.Future[None]") -> None:
        if not future.cancelled() and future.exception() is None:
            self._cut.passing("durable append")


class CutBus(MemoryBus):
    """A bus whose every send and every acknowledgement is a place to be killed at; everything crosses it as bytes."""

    def __init__(self, cut: Cut) -> None:
        super().__init__(strict=True)
        self._cut = cut

    def offer(self, envelope: Envelope) -> bool:
        """Send, and perhaps not live to tell."""
        self._cut.passing("before send")
        taken = super().offer(envelope)
        self._cut.passing("after send")
        return taken

    def offer_all(self, envelopes: Sequence[Envelope]) -> int:
        """Send several, and perhaps not live to tell."""
        self._cut.passing("before send")
        taken = super().offer_all(envelopes)
        self._cut.passing("after send")
        return taken

    def broadcast(self, envelope: Envelope) -> None:
        """Tell everybody, and perhaps nobody."""
        self._cut.passing("before send")
        super().broadcast(envelope)
        self._cut.passing("after send")

    def subscribe(
        self,
        subjects: Sequence[str],
        accept: Accept,
        *,
        credit: int | None = None,
        accept_all: AcceptAll | None = None,
    ) -> MemorySubscription:
        """Subscribe as one who may not live to acknowledge."""
        subscription = _CutSubscription(self, subjects, accept, credit, accept_all, self._cut)
        self._subscriptions.append(subscription)
        self._routes.clear()
        self.refill(subscription)
        return subscription


class _CutSubscription(MemorySubscription):
    __slots__ = ("_cut",)

    def __init__(
        self,
        bus: MemoryBus,
        subjects: Sequence[str],
        accept: Accept,
        credit: int | None,
        accept_all: AcceptAll | None,
        cut: Cut,
    ) -> None:
        super().__init__(bus, subjects, accept, credit, accept_all)
        self._cut = cut

    def give(self, envelope: Envelope) -> None:
        """Hand over one envelope as to one who may not live to acknowledge it."""
        delivery = _CutDelivery(envelope, self, self._cut)
        self.held[delivery] = None
        self.accept(delivery)

    def give_all(self, envelopes: Sequence[Envelope], accept_all: AcceptAll) -> None:
        """Hand over several."""
        deliveries = [_CutDelivery(envelope, self, self._cut) for envelope in envelopes]
        self.held.update(dict.fromkeys(deliveries))
        accept_all(deliveries)


class _CutDelivery(MemoryDelivery):
    __slots__ = ("_cut",)

    def __init__(self, envelope: Envelope, subscription: MemorySubscription, cut: Cut) -> None:
        super().__init__(envelope, subscription)
        self._cut = cut

    def ack(self) -> None:
        self._cut.passing("before ack")
        super().ack()
