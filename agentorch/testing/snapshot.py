"""A run's state as one value to compare: all but what is derived for speed."""

from dataclasses import fields
from typing import Any

from agentorch.core.special import Special
from agentorch.core.state import RunState, Status, TaskState

_DERIVED = {
    "catalog", "ready", "line", "ranks_stale", "usual_seconds", "gained", "moved", "turned", "ready_count", "timers",
    "defaults",
}  # fmt: skip


def snapshot(state: RunState) -> dict[str, Any]:
    """Return what two states must have in common to be the same."""
    values = {item.name: getattr(state, item.name) for item in fields(state) if item.name not in _DERIVED}
    values["tasks"] = [_task(task) for task in state.tasks.values()]
    values["retired"] = [(revision, _task(task)) for revision, task in state.retired]
    values["running_by_agent"] = {agent: count for agent, count in state.running_by_agent.items() if count}
    values["startable"] = state.ready_count + state.timers
    return values


def _task(task: TaskState) -> dict[str, Any]:
    names = [item.name for item in (*fields(task), *fields(Special)) if item.name not in {"rank", "special"}]
    values = {name: getattr(task, name) for name in names}
    if task.status is Status.READY and task.due is not None:  # its timer has come, which no event says
        values |= {"status": Status.WAITING, "waiting": "timer"}
    return values
