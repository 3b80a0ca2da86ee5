"""Results on their way to whoever has sent the work: sent first, acknowledged then."""

import logging
from collections.abc import Sequence

from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result
from agentorch.ports.bus import Bus, Delivery
from agentorch.runtime.job import crashed

log = logging.getLogger(__name__)

Answer = tuple[Delivery, Result]
"""Work, and what came of it."""


class Answers:
    """Sends what came of work over a bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def at_once(self, delivery: Delivery, result: Result) -> bool:
        """Send a result if the bus takes it at once, as it nearly always does; return whether it has."""
        try:
            taken = self._bus.offer(Envelope(f"outcome.{delivery.envelope.source}", result, result.key))
        except Exception:  # noqa: BLE001  # a bus may raise anything: `send` says what is to be done
            return False
        if taken:
            delivery.ack()
        return taken

    def together(self, answers: Sequence[Answer]) -> Sequence[Answer]:
        """Send results, in order; return those that the bus does not take at once."""
        try:
            taken = self._bus.offer_all([_envelope(delivery, result) for delivery, result in answers])
        except Exception:  # noqa: BLE001  # as in `at_once`
            return answers
        for delivery, _ in answers[:taken]:
            delivery.ack()
        return answers[taken:]

    async def send_all(self, answers: Sequence[Answer]) -> bool:
        """Send results, in order, as `send` does each."""
        for delivery, result in answers:
            await self.send(delivery, result)
        return True

    async def send(self, delivery: Delivery, result: Result) -> bool:
        """Send a result, waiting while the bus is full, or that there is none which the bus could carry.

        It is True whatever comes of it: the work is over, and whoever has done it may take more.
        """
        envelope = _envelope(delivery, result)
        try:
            if not self._bus.offer(envelope):
                await self._bus.publish(envelope)
        except Exception as error:  # noqa: BLE001  # a bus may raise anything
            bare = crashed(envelope.id, f"the bus could not carry its result: {type(error).__name__}")
            try:
                await self._bus.publish(Envelope(envelope.subject, bare, id=envelope.id))
            except Exception:
                log.exception("%s: its result could not be sent", envelope.id)
                return True
        delivery.ack()
        return True


def _envelope(delivery: Delivery, result: Result) -> Envelope:
    return Envelope(f"outcome.{delivery.envelope.source}", result, result.key)
