"""The last tasks of a plan come in: the plan is what its planner wrote, and what it did not write is taken back.

1. What was accepted earlier and stands in the plan as it was, or is needed by what does, goes on as it is.
2. All else is taken out as by a patch, the running included: another planner's tasks, and those whose id now means
   another task. It counts towards no limit, no answer and no status. None of it had effects: those wait for the plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.children import cancel_children
from agentorch.core.failures import Problem
from agentorch.core.patching import reset_by
from agentorch.core.planned import accept, last_tasks, plan_of, sign_off, verify_more, with_join_settings
from agentorch.core.references import parse, with_needs
from agentorch.core.stamping import Stamp
from agentorch.core.state import RunState
from agentorch.core.task import Task
from agentorch.core.verifier import Verified


@dataclass(frozen=True, slots=True)
class _Plan:
    """A whole plan, against what was accepted of it."""

    verified: Verified
    """What is new."""
    kept: tuple[str, ...]
    taken_back: tuple[str, ...]


def complete(state: RunState, message: msg.Complete, stamp: Stamp) -> list[ev.Event]:
    """Accept the last tasks of a plan, and what answers the goal."""
    if state.complete or "plan" not in state.pending:
        return []
    plan = _read(state, message.tasks, message.answer, message.inputs)
    if plan.verified.errors:
        return [stamp(ev.PlanRejected, problems=plan.verified.errors, source=message.source)]
    gave_up = tuple(name for name in plan.kept if state.tasks[name].waiting == "replan")
    events = _events(state, plan, message.source, stamp)
    return [*events, stamp(ev.ReplanRequested, number=1, tasks=gave_up)] if gave_up else events


def plan_problems(
    state: RunState, tasks: tuple[Task, ...], answer: str | None, *, inputs: Mapping[str, Any] | None = None
) -> tuple[Problem, ...]:
    """Return why a whole plan would be refused as the run stands; `inputs` are as in `inbox.Complete`."""
    return _read(state, tasks, answer, inputs).verified.errors


def _events(state: RunState, plan: _Plan, source: str, stamp: Stamp) -> list[ev.Event]:
    if not plan.taken_back:
        return accept(state, plan.verified, source, stamp)
    touched = [state.tasks[name] for name in plan.taken_back]
    cancelled = cancel_children(state, [*touched, *reset_by(state, plan.taken_back)], stamp)
    tasks, answer = last_tasks(state, plan.verified)
    new = {task.id for task in tasks}
    drop = tuple(name for name in plan.taken_back if name not in new)
    revision = state.revision + 1
    patched = stamp(ev.PlanPatched, revision=revision, put=tasks, drop=drop, answer=answer, source=source)
    completed = stamp(ev.PlanCompleted, answer=answer, source=source, problems=plan.verified.warnings)
    return [*cancelled, patched, completed, *sign_off(state.policy, stamp)]


def _read(state: RunState, tasks: tuple[Task, ...], answer: str | None, inputs: Mapping[str, Any] | None) -> _Plan:
    known = plan_of(state)
    whole = (*tasks, *_also_needed(known, tasks, answer))
    ids = {task.id for task in whole}
    changed = {task.id for task in tasks if not _is_as_accepted(state, known.get(task.id), task)}
    kept: dict[str, Task] = {}
    for name, task in known.items():  # each needs only tasks above it
        if name in ids and name not in changed and all(need in kept for need in task.needs):
            kept[name] = task
    fresh = tuple(task for task in whole if task.id not in kept)
    verified = verify_more(state, fresh, answer, known=kept, whole=True, inputs=inputs)
    return _Plan(verified, tuple(kept), tuple(name for name in known if name not in kept))


def _also_needed(known: Mapping[str, Task], tasks: tuple[Task, ...], answer: str | None) -> list[Task]:
    """Return the accepted tasks that a plan refers to without naming them, and what these need."""
    named = {task.id for task in tasks}
    root = parse(answer) if answer is not None else None
    queue = [need for task in tasks for need in with_needs(task, (), strict=True).needs]
    queue += [root.id] if root is not None else []
    found: dict[str, Task] = {}
    while queue:
        name = queue.pop()
        if name in known and name not in named and name not in found:
            found[name] = known[name]
            queue.extend(known[name].needs)
    return list(found.values())


def _is_as_accepted(state: RunState, known: Task | None, task: Task) -> bool:
    if known is None or known.agent != task.agent:
        return False
    return with_join_settings(state, (with_needs(task, (), strict=True),)) == (known,)
