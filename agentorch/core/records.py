"""How each task of a run went: its dispatches, how long they took, how long it waited, what it used.

1. All of it comes from the state, so it is the same live, after a resume, and when the journal is gone.
2. Nothing here is looked at by `decide`, and nothing of it is kept: it is found when somebody asks.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from agentorch.core.history import all_ended, all_used
from agentorch.core.special import EndedDispatch
from agentorch.core.state import FINAL, SUCCEEDED, RunState, Status, TaskState
from agentorch.core.usage import NOTHING, Usage


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """One task, as it went so far. Times are seconds since the epoch."""

    task: str
    agent: str
    """Who has, or had, it last."""
    state: str
    """pending, ready, running, waiting, succeeded, failed, skipped or cancelled."""
    attempts: int
    """Attempts that were started; repairs and later revisions of the task included."""
    seconds: float
    """For how long its dispatches ran, all together; what they delegated is within it."""
    waiting: float
    """For how many seconds it could have run and did not: for a slot, a back-off, a budget, a person, a new plan."""
    usage: Usage
    """What its model calls used; what it delegated is in the records of those."""
    dispatches: tuple[EndedDispatch, ...]
    """Each start and end, in order; one that is under way is "running", and ends at the time of the record."""
    ready: float | None
    """When it could have started; None while it cannot."""
    ended: float | None
    """When it became final."""
    caller: str | None = None
    """For a delegated task: the task that called it."""
    waits_for: str = ""
    """What a waiting task waits for: timer, approval, person, effect, replan or budget."""
    note: str = ""
    """Why it failed, or which need made it skipped."""


def records_of(state: RunState, at: float) -> Iterator[TaskRecord]:
    """Go through the tasks in plan order, what each delegated below it; `at` is the end of what is under way."""
    for task in state.tasks.values():
        if task.caller is None:
            yield from _with_children(state, task, at)


def _with_children(state: RunState, task: TaskState, at: float) -> Iterator[TaskRecord]:
    stack = [task]
    while stack:
        current = stack.pop()
        yield record_of(state, current, at)
        stack += [state.tasks[name] for name in reversed(current.children or ()) if name in state.tasks]


def record_of(state: RunState, task: TaskState, at: float) -> TaskRecord:
    """Return how one task went, by `at`."""
    dispatches = _dispatches(task, at)
    ended = task.finished if task.status in FINAL else None
    ready = _ready(state, task, dispatches)
    return TaskRecord(
        task=task.task.id,
        agent=task.agent,
        state=str(task.status),
        attempts=len({(one.revision, one.attempt) for one in dispatches}),
        seconds=sum((one.ended - one.started for one in dispatches), 0.0),
        waiting=_waiting(state, dispatches, ready, at if ended is None else ended),
        usage=all_used(task) or NOTHING,
        dispatches=dispatches,
        ready=ready,
        ended=ended,
        caller=None if task.caller is None else task.caller.split("/", 2)[1],
        waits_for=task.waiting or "",
        note=_note(task),
    )


def _dispatches(task: TaskState, at: float) -> tuple[EndedDispatch, ...]:
    if task.status is not Status.RUNNING:
        return all_ended(task, at)
    own = (task.revision, task.attempt, task.dispatch, task.agent)
    return (*task.ended, EndedDispatch(*own, task.started, max(at, task.started), "running"))


def _ready(state: RunState, task: TaskState, dispatches: tuple[EndedDispatch, ...]) -> float | None:
    """Return when the task could have started."""
    if not dispatches and not _could_start(task):
        return None
    place = bisect_right(state.entries, task.order, key=lambda entry: entry[0]) - 1
    entered = state.entries[place][1] if place >= 0 else state.started
    ready = max(entered, _held(state, task))
    return min(ready, dispatches[0].started) if dispatches else ready


def _could_start(task: TaskState) -> bool:
    """Whether a task that was never started could have been."""
    if task.status is Status.CANCELLED:
        return not task.open and not task.lost
    return task.status in {Status.READY, Status.WAITING}


def _held(state: RunState, task: TaskState) -> float:
    """Return when the needs were there that its join asks for; 0 where it has none."""
    needs = [state.tasks[name] for name in task.task.needs if name in state.tasks]
    if isinstance(task.join, int) or task.join == "any":
        wanted = 1 if task.join == "any" else task.join
        ends = sorted(need.finished for need in needs if need.status is SUCCEEDED)
        return ends[wanted - 1] if len(ends) >= wanted else 0.0
    return max((need.finished for need in needs), default=0.0)


def _waiting(state: RunState, dispatches: tuple[EndedDispatch, ...], ready: float | None, until: float) -> float:
    if ready is None:
        return 0.0
    if until >= state.started:  # else it is of the run that this one was forked from
        ready = max(ready, state.started)
    ran = sum(one.ended - max(one.started, ready) for one in dispatches if one.ended > ready)
    return max(0.0, until - ready - ran)


def _note(task: TaskState) -> str:
    if task.cause is not None:
        return f"'{task.cause}' brought nothing"
    return "" if task.problem is None else task.problem.message
