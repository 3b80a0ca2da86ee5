"""Planning and re-planning of a hosted run: the planner is asked, its proposals go to the core, and the rules step in.

1. What the model planner offers while it writes is decided on at once; the first task may run before the plan is whole.
2. A planner that fails, returns what is no report, or says nothing for too long hands over to the next one; the last is
   the rule planner, which needs no model.
3. The planner's own use of a model is charged to the run.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from agentorch.core import inbox
from agentorch.core.card import AgentCard
from agentorch.core.commands import AskPlanner
from agentorch.core.completing import plan_problems
from agentorch.core.events import Event, PlanRejected, TasksAccepted
from agentorch.core.failures import Code, FailureKind, Problem
from agentorch.core.patching import check_patch
from agentorch.core.state import ANSWERER, FINAL, RunState, Status
from agentorch.core.task import Graph, Task
from agentorch.core.usage import NOTHING, Usage
from agentorch.errors import AgentorchError, ModelError, PlanError
from agentorch.models import CALLER, WAITING, Caller
from agentorch.planning.report_form import report_problems, task_problems
from agentorch.ports.blobs import Blobs
from agentorch.ports.planner import Finished, Note, Offer, Patch, Planner, PlanReport, PlanRequest, Ruling
from agentorch.runtime.account import PLANNING_FOR, Account
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.large import loaded
from agentorch.runtime.named_secrets import without_names
from agentorch.runtime.planner_turn import PlannerTurn
from agentorch.runtime.scheduler import behind
from agentorch.runtime.supervisor import Supervisor

log = logging.getLogger(__name__)
PREVIEW = 400
"""Characters of an output that a re-planner sees."""


class PlannerDesk:
    """Asks the planners in turn."""

    def __init__(self, planners: Sequence[Planner], cards: Sequence[AgentCard], blobs: Blobs) -> None:
        self._planners = tuple(planners)
        self._cards = tuple(cards)
        self._blobs = blobs

    def ask(self, supervisor: Supervisor, run: HostedRun, command: AskPlanner) -> None:
        """Start asking; the answer comes to the run as a message."""
        self._supervisor = supervisor
        if run.planning is not None:
            run.planning.cancel()
        work = self._ask_in_turn(run, command)
        run.planning = asyncio.get_running_loop().create_task(work, name="agentorch planners")
        run.planning.add_done_callback(lambda task: self._ended(run, command, task))

    def _ended(self, run: HostedRun, command: AskPlanner, task: "asyncio.Task[None]") -> None:
        """Whatever goes wrong here must not leave the run waiting for a plan."""
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        log.error("the planners of run %s cannot be asked", run.state.run_id, exc_info=error)
        problems = (Problem("plan", f"{type(error).__name__}: {error}", remedy="mend the planner"),)
        failed = inbox.PlanningFailed if command.number == 0 else inbox.PatchFailed
        with run.or_lost():
            self._send(run, failed(self._now(), problems, "planners"))

    async def _ask_in_turn(self, run: HostedRun, command: AskPlanner) -> None:
        """Ask each planner until one brings what the core takes."""
        problems: list[Problem] = []
        for planner in self._planners:
            turn = PlannerTurn(planner.name, seconds=run.state.policy.timeout)
            account = Account(self._supervisor, run, heard=turn.alive)
            PLANNING_FOR.set(account)
            WAITING.set(self._waiting(run, planner, turn))
            CALLER.set(Caller(planner.name, behind(run.state.priority)))
            try:
                message = await self._proposal(run, planner, turn, command)
                events = self._send(run, message)
            except Exception as error:  # noqa: BLE001  # a planner may be anybody's: whatever comes of it, the next is asked
                if self._stopped_by(run, error):
                    return
                problems += self._refuse(run, planner, error, account.untold)
                continue
            rejected = [event for event in events if isinstance(event, PlanRejected)]
            if not rejected:
                return
            problems += rejected[-1].problems
        failed = inbox.PlanningFailed if command.number == 0 else inbox.PatchFailed
        self._send(run, failed(self._now(), tuple(problems) or (_NO_PLANNER,), "planners"))

    async def _proposal(
        self, run: HostedRun, planner: Planner, turn: PlannerTurn, command: AskPlanner
    ) -> inbox.Complete | inbox.Patched:
        """Return what a planner proposes, once it has said all; what it says on the way is journaled at once."""
        request = plan_request(run.state, self._cards, failed=command.tasks if command.number else ())
        inputs = await loaded(request.inputs, self._blobs)
        request = replace(
            request,
            inputs=inputs,
            note=self._noting(run, planner, turn),
            check=partial(_refused_by, run.state, inputs),
        )
        if command.number:
            report = await turn.report(partial(planner.patch, request))
            self._account_for(run, planner, report)
            patch = report.patch
            put, drop = tuple(patch.put), tuple(patch.drop)
            return inbox.Patched(self._now(), put, drop, patch.answer, planner.name, command.tasks, inputs)
        accepted: dict[str, Task] = {}
        offer = self._offer(run, planner, turn, accepted, inputs)
        report = await turn.report(partial(planner.plan, request, offer=offer))
        self._account_for(run, planner, report)
        named = {task.id for task in report.graph.tasks}
        offered = (task for task in accepted.values() if task.id not in named)  # part of its plan, said or not
        return inbox.Complete(self._now(), (*offered, *report.graph.tasks), report.graph.answer, planner.name, inputs)

    def _offer(
        self,
        run: HostedRun,
        planner: Planner,
        turn: PlannerTurn,
        accepted: dict[str, Task],
        inputs: Mapping[str, Any],
    ) -> Offer:
        def offer(tasks: Sequence[Task]) -> Ruling:
            problems = (_OVER,) if turn.over else task_problems(tasks)
            if problems:
                return Ruling((), problems)
            events = self._send(run, inbox.Propose(self._now(), tuple(tasks), planner.name, inputs))
            taken = {task.id: task for event in events if isinstance(event, TasksAccepted) for task in event.tasks}
            if taken:
                turn.alive()
                accepted.update(taken)
            problems = tuple(p for event in events if isinstance(event, PlanRejected) for p in event.problems)
            return Ruling(tuple(taken), problems)

        return offer

    def _noting(self, run: HostedRun, planner: Planner, turn: PlannerTurn) -> Note:
        def note(line: str) -> None:
            if not turn.over:
                self._send(run, inbox.Note(self._now(), (str(line),), planner.name))

        return note

    def _waiting(self, run: HostedRun, planner: Planner, turn: PlannerTurn) -> Callable[[bool], None]:
        note = self._noting(run, planner, turn)

        def waiting(begins: bool) -> None:
            if begins:
                note("waits for its turn at the model: the provider's rate limit, or other calls")

        return waiting

    def _send(self, run: HostedRun, message: inbox.Message) -> list[Event]:
        return self._supervisor.send(run, without_names(message))

    def _now(self) -> float:
        return self._supervisor.now()

    def _account_for(self, run: HostedRun, planner: Planner, report: PlanReport) -> None:
        for problems in report.rejected:
            if problems:
                self._send(run, inbox.Reject(self._now(), problems, planner.name))
        if report.notes:
            self._send(run, inbox.Note(self._now(), tuple(report.notes), planner.name))
        account = PLANNING_FOR.get()
        if account is None or account.told == NOTHING:  # else each call was charged when it ended
            self._charge(run, report.usage)

    def _charge(self, run: HostedRun, usage: Usage) -> None:
        if usage != NOTHING:
            self._send(run, inbox.Spend(self._now(), "planning", usage))

    def _refuse(self, run: HostedRun, planner: Planner, error: Exception, used: Usage) -> list[Problem]:
        """Journal why a planner brought nothing, each reason once, and what it `used` if it does not say so itself."""
        report: Any = getattr(error, "report", None)
        told: tuple[Problem, ...] = ()
        if not report_problems(report):
            self._account_for(run, planner, report)
            told = report.rejected[-1] if report.rejected else ()
        else:
            self._charge(run, used)
        problems = _problems_in(error) or (Problem(_code_of(error), _words(error, planner)),)
        if problems != told:
            self._send(run, inbox.Reject(self._now(), problems, planner.name))
        return list(problems)

    def _stopped_by(self, run: HostedRun, error: Exception) -> bool:
        """Whether the set-up is at fault: no other planner would help the user more than being told."""
        if not isinstance(error, ModelError) or error.kind is not FailureKind.UNCONFIGURED:
            return False
        problem = Problem(str(FailureKind.UNCONFIGURED), str(error))
        self._send(run, inbox.Stop(self._now(), problem))
        return True


_NO_PLANNER = Problem(Code.EMPTY, "no planner is configured", remedy="give a plan, or leave planner out")
_OVER = Problem("plan", "the planner's turn is over", remedy="offer tasks before plan() ends")


def _problems_in(error: Exception) -> tuple[Problem, ...]:
    given: Any = getattr(error, "problems", ())
    is_told = isinstance(given, list | tuple) and all(isinstance(one, Problem) for one in cast("list[Any]", given))
    return tuple(cast("Sequence[Problem]", given)) if is_told else ()


def _refused_by(state: RunState, inputs: Mapping[str, Any], proposal: Graph | Patch) -> tuple[Problem, ...]:
    if isinstance(proposal, Graph):
        return plan_problems(state, proposal.tasks, proposal.answer, inputs=inputs)
    return check_patch(state, proposal.put, proposal.drop, proposal.answer, inputs=inputs)[1]


def _words(error: Exception, planner: Planner) -> str:
    if isinstance(error, AgentorchError | ValueError):
        return str(error)
    log.error("planner %s crashed", planner.name, exc_info=error)
    return f"planner {planner.name!r} crashed: {type(error).__name__}: {error}"


def _code_of(error: Exception) -> str:
    if isinstance(error, ModelError):
        return str(error.kind)
    return "plan" if isinstance(error, PlanError) else Code.SYNTAX


def plan_request(state: RunState, cards: Sequence[AgentCard], *, failed: Sequence[str] = ()) -> PlanRequest:
    """Say what is to be planned, or mended, as the run stands now."""
    problems = [state.tasks[name].problem for name in failed if name in state.tasks]
    return PlanRequest(
        goal=state.goal,
        cards=tuple(sorted((card for card in cards if card.name != ANSWERER), key=lambda card: card.name)),
        inputs=state.outputs.get("inputs", {}),
        max_tasks=state.policy.max_tasks,
        tasks=tuple(_finished(state, name) for name, task in state.tasks.items() if task.caller is None),
        failed=tuple(problem for problem in problems if problem is not None),
        tried=_tried(state),
    )


def _tried(state: RunState) -> dict[str, frozenset[str]]:
    """Return who has failed at each task of the plan, before the patches that it went through too."""
    tried: dict[str, set[str]] = {}
    for task in (*(task for _, task in state.retired), *state.tasks.values()):
        if task.ladder is not None and task.task.id in state.tasks:
            tried.setdefault(task.task.id, set()).update((*task.ladder.tried, task.agent))
    return {name: frozenset(agents) for name, agents in tried.items()}


def _finished(state: RunState, name: str) -> Finished:
    task = state.tasks[name]
    done = task.status is Status.SUCCEEDED
    return Finished(
        task.task,
        str(task.status),
        frozen=task.status is Status.RUNNING or done or (task.status in FINAL and not done),
        output=repr(state.outputs.get(name))[:PREVIEW] if done else None,
    )
