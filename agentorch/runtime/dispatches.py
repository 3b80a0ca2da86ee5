"""Dispatches on their way out: handed over to the bus, and withdrawn from it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from agentorch.core import inbox
from agentorch.core.commands import Dispatch, Withdraw
from agentorch.core.empties import own
from agentorch.core.failures import FailureKind
from agentorch.core.identity import Key
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, Withdrawal
from agentorch.ports.bus import Bus
from agentorch.runtime.dispatching import envelope_of, grace_of
from agentorch.runtime.endings import Endings
from agentorch.runtime.hosted import HostedRun

log = logging.getLogger(__name__)

SLACK: Final = 1.0
"""Seconds for the way of a withdrawal to another process and of its answer back."""

Send = Callable[[HostedRun, inbox.Message], object]
Take = Callable[[HostedRun, Result], None]


class Dispatches:
    """Sends work to whoever does it, and tells them when it is not wanted any more."""

    def __init__(
        self, owner: str, bus: Bus, endings: Endings, *, now: Callable[[], float], send: Send, take: Take
    ) -> None:
        self._owner = owner
        self._bus = bus
        self._local = bus.local
        self._endings = endings
        self._now = now
        self._send = send
        self._take = take

    def hand_over(self, run: HostedRun, command: Dispatch) -> None:
        """Send a dispatch; when the bus has no room, or something must be durable first, a little later."""
        envelope = self._ready(run, command)
        if envelope is not None and not self._bus.offer(envelope):
            self._hand_over_later(run, envelope, waits=False)

    def hand_over_all(self, run: HostedRun, commands: Sequence[Dispatch]) -> None:
        """The same for several, together."""
        envelopes = [envelope for command in commands if (envelope := self._ready(run, command)) is not None]
        for envelope in envelopes[self._bus.offer_all(envelopes) :]:
            if not self._bus.offer(envelope):  # which raises what kept it out, as for one that goes alone
                self._hand_over_later(run, envelope, waits=False)

    def _ready(self, run: HostedRun, command: Dispatch) -> Envelope | None:
        """Return a dispatch as the bus carries it; None when it is handed over as soon as its event is durable."""
        state, key = run.state, command.key
        task = state.tasks[command.task]
        defaults = state.defaults.get(task.agent) or state.defaults_of(task.agent)
        envelope = envelope_of(state, task, key, self._owner, defaults, run.terms or run.usual_terms())
        run.out.add(key)
        if self._local and not defaults.untracked:
            return envelope
        self._hand_over_later(run, envelope, waits=True)
        return None

    def _hand_over_later(self, run: HostedRun, envelope: Envelope, *, waits: bool) -> None:
        publishing = asyncio.ensure_future(self._publish(run, envelope, waits=waits))
        task = Key.parse(envelope.id).task
        run.awaited().enter(envelope.id, publishing, "the hand-over to the bus", task=task)

    async def _publish(self, run: HostedRun, envelope: Envelope, *, waits: bool) -> None:
        """Hand over a dispatch when there is room, and when its event is durable if somebody could miss it.

        Across processes that is always; in process it is where an effect must not have happened without a trace.
        """
        try:
            if waits:
                await run.durable()
            await self._bus.publish(envelope)
        except Exception as error:  # noqa: BLE001  # whatever is said, the dispatch did not leave
            run.out.discard(envelope.id)
            problem = f"the bus did not take the task: {error}"
            with run.or_lost():
                self._send(run, inbox.Fail(self._now(), envelope.id, FailureKind.TRANSIENT, (problem,)))

    def withdraw(self, run: HostedRun, command: Withdraw | Dispatch) -> None:
        """Stop a dispatch: it does not leave, or whoever does it is told."""
        if run.asking is not None and run.asking.take_back(command.key):  # it has not left yet
            run.out.discard(command.key)
            return
        # What an earlier owner has sent has gone with it in process; elsewhere a worker may still be at it.
        if command.key in run.out or not self._local:
            if run.lost is None:
                own(run, "stopping")[command.key] = None
            if not self._local:
                wait = grace_of(run.state, command.task) + SLACK
                asyncio.get_running_loop().call_later(wait, self._unheard, run, command.key)
        self.broadcast(command.key)

    def broadcast(self, unwanted: str) -> None:
        """Tell every worker that a dispatch, or all of a run, is not wanted any more; it may be that none hears it."""
        try:
            self._bus.broadcast(Envelope(subject="withdraw", data=Withdrawal(unwanted), source=self._owner))
        except Exception as error:  # noqa: BLE001  # a bus may raise anything: whoever lets a run go must get on
            log.warning("nobody was told that %s is not wanted any more: %s", unwanted, error)

    def _unheard(self, run: HostedRun, key: str) -> None:
        """Go on without the worker of a dispatch that was withdrawn: it has had its grace and said nothing."""
        self._endings.heard(run.state.run_id, key)
        if key in run.stopping:
            problem = "it was withdrawn, and its worker does not say that it has ended"
            with run.or_lost():
                self._take(run, Result(key, kind=FailureKind.CANCELLED, problems=(problem,), runs_on=True))
