"""What a task has behind it: the dispatches that are over and what they used. For people; no decision rests on it.

1. A dispatch that brought the task's output, or is under way, is in the task itself. It is put aside when it fails, is
   cancelled, or when its task is done again.
2. A task that goes well, which nearly all do, has nothing behind it: this costs it nothing.
"""

from agentorch.core.special import EndedDispatch
from agentorch.core.state import RUNNING, SUCCEEDED, TaskState
from agentorch.core.usage import Usage


def leave_dispatch(task: TaskState, at: float, how: str) -> None:
    """Put the dispatch under way aside: it is over, without an output that stands."""
    task.ended = (*task.ended, _ended(task, at, how))


def all_ended(task: TaskState, at: float) -> tuple[EndedDispatch, ...]:
    """Return every dispatch that a task has had, as over by `at`: what another revision of it goes on with."""
    if not _stands_by_dispatch(task):
        return task.ended
    if task.status is RUNNING:
        return (*task.ended, _ended(task, at, "cancelled"))
    return (*task.ended, _ended(task, task.finished, "succeeded"))


def all_used(task: TaskState) -> Usage | None:
    """Return what all its revisions used."""
    if task.before is None or task.spent is None:
        return task.before or task.spent
    return task.before + task.spent


def _stands_by_dispatch(task: TaskState) -> bool:
    """Whether `started` is of a dispatch that is under way, or that brought the output."""
    if task.status is RUNNING:
        return True
    if task.status is not SUCCEEDED or not task.started:
        return False
    last = task.ended[-1] if task.ended else None
    own = (task.revision, task.attempt, task.dispatch)
    return last is None or own != (last.revision, last.attempt, last.dispatch)


def _ended(task: TaskState, at: float, how: str) -> EndedDispatch:
    return EndedDispatch(task.revision, task.attempt, task.dispatch, task.agent, task.started, at, how)
