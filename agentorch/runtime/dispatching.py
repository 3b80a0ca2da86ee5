"""What a dispatch takes along: everything that a worker needs, and nothing of the rest of the run."""

from typing import Any

from agentorch.core.admission import inputs_of
from agentorch.core.state import RunState, TaskState
from agentorch.core.usage import Budget
from agentorch.messages.work import Work


def work_of(state: RunState, task: TaskState, key: str) -> Work:
    """Return all that a worker needs for one dispatch."""
    inputs, objective = inputs_of(state, task)
    policy = state.policy_of(task.task, task.agent)
    ladder = task.ladder
    return Work(
        key=key,
        run_id=state.run_id,
        task=task.task,
        agent=task.agent,
        inputs=inputs,
        objective=objective,
        attempt=task.attempt,
        model=ladder.model if ladder is not None else 0,
        mode=ladder.mode if ladder is not None else "fresh",
        output=ladder.output if ladder is not None else None,
        problems=ladder.problems if ladder is not None else (),
        timeout=policy.timeout,
        silence=policy.silence,
        grace=policy.grace,
        deadline=_deadline(state, task, policy.timeout),
        budget=left(state),
        depth=task.depth,
        steps=dict(task.steps) if task.steps else {},
    )


def _deadline(state: RunState, task: TaskState, timeout: float | None) -> float | None:
    seconds = state.budget.max_seconds
    ends = [state.started + seconds] if seconds is not None else []
    if timeout is not None:
        ends.append(task.started + timeout)
    return min(ends, default=None)


def left(state: RunState) -> Budget:
    """Return what is left of the run's budget."""
    budget, spent = state.budget, state.spent
    if not spent.calls:
        return budget
    update: dict[str, Any] = {}
    if budget.max_tokens is not None:
        update["max_tokens"] = max(0, budget.max_tokens - spent.tokens)
    if budget.max_money is not None:
        update["max_money"] = max(0.0, budget.max_money - spent.money)
    if budget.max_calls is not None:
        update["max_calls"] = max(0, budget.max_calls - spent.calls)
    return budget.model_copy(update=update) if update else budget
