"""Running time: how long a run has been carried out, which is what `max_seconds` limits.

Time counts while the run can go on. It does not count while nobody carries it out (between the last event before a
crash or a stop, and the take-over), nor while it waits for nothing but a person. In a fork it begins anew. That a body
has not waited, but gone on beside its question, is known a moment later: that moment counts.
"""

from typing import Final

from agentorch.core.fact import Event
from agentorch.core.run_events import RunAdopted, RunForked
from agentorch.core.state import RunState, Status
from agentorch.core.task_events import TaskWentOn

_TAKING_OVER: Final = frozenset({RunAdopted, RunForked})


def count_time(state: RunState, event: Event) -> None:
    """Add the time from the last event to this one, if the run was carried out in it; before the event is applied."""
    state.ran += time_until(state, event)


def time_until(state: RunState, event: Event) -> float:
    """Return the seconds from the last event to this one, 0 if the run was not carried out in them."""
    went_on = type(event) is TaskWentOn and not event.waits
    counts = went_on or not (type(event) in _TAKING_OVER or state.idle)
    return max(0.0, event.at - state.updated) if counts else 0.0


def begin_anew(state: RunState, at: float) -> None:
    """Let the time of a run, and of all that is under way in it, begin at `at`."""
    state.ran = 0.0
    for task in state.tasks.values():
        is_running = task.status is Status.RUNNING
        if is_running:
            task.started = at
        if task.ladder is not None:
            task.ladder.since = at
        if task.account is not None:
            task.account.since = at if is_running else None
            task.account.ran = task.account.mark = 0.0
            if not is_running:
                state.timed.pop(task.task.id, None)  # it begins with its next start
    state.clocked = state.budget.max_seconds is not None or bool(state.timed)


def running_time(state: RunState, now: float) -> float:
    """Return the seconds for which the run has been carried out by now."""
    return state.ran if state.idle else state.ran + max(0.0, now - state.updated)


def end_of_run(state: RunState) -> float | None:
    """Return when the run's time is up if it is carried out from now on, in seconds since the epoch; None is never."""
    seconds = state.budget.max_seconds
    return None if seconds is None or state.last_words else state.updated + seconds - state.ran
