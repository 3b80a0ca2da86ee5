"""Delegated tasks: they end with the dispatch that called them."""

from collections.abc import Iterable

from agentorch.core import events as ev
from agentorch.core.stamping import Stamp
from agentorch.core.state import FINAL, RunState, TaskState


def cancel_children(state: RunState, tasks: Iterable[TaskState], stamp: Stamp) -> list[ev.Event]:
    """Cancel every open task that `tasks` delegated, deepest first."""
    found: list[TaskState] = []
    queue = [task for task in tasks if task.open_children]
    while queue:
        for name in queue.pop().children or ():
            child = state.tasks[name]
            if child.status not in FINAL:
                found.append(child)
                queue.append(child)
    return [stamp(ev.TaskCancelled, task=child.task.id, reason="its caller ended") for child in reversed(found)]
