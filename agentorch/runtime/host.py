"""What a worker in this process asks of its supervisor: delegation, questions, reports."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Literal

from agentorch.core import inbox
from agentorch.core.effect_keys import known_as, left_over, may_be_another_s
from agentorch.core.effects import new_effect
from agentorch.core.empties import own
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.identity import digest
from agentorch.core.reservations import account_of, remaining
from agentorch.core.state import FINAL, Receipt, Status, TaskState
from agentorch.core.steps import attempt_of
from agentorch.core.usage import Budget, Usage
from agentorch.errors import AgentorchError, BudgetExceeded, PermanentError
from agentorch.ports.journal import Journal, KnowsOwners
from agentorch.runtime.account import Account
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.standing import Standing
from agentorch.runtime.supervisor import Supervisor

_log = logging.getLogger(__name__)
RequestKind = Literal["question", "approval"]


class Host:
    """The supervisor's side of a running dispatch."""

    def __init__(
        self, supervisor: Supervisor, journal: Journal, *, redacted: Callable[[Any], Any] = lambda value: value
    ) -> None:
        self._supervisor = supervisor
        self._journal = journal
        self.redacted = redacted
        """Returns a JSON value as it will be journaled: without secrets."""
        self._flying: dict[str, asyncio.Task[Any]] = {}
        """Calls that are having an effect just now, by idempotency key."""
        self._in_threads: set[str] = set()
        """Those of them that nothing can stop."""
        self._within: dict[str, float] = {}
        """Seconds that each of them has to end in once it is to be stopped."""
        self._closing = False

    def account(self, key: str) -> Account | None:
        """Return the account that a dispatch's model calls are charged to; None where nothing limits them.

        CancelledError when it is not the current one: its work has come again, and nobody would count what it asks.
        """
        run = self._supervisor.scheduler.runs.get(key.split("/", 1)[0])
        task = run.state.of_key(key) if run is not None else None
        if run is None or task is None:
            raise asyncio.CancelledError(f"{key} is no longer carried out")
        return None if account_of(run.state, task) is None else Account(self._supervisor, run, key=key)

    def budget(self, key: str, otherwise: Budget) -> Budget:
        """Return what is left for a dispatch now; `otherwise` when it is no longer carried out."""
        run = self._supervisor.scheduler.runs.get(key.split("/", 1)[0])
        task = run.state.of_key(key) if run is not None else None
        if run is None or task is None:
            return otherwise
        return remaining(run.state, task, self._supervisor.now())

    def spent_late(self, run_id: str, key: str, used: Usage) -> None:
        """Charge the run with a model call that was answered when the dispatch that made it was over."""
        run = self._supervisor.scheduler.runs.get(run_id)
        if run is None:
            _log.warning("%s: a model call was answered after its run had ended: %s", key, used)
        else:
            self._supervisor.send(run, inbox.Spend(self._supervisor.now(), f"left behind by {key}", used))

    def steps_of(self, key: str) -> Mapping[str, Any]:
        """Return what the attempt has finished by now: its work may come again, sent before it did.

        CancelledError when the attempt is over: whoever still works on it works in vain.
        """
        run = self._supervisor.scheduler.runs.get(key.split("/", 1)[0])
        task = attempt_of(run.state, key) if run is not None else None
        if task is None:
            raise asyncio.CancelledError(f"{key} is no longer carried out")
        return task.steps or {}

    async def finish_step(
        self, key: str, step: str, name: str, result: Any, usage: Usage | None, call: str | None = None
    ) -> None:
        """Journal a finished step of the dispatch `key`; it is durable when this returns."""
        run = self._supervisor.scheduler.runs.get(key.split("/", 1)[0])
        if run is None:
            _log.warning("%s: step %s ended after its run", key, self.redacted(name))
            return
        self._supervisor.send(run, inbox.FinishStep(self._supervisor.now(), key, step, name, result, usage, call))
        await run.durable()

    async def durable(self, key: str) -> None:
        """Wait until all that is decided of the run that `key` is of is durable."""
        await self._run(key).durable()

    async def intend(self, key: str, effect: str, tool: str, arguments: str) -> None:
        """Write down that the dispatch `key` is about to have an effect of which nothing is known yet.

        The yes is durable, and given to the current dispatch only: any other is cancelled.
        """
        run = self._run(key)
        if self._closing:
            await asyncio.get_running_loop().create_future()  # nothing is begun: until `close` ends it
        if run.state.no_new_effects:
            problem = new_effect(run.state, key.split("/")[1], f"tool '{tool}'")
            raise PermanentError(f"{problem.message}: {problem.remedy}")
        if not self._supervisor.send(run, inbox.Intend(self._supervisor.now(), key, effect, tool, arguments)):
            raise asyncio.CancelledError(f"{key} is no longer carried out")
        await run.durable()
        if run.lost is not None or key not in run.state.pending:
            await self.void(key, effect, "withdrawal")
            raise asyncio.CancelledError(f"{key} is no longer carried out")

    async def confirm(self, key: str, effect: str, result: Any, by: str) -> None:
        """Keep the receipt of an effect of the run that `key` is of; it is durable when this returns."""
        await self._settle(key, effect, inbox.Confirm(self._supervisor.now(), effect, result, by))

    async def void(self, key: str, effect: str, by: str) -> None:
        """Forget the intent of an effect that has certainly not happened."""
        await self._settle(key, effect, inbox.Void(self._supervisor.now(), effect, by))

    async def _settle(self, key: str, effect: str, message: inbox.Confirm | inbox.Void) -> None:
        run = self._supervisor.scheduler.runs.get(key.split("/", 1)[0])
        if run is None or run.lost is not None:
            _log.warning("%s: what became of it was known when its run was not carried out here any more", effect)
            return
        self._supervisor.send(run, message)
        await run.durable()

    def receipt(self, key: str, effect: str) -> Receipt | None:
        """Return what the run that `key` is of knows of an effect."""
        return self._run(key).state.receipts.get(effect)

    def is_known(self, key: str, effect: str) -> bool:
        """Whether a call has happened, or may have."""
        receipt = self.receipt(key, effect)
        return receipt is not None and not receipt.void

    def known_as(self, key: str, own: str) -> str:
        """Return the key of an effect for the dispatch `key`: in a fork that of the run in which it happened."""
        return known_as(self._run(key).state, own)

    def left_over(self, key: str, tool: str, among: list[str] | None, taken: AbstractSet[str]) -> list[str]:
        """Return the effects of earlier attempts that may be what the dispatch `key` is about to do in other words.

        `among` are those that were left when it asked before; `taken` are the keys of the calls that it has made.
        """
        state = self._run(key).state
        effects = left_over(state, key, tool) if among is None else among
        return [effect for effect in effects if may_be_another_s(state, key, effect, taken)]

    def may_go_on(self, key: str, effect: str) -> bool:
        """Whether another process that began the effect may still be having it: it stands still, but lives."""
        receipt = self.receipt(key, effect)
        owner = receipt.owner if receipt is not None else ""
        if owner == self._supervisor.owner or not isinstance(self._journal, KnowsOwners):
            return False
        return self._journal.beat(owner) is not None

    def flying(self, effect: str) -> "asyncio.Task[Any] | None":
        """Return the call that is having the effect just now."""
        return self._flying.get(effect)

    def fly(self, key: str, effect: str, calling: "asyncio.Task[Any]", *, within: float, in_thread: bool) -> None:
        """Take note of a call that is having an effect; its run is kept until it ends.

        It has `within` seconds to end in, once it is to be stopped.
        """
        self._flying[effect] = calling
        self._within[effect] = within
        if in_thread:
            self._in_threads.add(effect)
        run = self._run(key)
        run.flying += 1
        calling.add_done_callback(lambda _: self._landed(effect, run, calling))

    def _landed(self, effect: str, run: HostedRun, calling: "asyncio.Task[Any]") -> None:
        del self._flying[effect], self._within[effect]
        self._in_threads.discard(effect)
        if not calling.cancelled():
            calling.exception()  # whoever waits has it; nobody may be left who does
        run.flying -= 1
        self._supervisor.landed(run)

    async def land(self) -> None:
        """Begin no effect any more, and wait for the calls that have one, each for as long as when it is stopped."""
        self._closing = True
        waits = [asyncio.wait({calling}, timeout=self._within[effect]) for effect, calling in self._flying.items()]
        await asyncio.gather(*waits)

    def close(self) -> bool:
        """End the calls that still have effects: what became of them stays open.

        Returns whether one may go on: it runs in a thread.
        """
        goes_on = bool(self._in_threads)
        for calling in self._flying.values():
            calling.cancel()
        return goes_on

    async def delegate(
        self, key: str, name: str, agent: str, inputs: Mapping[str, Any], waits: Callable[[bool], None]
    ) -> Any:
        """Run `agent` as the task `name` under the dispatch `key`; return its output, which is durable then.

        `waits` is told whether the call stands still: with what it has called, or for a slot to go on in.
        """
        run = self._run(key)
        if agent not in run.state.catalog:
            known = ", ".join(sorted(run.state.catalog))
            raise PermanentError(f"context.call: no agent named '{agent}'; this team has {known}")
        supervisor = self._supervisor
        supervisor.send(run, inbox.Delegate(supervisor.now(), key, name, agent, inputs))
        if name not in run.state.tasks:
            raise asyncio.CancelledError(f"{key} is no longer carried out")
        standing = self._standing(run)
        standing.follow(name, waits)
        try:
            child = await self._ended(run, name)
            waits(True)
            await self._slot(run, key)
        finally:
            standing.leave(name, waits)
        if child is None:
            raise PermanentError(f"'{agent}' was taken out by a new plan")
        if child.status is not Status.SUCCEEDED:
            raise _failure_of(child)
        output = run.state.outputs[name]
        await run.durable()
        return output

    async def _ended(self, run: HostedRun, name: str) -> TaskState | None:
        """Return a delegated task when it is final; None when a new plan has taken it out."""
        while (child := run.state.tasks.get(name)) is not None and child.status not in FINAL:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            own(run, "calls").setdefault(name, []).append(waiter)
            await waiter
        return child

    async def ask(
        self, key: str, question: str, answer_schema: dict[str, Any], *, identity: str, kind: RequestKind = "question"
    ) -> Any:
        """Ask a person; return the answer, which is durable then, also one that was given before a crash.

        `identity` is the step that asks: another one asks anew, even in the same words.
        """
        run = self._run(key)
        request_id = _request_id(key, kind, identity)
        if request_id not in run.state.answers:
            waiter = run.questions.get(request_id)
            if waiter is None:
                waiter = own(run, "questions")[request_id] = asyncio.get_running_loop().create_future()
            now = self._supervisor.now()
            self._supervisor.send(run, inbox.Ask(now, key, request_id, question, answer_schema, kind))
            await asyncio.shield(waiter)
            await self._slot(run, key)
        await run.durable()
        return run.state.answers[request_id]

    def has_asked(self, key: str, identity: str) -> bool:
        """Whether the attempt of the dispatch `key` has asked a person, as `identity`, to approve a call."""
        state, request_id = self._run(key).state, _request_id(key, "approval", identity)
        return request_id in state.answers or request_id in state.requests

    async def _slot(self, run: HostedRun, key: str) -> None:
        """Wait until a dispatch that has waited may go on: the slot that it gave away may be another's by now."""
        task = run.state.of_key(key)
        if task is not None:
            await self._supervisor.scheduler.back(run, key, task.agent)

    def turned(self, key: str, *, still: bool) -> None:
        """Take note that the clock of a dispatch may have begun to stand still, or to go on."""
        run = self._supervisor.scheduler.runs.get(key.split("/", 1)[0])
        if run is not None:
            self._standing(run).turn(key, still=still)

    def _standing(self, run: HostedRun) -> Standing:
        if run.standing is None:
            run.standing = Standing(
                run.state, lambda message: self._supervisor.send(run, message), self._supervisor.now
            )
        return run.standing

    def report(self, key: str, text: str) -> None:
        """Journal a line of progress."""
        run = self._run(key)
        self._supervisor.send(run, inbox.Report(self._supervisor.now(), key, text))

    def trimmed(self, key: str, name: str, *, tokens: int, kept: int, blob: str) -> None:
        """Journal that an input was shown as a preview."""
        run = self._run(key)
        self._supervisor.send(run, inbox.Trim(self._supervisor.now(), key, name, tokens, kept, blob))

    def _run(self, key: str) -> HostedRun:
        run = self._supervisor.scheduler.runs.get(key.split("/", 1)[0])
        if run is None:
            raise AgentorchError(f"{key} is not carried out here any more")
        return run


def _request_id(key: str, kind: RequestKind, identity: str) -> str:
    return f"{kind}:{':'.join(key.split('/')[1:4])}:{digest(identity)[:16]}"


def _failure_of(child: TaskState) -> PermanentError:
    problem = child.problem or Problem(str(child.status), f"the task was {child.status}")
    kind = BudgetExceeded if problem.code == FailureKind.BUDGET else PermanentError
    return kind(f"'{child.task.agent}' failed: {problem.message}")
