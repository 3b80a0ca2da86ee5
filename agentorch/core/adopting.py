"""Taking a run over: from here on its old owner can write nothing, and what was under way is carried out again."""

from collections.abc import Iterator

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.calling import lost_calls
from agentorch.core.children import cancel_children
from agentorch.core.failures import FailureKind
from agentorch.core.stamping import Stamp
from agentorch.core.state import FINAL, RunState, Status, TaskState


def adopt(state: RunState, message: msg.Adopt, stamp: Stamp) -> list[ev.Event]:
    """Name the new owner; begin afresh what agents that have changed had begun."""
    events: list[ev.Event] = [stamp(ev.RunAdopted, owner=message.owner, cards=dict(message.cards))]
    cancelled: set[str] = set()
    for name, task in list(state.tasks.items()):
        if name in cancelled:  # its caller begins afresh, and calls for it again
            continue
        has_changed = task.agent in message.restart or not message.restart.isdisjoint(_left(state, task))
        if has_changed and _is_begun(task) and not state.catalog[task.agent].acts_unseen:
            afresh = _afresh(state, task, stamp)
            cancelled.update(event.task for event in afresh if isinstance(event, ev.TaskCancelled))
            events += afresh
    return [*events, *lost_calls(state, stamp)]


def changed_agents(state: RunState, versions: dict[str, str]) -> tuple[str, ...]:
    """Return the agents of unfinished tasks, and the templates, that are not what they were when the run began.

    Those that the run's journal knows nothing of count as unchanged.
    """
    open_agents = {task.agent for task in state.tasks.values() if task.status not in FINAL or task.steps}
    names = (name for name, version in state.cards.items() if versions.get(name, version) != version)
    return tuple(name for name in names if ":" in name or name in open_agents)


def _is_begun(task: TaskState) -> bool:
    """Whether an attempt is under way that could be continued."""
    if task.status in FINAL or task.waiting == "replan":
        return False
    return task.status is Status.RUNNING or bool(task.steps or task.children)


def _left(state: RunState, task: TaskState) -> Iterator[str]:
    """Yield the agents of what a task had called when it was cut off, and that would go on if it called again."""
    for name in task.children or ():
        child = state.tasks.get(name)
        if child is None or child.status not in FINAL:
            continue
        if child.steps:
            yield child.agent
        yield from _left(state, child)


def _afresh(state: RunState, task: TaskState, stamp: Stamp) -> list[ev.Event]:
    name = task.task.id
    events: list[ev.Event] = cancel_children(state, [task], stamp)
    if task.status is Status.RUNNING:
        problems = (f"agent '{task.agent}' has changed: the attempt begins afresh",)
        key = state.key_of(task)
        events.append(stamp(ev.AttemptFailed, task=name, key=key, kind=FailureKind.CANCELLED, problems=problems))
    again = stamp(
        ev.TaskRetried,
        task=name,
        rung="redispatch",
        agent=task.agent,
        model=task.ladder.model if task.ladder is not None else 0,
        attempt=task.attempt + 1,
        dispatch=1,
    )
    return [*events, again]
