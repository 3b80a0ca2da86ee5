"""Delegated tasks: they end with the dispatch that called them, and no agent calls itself in a circle."""

from collections.abc import Iterable

from agentorch.core import events as ev
from agentorch.core.history import all_used
from agentorch.core.identity import digest
from agentorch.core.stamping import Stamp
from agentorch.core.state import FINAL, RunState, TaskState
from agentorch.core.task import Task


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


def follow(child: TaskState, earlier: TaskState, *, goes_on: bool) -> None:
    """Put a child in the place of one that brought nothing: another attempt, or the one that was cut off.

    That goes on with what it has finished, and with what it has called.
    """
    child.ended = earlier.ended
    if not goes_on:
        child.attempt, child.before = earlier.attempt + 1, all_used(earlier)
        return
    child.before = earlier.before
    child.attempt, child.dispatch = earlier.attempt, earlier.dispatch + 1
    child.steps, child.children = earlier.steps, earlier.children
    child.ladder, child.agent = earlier.ladder, earlier.agent
    child.approved, child.spent = earlier.approved, earlier.spent


def drop_steps(state: RunState, task: TaskState) -> None:
    """Let go of what a task has finished, and of what it has called and was cut off: neither goes on any more."""
    queue = [task]
    while queue:
        ended = queue.pop()
        ended.steps = None
        queue += [state.tasks[name] for name in ended.children or () if name in state.tasks]


def circle_of(state: RunState, caller: TaskState, spec: Task) -> str:
    """Say which calls lead from an agent with the same inputs to this call of it; "" when none do, or none are sought.

    Such a call would lead to itself again, down to the last level of the budget.
    """
    if state.policy_of(spec).repeats is None:
        return ""
    inputs = digest([spec.inputs, spec.objective])
    names = [spec.agent]
    above: TaskState | None = caller
    while above is not None:
        names.append(above.agent)
        if above.agent == spec.agent and above.inputs == inputs:
            calls = " -> ".join(f"'{name}'" for name in reversed(names))
            return f"'{spec.agent}' is being called with the same inputs already: {calls}"
        above = state.tasks.get(above.caller.split("/", 2)[1]) if above.caller is not None else None
    return ""
