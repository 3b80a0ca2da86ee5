"""The bus port: work to whoever has a free slot, results back, and lossy broadcasts.

What every implementation promises (the suite in `agentorch.testing.bus_conformance` checks it):

1. An envelope that was taken is delivered to exactly one subscriber of its subject, in order per subject, and again to
   another if that one goes away without acknowledging it.
2. A subscriber never holds more unacknowledged deliveries than it gave credit for.
3. The bus is bounded: `offer` says no, and `publish` waits, when it is full. Nothing that was taken is dropped.
4. It may be opened by several users: it is open until each of them has closed it, and can be opened again.
5. `broadcast` is lossy: it reaches whoever listens now, and slows nobody.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from agentorch.messages.envelope import Envelope


class Delivery(Protocol):
    """One envelope in a subscriber's hands."""

    envelope: Envelope

    def ack(self) -> None:
        """Say that it is dealt with: it will not come again, and one credit is given back."""
        ...


class Subscription(Protocol):
    """A subscriber's hold on the bus."""

    def close(self) -> None:
        """Leave: unacknowledged deliveries go to somebody else."""
        ...


Accept = Callable[[Delivery], None]
"""Called with each delivery, from the event loop; must not block."""
AcceptAll = Callable[[Sequence[Delivery]], None]
"""The same for what is delivered together; one that leaves within the call deals with no more of it."""


class Bus(Protocol):
    """Transport, not truth: losing it loses no run."""

    local: bool
    """Whether the workers die with this process, so that a dispatch need not wait for the journal."""

    async def open(self) -> None:
        """Connect; raise BusError in one line."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...

    def offer(self, envelope: Envelope) -> bool:
        """Take the envelope, or return False when the bus is full."""
        ...

    def offer_all(self, envelopes: Sequence[Envelope]) -> int:
        """Take envelopes as `offer` does, in order, up to one that is not taken; return how many.

        It raises only what is raised for the first one: then it has taken none.
        """
        ...

    async def publish(self, envelope: Envelope) -> None:
        """Take the envelope, waiting while the bus is full."""
        ...

    def subscribe(
        self,
        subjects: Sequence[str],
        accept: Accept,
        *,
        credit: int | None = None,
        accept_all: AcceptAll | None = None,
    ) -> Subscription:
        """Receive from `subjects` (exact, or with a last token `*`); None is unlimited credit.

        A bus may give to `accept_all` what came together, in order, in one call.
        """
        ...

    def broadcast(self, envelope: Envelope) -> None:
        """Tell whoever listens to the subject now."""
        ...

    def listen(self, subject: str, heard: Callable[[Envelope], None]) -> Subscription:
        """Hear the broadcasts on `subject`."""
        ...
