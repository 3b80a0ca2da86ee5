"""Starting, adopting and finishing runs on an open engine."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from pydantic_core import to_jsonable_python

from agentorch.core import inbox
from agentorch.core.advance import replay
from agentorch.core.identity import digest
from agentorch.core.state import FINAL, RunState
from agentorch.core.values import may_hold_blobs
from agentorch.errors import (
    FailureKind,
    JournalConflict,
    ModelError,
    PlanError,
    RunKeyError,
    RunNotFoundError,
    RunOwnedError,
)
from agentorch.plans import Plan
from agentorch.ports.journal import Inbox, KnowsOwners
from agentorch.runtime.asking_planner import plan_request
from agentorch.runtime.beginnings import Beginnings
from agentorch.runtime.engine import Engine
from agentorch.runtime.followed import FollowedRun
from agentorch.runtime.forking import catalog_of, fork_of
from agentorch.runtime.hosted import NOBODY, HostedRun
from agentorch.runtime.large import loaded
from agentorch.runtime.leaving_requests import leave_request
from agentorch.runtime.options import StartOptions, checked
from agentorch.runtime.outcome import Outcome, outcome_of
from agentorch.runtime.ownership import Changed, check_team, restarted, wait_for_owner_s_end
from agentorch.runtime.planner_turn import PlannerTurn
from agentorch.runtime.release import release
from agentorch.runtime.run import Run
from agentorch.runtime.views import OnRun, Views

PAGE: Final = 2000
_PARTED: Final = frozenset({dict, list})
"""The values that have parts."""
_TAKEN: Final = "run {run} was just taken up by another process: attach to it"


class Launch:
    """Runs on one engine."""

    def __init__(self, engine: Engine, on_run: OnRun | None = None) -> None:
        self.engine = engine
        self.beginnings = Beginnings(engine)
        self.views = None if on_run is None else Views(on_run)
        """Who watches the runs that begin here; None is nobody."""

    async def plan(self, goal: str, inputs: Mapping[str, Any]) -> Plan:
        """Ask the planners in turn; return the first plan that passes."""
        state = RunState("plan", self.engine.team.catalog)
        state.goal = self.engine.redactor.text(goal)
        state.outputs["inputs"] = self.engine.redactor.value(dict(inputs))
        request = plan_request(state, self.engine.team.cards)
        problems: list[str] = []
        for planner in self.engine.planners:
            try:
                turn = PlannerTurn(planner.name, seconds=self.engine.settings.policy.timeout)
                report = await turn.report(partial(planner.plan, request))
            except Exception as error:  # a planner may be anybody's: whatever it raises, the next is asked
                if isinstance(error, ModelError) and error.kind is FailureKind.UNCONFIGURED:
                    raise
                problems.append(f"{planner.name}: {error}")
                continue
            return Plan.from_graph(report.graph, goal)
        raise PlanError("; ".join(problems))

    @asynccontextmanager
    async def start(self, goal: str | Plan, options: StartOptions, *, detach: bool = False) -> AsyncGenerator[Run]:
        """Start a run; leaving by an exception cancels it, leaving normally waits for it unless it is detached."""
        run, is_ours = await self._begun(goal, options)
        try:
            yield run
        except BaseException:
            if is_ours:
                await run.cancel(reason="its block was left by an exception")
            raise
        if detach:
            return
        try:
            await run.rest()
        except asyncio.CancelledError:
            if is_ours:
                await run.cancel(reason="its caller went away")
            raise

    async def begin(self, goal: str | Plan, options: StartOptions) -> Run:
        """Start a run; it is accepted, and its first event durable, when this returns.

        With a key that has started one already, that run is returned: watched where it is carried out, and taken up
        here when nobody does.
        """
        run, _ = await self._begun(goal, options)
        return run

    async def carry_out(self, goal: str | Plan, options: StartOptions) -> Outcome:
        """Start a run and wait for its end; leaving by an exception cancels it."""
        run, is_ours = await self._begun(goal, options, wait=False)
        try:
            return await run.outcome()
        except asyncio.CancelledError:
            if is_ours:
                await run.cancel(reason="its caller went away")
            raise

    async def _begun(self, goal: str | Plan, options: StartOptions, *, wait: bool = True) -> tuple[Run, bool]:
        """Return the run, and whether it was started by this call; `wait` for its first event to be durable."""
        options = checked(options)
        key = options.get("key")
        if key is None:
            return await self._begun_as(goal, options, None, wait=wait)
        # One at a time: this process must not race itself for a key.
        async with self.engine.keys.setdefault(key, asyncio.Lock()):
            return await self._begun_as(goal, options, key, wait=True)

    async def _begun_as(
        self, goal: str | Plan, options: StartOptions, key: str | None, *, wait: bool
    ) -> tuple[Run, bool]:
        request = None if key is None else _request_digest(goal, options)
        known = None if key is None else await self._of_key(key, request)
        if known is not None:
            return known, False
        supervisor = self.engine.supervisor
        state, message = await self.beginnings.of(goal, options, request)
        if not wait:
            run = supervisor.begin(state, message)
            return self._seen(run), True
        try:
            run = await supervisor.host(state, message)
        except JournalConflict:
            known = await self._of_key(key, request)
            if known is None:
                raise
            return known, False
        supervisor.accept(run)
        return self._seen(run), True

    async def _of_key(self, key: str | None, request: str | None) -> Run | None:
        record = None if key is None else await self.engine.journal.find(key)
        if record is None:
            return None
        if record.request != request:
            raise RunKeyError(f"key {key!r} belongs to run {record.run_id}, which was asked something else")
        if record.run_id in self.engine.supervisor.hosted:
            return await self.attach(record.run_id)
        try:
            return await self.adopt(record.run_id)
        except RunOwnedError:
            return await self.attach(record.run_id)

    async def attach(self, run_id: str) -> Run:
        """Return a run for reading: live when it is carried out here, else as the journal has it and grows."""
        hosted = self.engine.supervisor.hosted.get(run_id)
        return self._run(hosted if hosted is not None else self._followed(await self._replayed(run_id)))

    def _followed(self, state: RunState) -> FollowedRun:
        run = FollowedRun(state, self.engine.journal)
        self.engine.followed.add(run)
        return run

    async def adopt(self, run_id: str, *, changed: Changed = "refuse") -> Run:
        """Take a run over and carry on with what is pending; a finished one is only read.

        `changed` says what is done with agents and templates that have changed since it began.
        """
        guard = self._guard(run_id)
        if guard.locked():
            raise RunOwnedError(f"run {run_id} is just being taken up, or cancelled, by this process")
        async with guard:
            return await self._adopted(run_id, changed)

    def _guard(self, run_id: str) -> asyncio.Lock:
        """Return what keeps this process from taking the run up twice at once."""
        return self.engine.adopting.setdefault(run_id, asyncio.Lock())

    async def _adopted(self, run_id: str, changed: Changed) -> Run:
        supervisor = self.engine.supervisor
        known = supervisor.hosted.get(run_id)
        if known is not None:
            if not known.at_rest:
                raise RunOwnedError(f"run {run_id} is being carried out by this process: attach to it")
            if known.state.running:  # its dispatches wait for a person, alive
                if known.state.stopped is not None:
                    await self._taken(run_id, supervisor.go_on(known))
                return self._run(known)
            supervisor.release(known)
        await supervisor.endings.of(run_id)
        state = await self._left(run_id)
        if state.finished:
            return self._run(self._followed(state))
        check_team(state)
        self.engine.checks.refuse_unknown(state.run_id, tuple(state.checks))
        versions = self.engine.versions
        restart = restarted(state, versions, changed)
        open_tasks = (task.task for task in state.tasks.values() if task.caller is None and task.status not in FINAL)
        self.engine.secrets.check(state.outputs["inputs"], open_tasks)
        left = list(state.pending.values())
        cards = {} if versions == state.cards else versions
        adopt = inbox.Adopt(supervisor.now(), self.engine.owner, cards, restart)
        run = await self._taken(run_id, supervisor.host(state, adopt))
        try:
            await self.engine.requests.take_first(run)
        except BaseException:
            supervisor.give_up(run, "what was asked of it could not be carried out")
            raise
        if run.lost is not None:
            raise run.lost
        if not state.finished:  # it may have been cancelled while nobody carried it out
            with run.or_lost():
                supervisor.accept(run)
                supervisor.recover(run, left)
        return self._seen(run)

    async def fork(self, parent: str, *, at: int, outputs: Mapping[str, Any], effects: bool) -> Run:
        """Begin a run with what another one's journal says up to `at`, and carry it on; see `forking`."""
        message = await fork_of(self.engine, parent, at=at, outputs=outputs, effects=effects, release=release())
        supervisor = self.engine.supervisor
        state = RunState(self.engine.new_run_id(message.at), catalog_of(self.engine, message.events))
        run = await supervisor.host(state, message)
        left = list(state.pending.values())
        if not state.finished:
            with run.or_lost():
                supervisor.accept(run)
                supervisor.recover(run, left)
        return self._seen(run)

    async def _taken(self, run_id: str, taking: Awaitable[HostedRun]) -> HostedRun:
        try:
            return await taking
        except JournalConflict:
            raise RunOwnedError(_TAKEN.format(run=run_id)) from None

    async def cancel(self, run_id: str, *, by: str, reason: str) -> None:
        """Stop a run, whoever carries it out: here, in another process, or nowhere any more."""
        async with self._guard(run_id):
            await self._cancelled(run_id, by, reason)

    async def _cancelled(self, run_id: str, by: str, reason: str) -> None:
        hosted = self.engine.supervisor.hosted.get(run_id)
        if hosted is not None and hosted.lost is None:
            await self._run(hosted).cancel(by=by, reason=reason)
            return
        state = await self._replayed(run_id)
        if state.finished:
            return
        journal, supervisor = self.engine.journal, self.engine.supervisor
        if (
            isinstance(journal, Inbox)
            and isinstance(journal, KnowsOwners)
            and state.owner != supervisor.owner  # else it was lost here, and nobody carries it out
            and journal.is_alive(state.owner)
        ):
            message = inbox.Cancel(supervisor.now(), by, reason)
            await leave_request(journal, run_id, message, redact=supervisor.redact)
            return
        run = await self._taken(run_id, supervisor.host(state, inbox.Adopt(supervisor.now(), self.engine.owner)))
        await self._run(run).cancel(by=by, reason=reason)

    async def _replayed(self, run_id: str) -> RunState:
        state = RunState(run_id, self.engine.team.catalog)
        await self._read_on(state)
        if not state.seq:
            raise RunNotFoundError(f"no run {run_id} in this journal; `agentorch runs` lists them")
        return state

    async def _read_on(self, state: RunState) -> None:
        while events := await self.engine.journal.read(state.run_id, after=state.seq, limit=PAGE):
            replay(state, events)
            if len(events) < PAGE:  # there is no more
                break

    async def _left(self, run_id: str) -> RunState:
        """Return a run as its owner has left it: what it wrote while it was waited for included."""
        state, seen = await self._replayed(run_id), 0
        state.change_catalog(self.engine.team.catalog_under(state.budget))
        owners = {state.owner, NOBODY}
        while state.seq > seen and not state.finished:
            seen = state.seq
            await wait_for_owner_s_end(state, self.engine.journal, us=self.engine.owner)
            await self._read_on(state)
            if state.owner not in owners:
                raise RunOwnedError(_TAKEN.format(run=run_id))
        return state

    def _run(self, hosted: HostedRun) -> Run:
        return Run(hosted, self.engine.supervisor, self._outcome)

    def _seen(self, hosted: HostedRun) -> Run:
        """Return a run that begins here, and show it to whoever watches."""
        run = self._run(hosted)
        if self.views is not None:
            self.views.open(run)
        return run

    async def _outcome(self, run: HostedRun) -> Outcome:
        state = run.state
        if self.views is not None:
            await self.views.ended(state.run_id)
        values = dict(state.outputs)
        for name in ("goal", "inputs"):
            values.pop(name, None)
        for name in [name for name, value in values.items() if type(value) in _PARTED and may_hold_blobs(value)]:
            values[name] = await loaded(values[name], self.engine.blobs)
        return outcome_of(state, self.engine.team.registry, values)


def _request_digest(goal: str | Plan, options: StartOptions) -> str:
    asked = goal.to_dict() if isinstance(goal, Plan) else goal
    return digest([to_jsonable_python(asked), dict(options.get("inputs", {}))])
