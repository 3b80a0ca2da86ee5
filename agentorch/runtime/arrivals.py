"""What comes back over the bus: results of dispatches, and pieces of text that models say meanwhile."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, TextDelta
from agentorch.ports.bus import Bus, Delivery
from agentorch.runtime.endings import Endings
from agentorch.runtime.hosted import HostedRun

log = logging.getLogger(__name__)

Runs = Mapping[str, HostedRun]


class Arrivals:
    """Gives each result to its run, and acknowledges it once its event is durable."""

    def __init__(
        self,
        owner: str,
        bus: Bus,
        endings: Endings,
        *,
        carried_out: Runs,
        hosted: Runs,
        take: Callable[[HostedRun, Result], None],
        together: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`carried_out` are the runs that may take a result, `hosted` those too that have just ended.

        What is decided inside `together` is seen to at its end.
        """
        self._owner = owner
        self._endings = endings
        self._runs = carried_out
        self._hosted = hosted
        self._take = take
        self._together = together
        self._subscription = bus.subscribe([f"outcome.{owner}"], self._receive, accept_all=self._receive_all)
        self._deltas = bus.listen(f"delta.{owner}", self._hear)

    def close(self) -> None:
        """Listen no more."""
        self._subscription.close()
        self._deltas.close()

    def _receive_all(self, deliveries: Sequence[Delivery]) -> None:
        with self._together():
            for delivery in deliveries:
                self._receive(delivery)

    def _receive(self, delivery: Delivery) -> None:
        result = delivery.envelope.data
        if not isinstance(result, Result):
            log.warning("not a result on outcome.%s: %s", self._owner, type(result).__name__)
            delivery.ack()
            return
        key = result.key
        run_id = key.split("/", 1)[0]
        if self._endings.open:
            self._endings.heard(run_id, key)
        run = self._runs.get(run_id)
        if run is None:
            log.info("a result came for %s, which is not carried out here", key)
            if (ending := self._hosted.get(run_id)) is not None:
                ending.when_durable(delivery.ack)  # it may be the result that ended the run, come again
            else:
                delivery.ack()
            return
        try:  # as `or_lost`, which costs more: every result comes this way
            self._take(run, result)
        except Exception as error:  # noqa: BLE001
            run.break_down(error)
        run.when_durable(delivery.ack)

    def _hear(self, envelope: Envelope) -> None:
        delta = envelope.data
        if isinstance(delta, TextDelta) and (run := self._runs.get(delta.key.split("/", 1)[0])) is not None:
            run.feed.publish_delta(delta)
