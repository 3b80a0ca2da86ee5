"""Which tasks count against the `max_tasks` of a run.

1. Tasks of the plan and delegated ones, from when they come into the run: whether they are ever started depends on the
   order in which others end, and that decides nothing.
2. What a patch takes out counts no more.
3. The answer that the engine adds does not count: else a limit that is used up would leave none.
"""

from collections.abc import Iterable
from typing import Final

from agentorch.core.state import ANSWERER, RunState, TaskState

_NONE: Final[tuple[TaskState, ...]] = ()


def tasks_counted(state: RunState) -> int:
    """Return how many tasks of the run count."""
    return len(state.tasks) - sum(1 for _ in _added_answer(state))


def is_beyond(state: RunState, task: TaskState, most: int) -> bool:
    """Whether `most` tasks come before it, in the order in which they came into the run."""
    if len(state.tasks) <= most or task.order < most or _is_added(task) or tasks_counted(state) <= most:
        return False
    return task.order - sum(answer.order < task.order for answer in _added_answer(state)) >= most


def _added_answer(state: RunState) -> Iterable[TaskState]:
    """Return the engine's answer, if there is one: while there is something left to start, there are no more."""
    answer = state.tasks.get(state.answer_root)
    return _NONE if answer is None or not _is_added(answer) else (answer,)


def _is_added(task: TaskState) -> bool:
    return task.task.agent == ANSWERER and task.caller is None
