"""Signing a plan off: under `Policy(approval="plan")` nothing runs until a person agrees to the whole plan.

Only the first plan is signed; what a re-plan changes later is held to its own checks.
"""

from typing import Any

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.card import money_problem
from agentorch.core.failures import Problem
from agentorch.core.patching import Patch, check_patch
from agentorch.core.planned import plan_of, with_join_settings
from agentorch.core.stamping import Stamp
from agentorch.core.state import RunState
from agentorch.core.task import Graph
from agentorch.core.verifier import verify


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
    verified = verify(
        plan,
        state.catalog,
        max_tasks=state.policy.max_tasks,
        inputs=state.outputs["inputs"],
        policy=state.policy,
        budget_problem=money_problem(state.budget.max_money),
    )
    if verified.errors:
        return None, verified.errors
    before = plan_of(state)
    tasks = with_join_settings(state, verified.tasks)
    kept = {task.id for task in tasks}
    put = tuple(task for task in tasks if before.get(task.id) != task)
    drop = tuple(name for name in before if name not in kept)
    if not put and not drop and verified.answer in {None, state.answer}:
        return None, ()
    return check_patch(state, put or tasks, drop, plan.answer)
