"""A dispatch failed: the events that follow, down to a re-plan, a person, or the end."""

from collections.abc import Iterable
from typing import Any, Final

from agentorch.core import events as ev
from agentorch.core.effects import park
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.inbox import Fail
from agentorch.core.ladder import next_step, problem_of
from agentorch.core.reservations import waits_for
from agentorch.core.stamping import Stamp
from agentorch.core.state import ANSWERER, RunState, TaskState

_HOPELESS: Final = frozenset({FailureKind.BUDGET, FailureKind.CANCELLED})
"""Failures that neither another plan nor a person's answer would mend."""


def fail(state: RunState, task: TaskState, failure: Fail, stamp: Stamp) -> list[ev.Event]:
    """Record the failed attempt and what is done about it."""
    name = task.task.id
    failed = stamp(
        ev.AttemptFailed,
        task=name,
        key=failure.key,
        kind=failure.kind,
        problems=failure.problems,
        output=failure.output,
        usage=failure.usage,
        retry_after=failure.retry_after,
        rejected_by=failure.rejected_by,
    )
    return [failed, *remedy(state, task, failure, stamp)]


def remedy(state: RunState, task: TaskState, failure: Fail, stamp: Stamp) -> list[ev.Event]:
    """What is done about a failure, once it is recorded."""
    name = task.task.id
    problem = problem_of(state, task, failure)
    if failure.kind is FailureKind.UNCONFIGURED and not _may_have_acted(state, task, failure):
        return _stop(state, task, problem, stamp)
    if failure.kind is FailureKind.UNKNOWN:
        return [park(task, failure, stamp)]
    # Beside what it has delegated it would come to the same point again, as often as that gives something back.
    repeatable = not (failure.called or task.open_children or state.catalog[task.agent].acts_unseen)
    if failure.kind is FailureKind.BUDGET and repeatable and (narrow := waits_for(state, task)):
        again = _again(task, stamp, "when the budget has room for it")
        return [again, stamp(ev.TaskQueued, task=name, reason=problem.message, account=narrow.task)]
    step = next_step(state, task, failure)
    if step is not None:
        retried = stamp(
            ev.TaskRetried,
            task=name,
            rung=step.rung,
            agent=step.agent,
            model=step.model,
            attempt=step.attempt,
            dispatch=step.dispatch,
            due=step.due,
            repeats=step.repeats,
        )
        return [retried]
    if failure.kind in _HOPELESS:
        return [stamp(ev.TaskFailed, task=name, problem=problem)]
    return give_up(state, task, problem, stamp)


def give_up(state: RunState, task: TaskState, problem: Problem, stamp: Stamp) -> list[ev.Event]:
    """The task's own remedies are used up: a re-plan, or the last remedy."""
    if not _may_replan(state, task):
        return [_last_remedy(state, task, problem, stamp)]
    gave_up = stamp(ev.TaskGaveUp, task=task.task.id, problem=problem)
    if state.replan is not None or not state.complete:
        return [gave_up]  # it joins the re-plan under way, or that which follows the plan
    return [gave_up, stamp(ev.ReplanRequested, number=state.replans + 1, tasks=(task.task.id,))]


def give_up_without_patch(state: RunState, names: Iterable[str], stamp: Stamp) -> list[ev.Event]:
    """What happens to tasks that waited for a patch which does not deal with them."""
    events: list[ev.Event] = []
    for name in names:
        task = state.tasks[name]
        if task.waiting == "replan" and task.problem is not None:
            events.append(_last_remedy(state, task, task.problem, stamp))
    return events


def _may_have_acted(state: RunState, task: TaskState, failure: Fail) -> bool:
    """Whether an effect that may happen once only may have happened: always, but at the first word with a model."""
    card = state.catalog[task.agent]
    first = failure.usage is None or failure.usage.calls <= 1
    return card.acts_unseen and not (card.needs_model and first)


def _stop(state: RunState, task: TaskState, problem: Problem, stamp: Stamp) -> list[ev.Event]:
    """The set-up is wrong: the task keeps its attempt, and the run stands still."""
    again = _again(task, stamp)
    return [again] if state.stopped is not None else [again, stamp(ev.RunStopped, problem=problem)]


def _again(task: TaskState, stamp: Stamp, reason: str = "") -> ev.Event:
    return stamp(
        ev.TaskRetried,
        task=task.task.id,
        rung="redispatch",
        agent=task.agent,
        model=task.ladder.model if task.ladder is not None else 0,
        attempt=task.attempt,
        dispatch=task.dispatch + 1,
        reason=reason,
    )


def _may_replan(state: RunState, task: TaskState) -> bool:
    if state.planner is None or task.caller is not None or task.task.agent == ANSWERER:
        return False
    if task.started and state.catalog[task.agent].acts_unseen:
        return False  # nobody knows what it has done: another agent might do it twice
    return state.replan is not None or state.replans < state.policy.replans


def _last_remedy(state: RunState, task: TaskState, problem: Problem, stamp: Stamp) -> ev.Event:
    """A person, if one is there; else the end."""
    name = task.task.id
    if not state.person or task.caller is not None:
        return stamp(ev.TaskFailed, task=name, problem=problem)
    return stamp(
        ev.RequestOpened,
        task=name,
        request_id=f"failure:{name}:{task.revision}:{task.attempt}",
        kind="failure",
        question=f"'{name}' failed: {problem.message}. Retry it, give an output, or let it fail?",
        answer_schema=_remedies(state.catalog[task.task.agent].output),
    )


def _remedies(output: dict[str, Any]) -> dict[str, Any]:
    """Return what a person may answer: what they put in an output's place is held to its schema."""
    definitions = {"$defs": output["$defs"]} if "$defs" in output else {}
    wanted = {key: value for key, value in output.items() if key != "$defs"}
    given = {"type": "object", "properties": {"output": wanted}, "required": ["output"]}
    return {"anyOf": [{"const": "retry"}, {"const": "fail"}, given], **definitions}
