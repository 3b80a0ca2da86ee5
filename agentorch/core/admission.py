"""Admission: a ready task becomes a running one. Inputs are frozen and the budget is reserved here and nowhere else."""

from typing import Any, Final

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.failing import give_up
from agentorch.core.failures import Code, FailureKind, Problem
from agentorch.core.identity import digest
from agentorch.core.references import BrokenReference, fill, resolve
from agentorch.core.stamping import Stamp
from agentorch.core.state import RunState, Status, TaskState

NO_INPUTS: Final = digest([{}, ""])
"""The digest of a task without inputs and objective."""


def inputs_of(state: RunState, task: TaskState) -> tuple[dict[str, Any], str | list[Any]]:
    """Return the input values and the filled-in objective of a task; raise BrokenReference.

    What a delegated task was given are values, whatever they look like; see `fill` for an objective in pieces.
    """
    spec = task.task
    if task.caller is not None:
        return spec.inputs, spec.objective
    inputs = resolve(spec.inputs, state.outputs, needs=spec.needs) if spec.inputs else {}
    objective = fill(spec.objective, state.outputs) if "${" in spec.objective else spec.objective
    return inputs, objective


def admit(state: RunState, message: msg.Admit, stamp: Stamp) -> list[ev.Event]:
    """Start a ready task, keep its earlier output, or fail it for want of budget or of an input."""
    task = state.tasks.get(message.task)
    if task is None or task.status is not Status.READY or state.stopped is not None or state.unsigned:
        return []
    if not state.complete and task.agent in state.with_effects:
        return []
    name = task.task.id
    lack = _lack(state, task)
    if lack is not None:
        return [stamp(ev.TaskFailed, task=name, problem=Problem(FailureKind.BUDGET, lack, name, "raise the budget"))]
    try:
        inputs, objective = inputs_of(state, task)
    except BrokenReference as broken:
        problem = Problem(Code.REF_PATH, str(broken), name, "mend the reference or the agent that gave the value")
        return give_up(state, task, problem, stamp)
    frozen = digest([inputs, objective]) if inputs or objective else NO_INPUTS
    if task.memo is not None and task.memo.inputs == frozen:
        return [stamp(ev.TaskKept, task=name, inputs=frozen)]
    if not task.approved and state.policy_of(task.task).approval == "before":
        return [_approval(task, stamp)]
    key = state.key_of(task)
    return [stamp.trusted(ev.TaskStarted, task=name, key=key, inputs=frozen, reserved=message.reserved)]


def _lack(state: RunState, task: TaskState) -> str | None:
    budget = state.budget
    if budget.max_depth is not None and task.depth > budget.max_depth:
        return f"delegation is {task.depth} levels deep, max_depth={budget.max_depth}"
    if budget.max_tasks is not None and len(state.tasks) > budget.max_tasks and task.order >= budget.max_tasks:
        return f"the run has {len(state.tasks)} tasks, max_tasks={budget.max_tasks}"
    return budget.exhausted_by(state.spent) if state.catalog[task.agent].needs_model else None


def _approval(task: TaskState, stamp: Stamp) -> ev.Event:
    name = task.task.id
    question = f"Start '{name}' with agent '{task.agent}'?"
    if task.task.objective:
        question += f" Its objective: {task.task.objective}"
    return stamp(
        ev.RequestOpened,
        task=name,
        request_id=f"approve:{name}:{task.revision}",
        kind="approval",
        question=question,
        answer_schema={"type": "boolean"},
    )
