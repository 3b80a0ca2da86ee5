"""The memory bus: objects handed straight to a subscriber that has credit, bounded queues for the rest.

1. An envelope goes to a waiting subscriber within the same call; nothing is started and nothing is awaited.
2. `strict` encodes and decodes every envelope, so that tests see what a wire would do to it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from agentorch.errors import BusError
from agentorch.messages.envelope import Envelope, decode, encode
from agentorch.ports.bus import Accept, AcceptAll

CAPACITY: Final = 10_000
"""Envelopes that may wait, over all subjects."""


class MemoryDelivery:
    """One envelope in a subscriber's hands."""

    __slots__ = ("_subscription", "envelope")

    def __init__(self, envelope: Envelope, subscription: "MemorySubscription") -> None:
        self.envelope = envelope
        self._subscription = subscription

    def ack(self) -> None:
        """Say that it is dealt with; a second time changes nothing."""
        subscription = self._subscription
        if self in subscription.held:
            del subscription.held[self]
            if subscription.bus.waiting:
                subscription.bus.refill(subscription)


class MemorySubscription:
    """A subscriber, its credit and what it holds."""

    __slots__ = ("accept", "accept_all", "bus", "closed", "credit", "held", "subjects")

    def __init__(
        self,
        bus: "MemoryBus",
        subjects: Sequence[str],
        accept: Accept,
        credit: int | None,
        accept_all: AcceptAll | None,
    ) -> None:
        self.bus = bus
        self.subjects = tuple(subjects)
        self.accept = accept
        self.accept_all = accept_all
        self.credit = credit
        self.held: dict[MemoryDelivery, None] = {}
        self.closed = False

    @property
    def free(self) -> bool:
        """Whether it may be given one more."""
        return not self.closed and (self.credit is None or len(self.held) < self.credit)

    def wants(self, subject: str) -> bool:
        """Whether it subscribes to `subject`."""
        return any(matches(pattern, subject) for pattern in self.subjects)

    def give(self, envelope: Envelope) -> None:
        """Hand over one envelope."""
        delivery = MemoryDelivery(envelope, self)
        self.held[delivery] = None
        self.accept(delivery)

    def give_all(self, envelopes: Sequence[Envelope], accept_all: AcceptAll) -> None:
        """Hand over several."""
        deliveries = [MemoryDelivery(envelope, self) for envelope in envelopes]
        self.held.update(dict.fromkeys(deliveries))
        accept_all(deliveries)

    def close(self) -> None:
        """Leave; what it held goes back to the front of the queues."""
        if not self.closed:
            self.closed = True
            self.bus.leave(self)


class MemoryBus:
    """The in-process bus."""

    local = True

    def __init__(self, *, capacity: int = CAPACITY, strict: bool = False) -> None:
        self._capacity = capacity
        self._strict = strict
        self._queues: dict[str, deque[Envelope]] = {}
        self._subscriptions: list[MemorySubscription] = []
        self._routes: dict[str, list[MemorySubscription]] = {}
        self._only: dict[str, MemorySubscription] = {}
        """The subscriber of a subject, where it is the only one and takes whatever comes at once.

        Nothing waits for such a subject. While the bus is closed there are none.
        """
        self._as_it_is: dict[str, MemorySubscription] = {}
        """The same, where envelopes are handed over as the objects that they are."""
        self._turn: dict[str, int] = {}
        self._listeners: dict[str, list[Callable[[Envelope], None]]] = {}
        self._room: deque[asyncio.Future[None]] = deque()
        self._openings = 0
        self.waiting = 0
        """Envelopes that no subscriber has taken yet."""

    async def open(self) -> None:
        """Take envelopes until it is closed as often as it was opened."""
        self._openings += 1

    async def close(self) -> None:
        """Refuse everything from the last closing on; whoever waits to publish is told."""
        self._openings = max(0, self._openings - 1)
        if self._openings:
            return
        self._forget_routes()
        while self._room:
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_exception(BusError("the bus was closed while an envelope waited for room"))

    def offer(self, envelope: Envelope) -> bool:
        """Take the envelope, or return False when the bus is full."""
        only = self._as_it_is.get(envelope.subject)
        if only is None:
            return self._offer(envelope)
        delivery = MemoryDelivery(envelope, only)  # as `give` does: nearly every envelope comes this way
        only.held[delivery] = None
        accept = only.accept
        accept(delivery)
        return True

    def _offer(self, envelope: Envelope) -> bool:
        if not self._openings:
            raise BusError(f"the bus is not open: cannot send to {envelope.subject!r}")
        subject = envelope.subject
        if self._strict:
            envelope = decode(encode(envelope))
        subscriber = None if subject in self._queues else self._next(subject)
        if subscriber is not None:
            subscriber.give(envelope)
        elif self.waiting >= self._capacity:
            return False
        else:
            self._queues.setdefault(subject, deque()).append(envelope)
            self.waiting += 1
        return True

    def offer_all(self, envelopes: Sequence[Envelope]) -> int:
        """Take envelopes, in order, up to one that is not taken; return how many."""
        if not envelopes:
            return 0
        first = envelopes[0].subject
        if self._openings and first not in self._routes and first not in self._queues:
            self._route(first)
        only = self._only.get(first)
        if only is not None and all(self._only.get(envelope.subject) is only for envelope in envelopes):
            ready = self._crossed(envelopes) if self._strict else envelopes
            if ready is not None and only.accept_all is not None:
                only.give_all(ready, only.accept_all)
                return len(ready)
        for taken, envelope in enumerate(envelopes):
            try:
                if not self.offer(envelope):
                    return taken
            except Exception:
                if not taken:
                    raise
                return taken  # it is raised again when that one is offered
        return len(envelopes)

    @staticmethod
    def _crossed(envelopes: Sequence[Envelope]) -> Sequence[Envelope] | None:
        """Return envelopes as they come out of a wire; None when one of them does not."""
        try:
            return [decode(encode(envelope)) for envelope in envelopes]
        except BusError:
            return None

    async def publish(self, envelope: Envelope) -> None:
        """Take the envelope, waiting while the bus is full."""
        while not self.offer(envelope):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._room.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()  # it was its turn: the room is the next one's
                raise

    def subscribe(
        self,
        subjects: Sequence[str],
        accept: Accept,
        *,
        credit: int | None = None,
        accept_all: AcceptAll | None = None,
    ) -> MemorySubscription:
        """Receive from `subjects`; what waits there comes at once, as far as the credit goes."""
        subscription = MemorySubscription(self, subjects, accept, credit, accept_all)
        self._subscriptions.append(subscription)
        self._forget_routes()
        self.refill(subscription)
        return subscription

    def broadcast(self, envelope: Envelope) -> None:
        """Tell whoever listens now."""
        for heard in self._listeners.get(envelope.subject, ()):
            heard(envelope)

    def listen(self, subject: str, heard: Callable[[Envelope], None]) -> "MemoryListener":
        """Hear the broadcasts on `subject`."""
        listeners = self._listeners.setdefault(subject, [])
        listeners.append(heard)
        return MemoryListener(listeners, heard)

    def refill(self, subscription: MemorySubscription) -> None:
        """Hand over what waits for this subscriber, oldest first per subject."""
        for subject in [name for name in self._queues if subscription.wants(name)]:
            # Whoever is given an envelope may acknowledge it and send others before this call is over.
            while subscription.free and (queue := self._queues.get(subject)):
                envelope = queue.popleft()
                if not queue:
                    del self._queues[subject]
                self.waiting -= 1
                self._wake()
                subscription.give(envelope)

    def leave(self, subscription: MemorySubscription) -> None:
        """Take a subscriber out, and give what it held to the others."""
        self._subscriptions.remove(subscription)
        self._forget_routes()
        for delivery in reversed(list(subscription.held)):
            self._queues.setdefault(delivery.envelope.subject, deque()).appendleft(delivery.envelope)
            self.waiting += 1
        subscription.held.clear()
        for other in list(self._subscriptions):
            self.refill(other)

    def _route(self, subject: str) -> list[MemorySubscription]:
        """Return who subscribes to a subject."""
        route = self._routes[subject] = [one for one in self._subscriptions if one.wants(subject)]
        if len(route) == 1 and route[0].credit is None:
            self._only[subject] = route[0]
            if not self._strict:
                self._as_it_is[subject] = route[0]
        return route

    def _next(self, subject: str) -> MemorySubscription | None:
        route = self._routes.get(subject)
        if route is None:
            route = self._route(subject)
        if len(route) == 1:
            return route[0] if route[0].free else None
        for step in range(len(route)):
            turn = (self._turn.get(subject, 0) + step) % len(route)
            if route[turn].free:
                self._turn[subject] = turn + 1
                return route[turn]
        return None

    def _forget_routes(self) -> None:
        self._routes.clear()
        self._only.clear()
        self._as_it_is.clear()

    def _wake(self) -> None:
        while self._room:
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return


class MemoryListener:
    """A listener's hold on the bus."""

    def __init__(self, listeners: list[Callable[[Envelope], None]], heard: Callable[[Envelope], None]) -> None:
        self._listeners = listeners
        self._heard = heard

    def close(self) -> None:
        """Stop listening."""
        if self._heard in self._listeners:
            self._listeners.remove(self._heard)


def matches(pattern: str, subject: str) -> bool:
    """Whether `subject` is `pattern`, or begins with it when the pattern's last token is `*`."""
    if pattern.endswith(".*"):
        return subject.startswith(pattern[:-1])
    return pattern == subject
