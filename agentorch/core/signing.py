"""Signing a plan off: under `Policy(approval="plan")` nothing runs until a person agrees to the whole plan.

Only the first plan is signed; what a re-plan changes later is held to its own checks.
"""

from typing import Any

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.failures import Problem
from agentorch.core.patching import Patch, check_patch
from agentorch.core.planned import plan_of
from agentorch.core.stamping import Stamp
from agentorch.core.state import RunState
from agentorch.core.task import Graph


def signed(state: RunState, message: msg.Answer, stamp: Stamp) -> list[ev.Event]:
    """Do what a person said of the plan: it runs, it runs as edited, or the run is cancelled."""
    said = stamp(ev.RequestAnswered, request_id=message.request_id, value=message.value, by=message.by)
    if message.plan is None:
        if message.value is True:
            return [said]
        return [said, stamp(ev.RunCancelling, by=message.by, reason=f"{message.by} did not approve the plan")]
    patch, problems = edit_of(state, message.plan)
    if problems:
        return []  # whoever hands an edited plan in asks `edit_of` first; meanwhile the run has moved on
    if patch is None:
        return [said]
    edited: dict[str, Any] = {"put": patch.put, "drop": patch.drop, "answer": patch.answer}
    return [said, stamp(ev.PlanPatched, revision=state.revision + 1, source=message.by, **edited)]


def edit_of(state: RunState, plan: Graph) -> tuple[Patch | None, tuple[Problem, ...]]:
    """Return what an edited plan changes, None when nothing, and why it would be refused."""
    before = plan_of(state)
    kept = {task.id for task in plan.tasks}
    put = tuple(task for task in plan.tasks if before.get(task.id) != task)
    drop = tuple(name for name in before if name not in kept)
    if not put and not drop and plan.answer in {None, state.answer}:
        return None, ()
    return check_patch(state, put or plan.tasks, drop, plan.answer)
