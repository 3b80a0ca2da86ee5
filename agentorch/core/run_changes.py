"""What an event about the run as a whole does to the state: a part of `apply`, under the same rules."""

from collections.abc import Callable, Mapping
from typing import Any, Final

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
    state.outputs["inputs"] = dict(event.inputs)  # an agent that is given them may change them
    state.policy = event.policy
    state.budget = event.budget
    state.clocked = event.budget.max_seconds is not None
    state.defaults.clear()
    if event.budget.limits_models:
        state.account = Account(event.budget)
    state.planner = event.planner
    state.person = event.person
    state.priority = event.priority
    state.tags = event.tags
    state.owner = event.owner
    state.cards = event.cards
    if event.checks:
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
    state.problems += event.problems
    want(state, state.answer_root)
    look_up(state)


def _replan_requested(state: RunState, event: ev.ReplanRequested) -> None:
    state.replans = event.number
    state.replan = Replan(event.number, list(event.tasks), event.tasks, event.again)
    state.status = phase(state)
    _gain(state, "plan", AskPlanner(event.number, event.tasks))


def _run_adopted(state: RunState, event: ev.RunAdopted) -> None:
    state.owner = event.owner
    state.cards = event.cards or state.cards
    state.stopped = None
    state.status = phase(state)


def _run_forked(state: RunState, event: ev.RunForked) -> None:
    apply_fork(state, event)
    state.status = phase(state)


def _plan_patched(state: RunState, event: ev.PlanPatched) -> None:
    _replan_ended(state)
    apply_patch(state, event)


def _replan_failed(state: RunState, _event: ev.ReplanFailed) -> None:
    _replan_ended(state)


def _run_stopped(state: RunState, event: ev.RunStopped) -> None:
    state.stopped = event.problem
    state.status = phase(state)


def _run_aborted(state: RunState, event: ev.RunAborted) -> None:
    if not state.aborted:  # else its last words took too long
        state.problems += (event.problem,)
    state.aborted, state.last_words = True, False
    state.pending.pop("plan", None)
    state.replan = None


def _run_cancelling(state: RunState, event: ev.RunCancelling) -> None:
    state.cancelling = event.reason or event.by
    state.pending.pop("plan", None)
    state.replan = None


def _run_finished(state: RunState, event: ev.RunFinished) -> None:
    state.status = event.status
    state.finished = True
    state.problems = event.problems
    state.replan = None
    state.pending.clear()
    state.requests.clear()  # a plan that was to be signed: nobody is asked any more


def _call_abandoned(state: RunState, event: ev.CallAbandoned) -> None:
    state.problems += (event.problem,)


OF_THE_RUN: Final[Mapping[type[ev.Event], Callable[[RunState, Any], None]]] = {
    ev.RunStarted: _run_started,
    ev.RunAdopted: _run_adopted,
    ev.RunForked: _run_forked,
    ev.RunStopped: _run_stopped,
    ev.RunAborted: _run_aborted,
    ev.RunCancelling: _run_cancelling,
    ev.RunFinished: _run_finished,
    ev.PlanCompleted: _plan_completed,
    ev.PlanPatched: _plan_patched,
    ev.ReplanRequested: _replan_requested,
    ev.ReplanFailed: _replan_failed,
    ev.CheckStarted: apply_check,
    ev.CheckEnded: apply_check,
    ev.UsageAdded: usage_added,
    ev.CallAbandoned: _call_abandoned,
}
"""What each event about the run as a whole does to it."""
