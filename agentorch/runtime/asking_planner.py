"""Planning and re-planning of a hosted run: the planner is asked, its proposals go to the core, and the rules step in.

1. What the model planner offers while it writes is decided on at once; the first task may run before the plan is whole.
2. A planner that fails hands over to the next one; the last is the rule planner, which needs no model.
3. The planner's own use of a model is charged to the run.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from agentorch.core import inbox
from agentorch.core.card import AgentCard
from agentorch.core.commands import AskPlanner
from agentorch.core.events import Event, PlanRejected, TasksAccepted
from agentorch.core.failures import Code, FailureKind, Problem
from agentorch.core.state import ANSWERER, FINAL, RunState, Status
from agentorch.core.task import Task
from agentorch.core.usage import NOTHING
from agentorch.errors import AgentorchError, ModelError, PlanError
from agentorch.ports.planner import Finished, Planner, PlanReport, PlanRequest, Ruling
from agentorch.runtime.account import PLANNING_FOR
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.supervisor import Supervisor

log = logging.getLogger(__name__)
PREVIEW = 400
"""Characters of an output that a re-planner sees."""


class PlannerDesk:
    """Asks the planners in turn."""

    def __init__(self, planners: Sequence[Planner], cards: Sequence[AgentCard]) -> None:
        self._planners = tuple(planners)
        self._cards = tuple(cards)

    def ask(self, supervisor: Supervisor, run: HostedRun, command: AskPlanner) -> None:
        """Start asking; the answer comes to the run as a message."""
        self._supervisor = supervisor
        if run.planning is not None:
            run.planning.cancel()
        work = self._plan(run) if command.number == 0 else self._patch(run, command)
        run.planning = asyncio.get_running_loop().create_task(work, name="agentorch planner")
        run.planning.add_done_callback(lambda task: self._ended(run, command, task))

    def _ended(self, run: HostedRun, command: AskPlanner, task: "asyncio.Task[None]") -> None:
        """A planner that broke its contract must not leave the run waiting for it."""
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        log.error("a planner of run %s crashed", run.state.run_id, exc_info=error)
        problems = (Problem("plan", f"{type(error).__name__}: {error}", remedy="mend the planner"),)
        failed = inbox.PlanningFailed if command.number == 0 else inbox.PatchFailed
        self._send(run, failed(self._now(), problems, "planners"))

    async def _plan(self, run: HostedRun) -> None:
        PLANNING_FOR.set(run.account)
        request = plan_request(run.state, self._cards)
        problems: list[Problem] = []
        for planner in self._planners:
            try:
                report = await planner.plan(request, offer=self._offer(run, planner))
            except Exception as error:  # noqa: BLE001  # a planner may be anybody's: whatever it raises, the next is asked
                if self._stopped_by(run, error):
                    return
                problems += self._refuse(run, planner, error)
                continue
            self._account_for(run, planner, report)
            events = self._send(run, inbox.Complete(self._now(), report.graph.tasks, report.graph.answer, planner.name))
            rejected = [event for event in events if isinstance(event, PlanRejected)]
            if not rejected:
                return
            problems += rejected[-1].problems
        self._send(run, inbox.PlanningFailed(self._now(), tuple(problems) or (_NO_PLANNER,), "planners"))

    async def _patch(self, run: HostedRun, command: AskPlanner) -> None:
        PLANNING_FOR.set(run.account)
        problems: list[Problem] = []
        for planner in self._planners:
            request = plan_request(run.state, self._cards, failed=command.tasks)
            try:
                report = await planner.patch(request)
            except Exception as error:  # noqa: BLE001  # a planner may be anybody's: whatever it raises, the next is asked
                if self._stopped_by(run, error):
                    return
                problems += self._refuse(run, planner, error)
                continue
            self._account_for(run, planner, report)
            patch = report.patch
            message = inbox.Patched(self._now(), patch.put, patch.drop, patch.answer, planner.name, command.tasks)
            events = self._send(run, message)
            rejected = [event for event in events if isinstance(event, PlanRejected)]
            if not rejected:
                return
            problems += rejected[-1].problems
        self._send(run, inbox.PatchFailed(self._now(), tuple(problems) or (_NO_PLANNER,), "planners"))

    def _offer(self, run: HostedRun, planner: Planner) -> Any:
        def offer(tasks: Sequence[Task]) -> Ruling:
            events = self._send(run, inbox.Propose(self._now(), tuple(tasks), planner.name))
            accepted = tuple(task.id for event in events if isinstance(event, TasksAccepted) for task in event.tasks)
            problems = tuple(p for event in events if isinstance(event, PlanRejected) for p in event.problems)
            return Ruling(accepted, problems)

        return offer

    def _send(self, run: HostedRun, message: inbox.Message) -> list[Event]:
        return self._supervisor.send(run, message)

    def _now(self) -> float:
        return self._supervisor.now()

    def _account_for(self, run: HostedRun, planner: Planner, report: PlanReport) -> None:
        for problems in report.rejected:
            if problems:
                self._send(run, inbox.Reject(self._now(), problems, planner.name))
        if report.notes:
            self._send(run, inbox.Note(self._now(), tuple(report.notes), planner.name))
        if report.usage is not NOTHING:
            self._send(run, inbox.Spend(self._now(), "planning", report.usage))

    def _refuse(self, run: HostedRun, planner: Planner, error: Exception) -> list[Problem]:
        report = getattr(error, "report", None)
        if isinstance(report, PlanReport):
            self._account_for(run, planner, report)
        given = getattr(error, "problems", None)
        problems = list(given) if given else [Problem(_code_of(error), _words(error, planner))]
        self._send(run, inbox.Reject(self._now(), tuple(problems), planner.name))
        return problems

    def _stopped_by(self, run: HostedRun, error: Exception) -> bool:
        """Whether the set-up is at fault: no other planner would help the user more than being told."""
        if not isinstance(error, ModelError) or error.kind is not FailureKind.UNCONFIGURED:
            return False
        problem = Problem(str(FailureKind.UNCONFIGURED), str(error))
        self._send(run, inbox.Stop(self._now(), problem))
        return True


_NO_PLANNER = Problem(Code.EMPTY, "no planner is configured", remedy="give a plan, or leave planner out")


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
        tried={
            name: frozenset((*task.ladder.tried, task.agent))
            for name, task in state.tasks.items()
            if task.ladder is not None
        },
    )


def _finished(state: RunState, name: str) -> Finished:
    task = state.tasks[name]
    done = task.status is Status.SUCCEEDED
    return Finished(
        task.task,
        str(task.status),
        frozen=task.status is Status.RUNNING or done or (task.status in FINAL and not done),
        output=repr(state.outputs.get(name))[:PREVIEW] if done else None,
    )
