"""A bus between machines, over another one: it does everything that the port's promises leave open.

It delays, and so reorders; it delivers twice; it loses acknowledgements, so that an envelope comes again; a broadcast
may go unheard. It loses no envelope: no bus may.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from agentorch.bus import MemoryBus
from agentorch.errors import BusError
from agentorch.messages.envelope import Envelope
from agentorch.ports.bus import Accept, AcceptAll, Bus, Delivery, Subscription
from agentorch.testing.chance import Chance, SeededChance

LONG: Final = 1.0
"""Seconds that a delayed envelope takes as a rule."""
AGAIN: Final = 0.5
"""Seconds after which an envelope comes again whose acknowledgement was lost."""


class FaultyBus:
    """See the module; each rate is the probability for one envelope.

    `wire` is how many seconds an envelope takes as a rule. The defaults are those of agentorch's own simulation.
    """

    local = False

    def __init__(
        self, chance: Chance | None = None, bus: Bus | None = None, *, wire: float = 0.01, duplicated: float = 0.03,
        delayed: float = 0.03, unacknowledged: float = 0.02, unheard: float = 0.1,
    ) -> None:  # fmt: skip
        self._chance: Chance = chance if chance is not None else SeededChance()
        self._bus: Bus = bus if bus is not None else MemoryBus(strict=True)
        self._wire = wire
        self._duplicated = duplicated
        self._delayed = delayed
        self._unacknowledged = unacknowledged
        self._unheard = unheard

    async def open(self) -> None:
        """Open the bus below."""
        await self._bus.open()

    async def close(self) -> None:
        """Close the bus below; what is on its way is lost with it."""
        await self._bus.close()

    def offer(self, envelope: Envelope) -> bool:
        """Take the envelope; it is delivered later, and now and then twice."""
        self._later(envelope)
        if self._chance.happens(self._duplicated):
            self._chance.fault("duplicate", task_of(envelope))
            self._later(envelope)
        return True

    def offer_all(self, envelopes: Sequence[Envelope]) -> int:
        """Take each."""
        return sum(self.offer(envelope) for envelope in envelopes)

    async def publish(self, envelope: Envelope) -> None:
        """Take it: a wire is never full."""
        self.offer(envelope)

    def _later(self, envelope: Envelope, wait: float = 0.0) -> None:
        delay = wait + self._chance.pause(self._wire)
        if self._chance.happens(self._delayed):
            self._chance.fault("delay", task_of(envelope))
            delay += self._chance.pause(LONG)
        asyncio.get_running_loop().call_later(delay, self._deliver, envelope)

    def _deliver(self, envelope: Envelope) -> None:
        try:
            self._bus.offer(envelope)
        except BusError:  # it is closed by now
            return

    def subscribe(
        self,
        subjects: Sequence[str],
        accept: Accept,
        *,
        credit: int | None = None,
        accept_all: AcceptAll | None = None,
    ) -> Subscription:
        """Receive from `subjects`; acknowledgements may be lost."""

        def watched(delivery: Delivery) -> Delivery:
            lost = self._loses(delivery.envelope)
            return _Twice(delivery, self._acknowledged, lambda envelope: self._later(envelope, AGAIN), lost=lost)

        def all_given(deliveries: Sequence[Delivery]) -> None:
            assert accept_all is not None
            accept_all([watched(delivery) for delivery in deliveries])

        together = None if accept_all is None else all_given
        return self._bus.subscribe(
            subjects, lambda delivery: accept(watched(delivery)), credit=credit, accept_all=together
        )

    def _loses(self, envelope: Envelope) -> bool:
        """Whether the acknowledgement of an envelope that is just given is going to be lost."""
        lost = self._chance.happens(self._unacknowledged)
        if lost:
            self._chance.fault("lost ack", task_of(envelope))
        return lost

    def _acknowledged(self, envelope: Envelope) -> None:
        """An envelope is dealt with; whether the bus hears of it is another question."""

    def broadcast(self, envelope: Envelope) -> None:
        """Tell whoever listens, a moment later, or nobody."""
        if self._chance.happens(self._unheard):
            return
        asyncio.get_running_loop().call_later(self._chance.pause(self._wire), self._bus.broadcast, envelope)

    def listen(self, subject: str, heard: Callable[[Envelope], None]) -> Subscription:
        """Hear the broadcasts on `subject`."""
        return self._bus.listen(subject, heard)


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
        """Say that it is dealt with."""
        self._dealt_with(self.envelope)
        self._delivery.ack()
        if self._lost:
            self._lost = False
            self._again(self.envelope)


def task_of(envelope: Envelope) -> str:
    """Return the id of the task that an envelope is about."""
    return envelope.data.key.split("/")[1]
