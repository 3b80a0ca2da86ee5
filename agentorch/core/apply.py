"""What an event does to the state.

1. For a given event type and version this never changes: the journals of every release must replay.
2. Only counting consequences are derived here (counters, ready, skips); every choice is an event of its own.
3. The cost is O(the task's own edges), but for a patch, which may cost O(plan).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from agentorch.core import events as ev
from agentorch.core.charging import charge, charge_step, learn, model_called, outcome_late, set_aside
from agentorch.core.children import drop_steps, follow
from agentorch.core.commands import Deliver, Dispatch, SetTimer, Withdraw
from agentorch.core.effects import apply_done, apply_intended, apply_voided
from agentorch.core.empties import own
from agentorch.core.failures import FailureKind
from agentorch.core.history import leave_dispatch
from agentorch.core.identity import digest
from agentorch.core.joins import admit_or_skip, count_needs, drop_requests, go_on, leave_running, settle, wait_for
from agentorch.core.requests import request_answered, request_opened
from agentorch.core.reservations import chain
from agentorch.core.run_changes import OF_THE_RUN, phase
from agentorch.core.running_time import count_time
from agentorch.core.scheduling import call_up, make_ready, queue, unready
from agentorch.core.special import Ladder
from agentorch.core.state import (
    NONE_ENDED,
    PENDING,
    READY,
    RUNNING,
    SUCCEEDED,
    RunState,
    Status,
    TaskState,
)
from agentorch.core.task import UNSET
from agentorch.core.task_time import turn_clocks

_INTERRUPTIONS: Final = frozenset({FailureKind.TRANSIENT, FailureKind.UNCONFIGURED})
"""Failures that say nothing of the output that a repair is about."""


def apply(state: RunState, event: ev.Event) -> None:
    """Bring `state` from just before `event` to just after it."""
    seq = event.seq
    if seq != state.seq + 1:
        raise ValueError(f"run {state.run_id}: event {seq} cannot follow {state.seq}")
    state.seq = seq
    if state.clocked:
        count_time(state, event)
    state.updated = event.at
    CHANGES[type(event)](state, event)
    if state.queued and state.room and state.called_up is None:
        call_up(state)
    if state.timed and event.task is not None:
        turn_clocks(state, event.task)


def _told(_state: RunState, _event: ev.Event) -> None:
    """Something was said that changes nothing."""


def _tasks_accepted(state: RunState, event: ev.TasksAccepted) -> None:
    state.open += len(event.tasks)
    state.ranks_stale = True
    first = state.enter(len(event.tasks))
    if state.tasks:
        _enter_more(state, event, first)
    else:
        _enter_first(state, event, first)
    state.status = phase(state)


def _enter_first(state: RunState, event: ev.TasksAccepted, first: int) -> None:
    """Enter the first tasks of a run: whatever they need is among them, and open."""
    dependents, usual = event.dependents, state.policy.join
    for order, task in enumerate(event.tasks, first):
        join = usual if task.policy is UNSET else state.settings_of(task).join
        entered = TaskState(task, state.revision, order, task.agent)
        state.tasks[task.id] = entered
        entered.join, entered.open, entered.dependents = join, len(task.needs), dependents.get(task.id)
        if not task.needs or join != "all":  # else it waits, as nearly all do
            admit_or_skip(state, entered)


def _enter_more(state: RunState, event: ev.TasksAccepted, first: int) -> None:
    for order, task in enumerate(event.tasks, first):
        state.tasks[task.id] = entered = TaskState(task, state.revision, order, task.agent)
        count_needs(state, entered)
        admit_or_skip(state, entered)


def _task_started(state: RunState, event: ev.TaskStarted) -> None:
    name = event.task
    task = state.tasks[name]
    if task.status is READY and state.called_up is None:
        state.ready_count -= 1  # as `unready` does; nearly all come this way
    else:
        unready(state, task)
    task.status = RUNNING
    task.waiting = None
    task.due = None
    task.inputs = event.inputs
    task.started = event.at
    if task.special is not None:
        task.memo = None
        ladder = task.ladder
        if ladder is not None and (task.dispatch == 1 or ladder.kind == FailureKind.UNCONFIGURED):
            ladder.since = event.at  # the time for which a run stood still is nobody's failure
    called = task.special is not None and task.caller is not None
    if called or state.account is not None or task.task.budget is not None:
        set_aside(state, task, event)
    state.running += 1
    agent = task.agent
    state.running_by_agent[agent] = state.running_by_agent.get(agent, 0) + 1
    state.moved[agent] = None
    key = event.key
    state.pending[key] = dispatch = Dispatch(key, name)
    state.gained.append(dispatch)


def _task_succeeded(state: RunState, event: ev.TaskSucceeded) -> None:
    name = event.task
    task = state.tasks[name]
    if event.usage is not None:
        charge(state, task, event.usage)
    if task.status is RUNNING:
        if task.special is not None and task.account is not None:
            learn(state, task)
        leave_running(state, task, event.key)
        agent = task.agent
        count, total = state.means.get(agent, NONE_ENDED)
        state.means[agent] = (count + 1, total + event.at - task.started)
    if event.sources:
        task.sources = event.sources
    state.outputs[name] = event.output
    settle(state, task, SUCCEEDED)
    if task.special is not None:
        _deliver(state, task)


def _task_kept(state: RunState, event: ev.TaskKept) -> None:
    task = state.tasks[event.task]
    memo, task.memo = task.memo, None
    assert memo is not None
    state.outputs[event.task] = memo.output
    task.inputs = event.inputs
    task.sources = memo.sources
    settle(state, task, SUCCEEDED)


def _attempt_failed(state: RunState, event: ev.AttemptFailed) -> None:
    task = state.tasks[event.task]
    charge(state, task, event.usage)
    leave_dispatch(task, event.at, event.kind.value)
    leave_running(state, task, event.key)
    if task.ladder is None:
        task.climb(Ladder(task.task.agent, since=task.started))
    ladder = task.ladder
    assert ladder is not None
    ladder.kind = event.kind
    if ladder.mode == "fresh" or event.kind not in _INTERRUPTIONS:
        ladder.problems = event.problems
        ladder.output = event.output
    if event.kind == FailureKind.INVALID and event.output is not None:
        ladder.seen.setdefault(digest([event.output, event.problems]), task.attempt)
    if event.usage is None:
        own(state, "unsettled")[event.key] = None
    task.status = PENDING  # until the next event of the same append says what follows


def _step_finished(state: RunState, event: ev.StepFinished) -> None:
    task = state.tasks[event.task]
    if task.steps is None:
        task.steps = {}
    task.steps[event.step] = event.result
    charge_step(state, task, event)


def _task_retried(state: RunState, event: ev.TaskRetried) -> None:
    task = state.tasks[event.task]
    unready(state, task)
    ladder = task.ladder or Ladder(task.task.agent)
    if event.agent != ladder.agent:
        task.approved = False  # a person has agreed to the one, not to the other
        tried = (*ladder.tried, ladder.agent)
        why = event.reason or "; ".join(ladder.problems) or ladder.kind
        first = ladder.first or f"'{ladder.agent}' failed: {why}"
        ladder = Ladder(event.agent, tried=tried, problems=ladder.problems, kind=ladder.kind, first=first)
    elif event.model != ladder.model:
        ladder.model, ladder.mode, ladder.starts, ladder.repairs = event.model, "fresh", 1, 0
        ladder.seen.clear()
    elif event.rung == "repair":
        ladder.mode = "repair"
        ladder.repairs += 1
    elif event.rung in {"retry", "person"}:
        ladder.mode = "fresh"
        ladder.starts += 1
    if state.requests and event.attempt != task.attempt:
        drop_requests(state, event.task)
    if event.attempt != task.attempt:
        drop_steps(state, task)
    task.climb(ladder)
    task.attempt, task.dispatch = event.attempt, event.dispatch
    task.problem = None
    if event.due is None:
        make_ready(state, task)
    else:
        task.status, task.waiting, task.due = Status.WAITING, "timer", event.due
        state.timers += 1
        state.gained.append(SetTimer(event.task, event.due))


def _task_gave_up(state: RunState, event: ev.TaskGaveUp) -> None:
    task = state.tasks[event.task]
    unready(state, task)
    task.status, task.waiting, task.problem = Status.WAITING, "replan", event.problem
    if state.replan is not None and event.task not in state.replan.tasks:
        state.replan.tasks.append(event.task)


def _task_failed(state: RunState, event: ev.TaskFailed) -> None:
    task = state.tasks[event.task]
    task.problem = event.problem
    if task.caller is None and state.settings_of(task.task).on_failure == "fail_run":
        state.failing = True
        state.cancelling = state.cancelling or f"'{event.task}' failed"
    _end(state, event.task, Status.FAILED)


def _task_cancelled(state: RunState, event: ev.TaskCancelled) -> None:
    _end(state, event.task, Status.CANCELLED)


def _end(state: RunState, name: str, status: Status) -> None:
    task = state.tasks[name]
    if task.status is RUNNING:
        key = state.key_of(task)
        leave_dispatch(task, state.updated, "cancelled")
        leave_running(state, task, key)
        state.gained.append(Withdraw(key, name))
        own(state, "unsettled")[key] = None
    settle(state, task, status)
    _deliver(state, task)


def _deliver(state: RunState, task: TaskState) -> None:
    if task.caller is not None:
        state.gained.append(Deliver(task.task.id, task.caller))


def _task_delegated(state: RunState, event: ev.TaskDelegated) -> None:
    caller = state.tasks[event.caller.split("/", 2)[1]]
    child = TaskState(event.spec, state.revision, state.enter(1), event.spec.agent)
    child.caller, child.depth = event.caller, event.depth
    child.rank = caller.rank  # the caller waits for it: the plan need not be ranked anew
    earlier = state.tasks.get(event.task)
    if earlier is not None:
        follow(child, earlier, goes_on=event.continues)
        state.retired.append((state.revision, earlier))
    state.tasks[event.task] = child
    state.open += 1
    for account in chain(caller.account):
        account.tasks += 1
    if caller.children is None:
        caller.children = []
    if earlier is None:
        caller.children.append(event.task)
    wait_for(state, caller, children=1)
    make_ready(state, child)


def _task_went_on(state: RunState, event: ev.TaskWentOn) -> None:
    go_on(state, state.tasks[event.task], works=not event.waits)


def _task_queued(state: RunState, event: ev.TaskQueued) -> None:
    queue(state, state.tasks[event.task], event.account)


CHANGES: Final[Mapping[type[ev.Event], Callable[[RunState, Any], None]]] = {
    ev.TasksAccepted: _tasks_accepted,
    ev.TaskStarted: _task_started,
    ev.TaskSucceeded: _task_succeeded,
    ev.AttemptFailed: _attempt_failed,
    ev.TaskRetried: _task_retried,
    ev.TaskGaveUp: _task_gave_up,
    ev.TaskFailed: _task_failed,
    ev.TaskCancelled: _task_cancelled,
    ev.TaskKept: _task_kept,
    ev.TaskDelegated: _task_delegated,
    ev.TaskWentOn: _task_went_on,
    ev.TaskQueued: _task_queued,
    ev.OutcomeLate: outcome_late,
    ev.RequestOpened: request_opened,
    ev.RequestAnswered: request_answered,
    ev.StepFinished: _step_finished,
    ev.EffectIntended: apply_intended,
    ev.EffectDone: apply_done,
    ev.EffectVoided: apply_voided,
    ev.ModelCalled: model_called,
    **dict.fromkeys((ev.PlanRejected, ev.PlanNoted, ev.InputTrimmed, ev.TaskReported), _told),
    **OF_THE_RUN,
}
"""What each event does, by its class: `match` would ask pydantic's metaclass of each class before the right one."""
