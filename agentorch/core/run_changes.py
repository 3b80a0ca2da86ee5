"""What an event about the run as a whole does to the state: a part of `apply`, under the same rules."""

from typing import assert_never

from agentorch.core import events as ev
from agentorch.core.accounts import Account
from agentorch.core.charging import usage_added
from agentorch.core.commands import AskPlanner, Command
from agentorch.core.crosschecks import look_up
from agentorch.core.forking import apply_fork
from agentorch.core.joins import want
from agentorch.core.patching import apply_patch
from agentorch.core.rejecting import apply_check
from agentorch.core.state import CrossCheckState, Replan, RunState

RunEvent = (
    ev.RunStarted
    | ev.RunAdopted
    | ev.RunForked
    | ev.PlanCompleted
    | ev.ReplanRequested
    | ev.PlanPatched
    | ev.CheckStarted
    | ev.CheckEnded
    | ev.ReplanFailed
    | ev.RunStopped
    | ev.RunAborted
    | ev.RunCancelling
    | ev.UsageAdded
    | ev.RunFinished
    | ev.CallAbandoned
)
"""What happens to the run as a whole."""


def apply_to_run(state: RunState, event: RunEvent) -> None:  # noqa: C901, PLR0912  # a table
    """Bring the run as a whole to just after `event`."""
    match event:
        case ev.RunStarted():
            _run_started(state, event)
        case ev.UsageAdded():
            usage_added(state, event)
        case ev.RunAdopted():
            state.owner = event.owner
            state.cards = event.cards or state.cards
            state.stopped = None
            state.status = phase(state)
        case ev.RunForked():
            apply_fork(state, event)
            state.status = phase(state)
        case ev.PlanCompleted():
            _plan_completed(state, event)
        case ev.ReplanRequested():
            _replan_requested(state, event)
        case ev.PlanPatched():
            _replan_ended(state)
            apply_patch(state, event)
        case ev.CheckStarted() | ev.CheckEnded():
            apply_check(state, event)
        case ev.ReplanFailed():
            _replan_ended(state)
        case ev.RunStopped():
            state.stopped = event.problem
            state.status = phase(state)
        case ev.RunAborted():
            if not state.aborted:  # else its last words took too long
                state.problems.append(event.problem)
            state.aborted, state.last_words = True, False
            state.pending.pop("plan", None)
            state.replan = None
        case ev.RunCancelling():
            state.cancelling = event.reason or event.by
            state.pending.pop("plan", None)
            state.replan = None
        case ev.RunFinished():
            state.status = event.status
            state.finished = True
            state.problems = list(event.problems)
            state.replan = None
            state.pending.clear()
            state.requests.clear()  # a plan that was to be signed: nobody is asked any more
        case ev.CallAbandoned():
            state.problems.append(event.problem)
        case _:
            assert_never(event)


def phase(state: RunState) -> str:
    """Return the status of a run that has not finished."""
    if state.stopped is not None:
        return "stopped"
    if state.replan is not None:
        return "replanning"
    if state.closing:
        return "answering"
    return "running" if state.complete else "planning"


def _replan_ended(state: RunState) -> None:
    state.pending.pop("plan", None)
    state.replan = None
    state.status = phase(state)


def _gain(state: RunState, name: str, command: Command) -> None:
    state.pending[name] = command
    state.gained.append(command)


def _run_started(state: RunState, event: ev.RunStarted) -> None:
    state.goal = event.goal
    state.outputs["goal"] = event.goal
    state.outputs["inputs"] = event.inputs
    state.policy = event.policy
    state.budget = event.budget
    if event.budget.limits_models:
        state.account = Account(event.budget)
    state.planner = event.planner
    state.person = event.person
    state.priority = event.priority
    state.tags = event.tags
    state.owner = event.owner
    state.cards = event.cards
    state.checks = {check.name: CrossCheckState(check) for check in event.checks}
    state.started = event.at
    state.unsigned = event.policy.approval == "plan"
    if event.planner is not None:
        _gain(state, "plan", AskPlanner(0))


def _plan_completed(state: RunState, event: ev.PlanCompleted) -> None:
    asked = state.pending.pop("plan", None)
    if asked in state.gained:  # a plan that came with its goal is not asked for
        state.gained.remove(asked)
    state.closing = state.closing or event.source == "closing"
    state.last_words = state.aborted
    state.complete = True
    state.status = phase(state)
    state.answer = event.answer
    state.room = True  # what was kept for an answer that is not to be written
    state.problems.extend(event.problems)
    want(state, state.answer_root)
    look_up(state)


def _replan_requested(state: RunState, event: ev.ReplanRequested) -> None:
    state.replans = event.number
    state.replan = Replan(event.number, list(event.tasks), event.tasks, event.again)
    state.status = phase(state)
    _gain(state, "plan", AskPlanner(event.number, event.tasks))
