"""What a dispatch takes along, all that a worker needs and nothing of the rest of the run; and what comes back."""

from agentorch.core import inbox
from agentorch.core.admission import inputs_of
from agentorch.core.commands import Dispatch
from agentorch.core.identity import Key
from agentorch.core.reservations import end_of
from agentorch.core.state import RunState, TaskState
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, Work


def envelope_of(state: RunState, task: TaskState, key: str, *, source: str) -> Envelope:
    """Return one dispatch as the bus carries it."""
    end = end_of(state, task)
    return Envelope(
        subject=f"task.{task.agent}.{state.priority}",
        data=_work_of(state, task, key, end),
        id=key,
        source=source,
        deadline=end,
    )


def _work_of(state: RunState, task: TaskState, key: str, end: float | None) -> Work:
    """Return all that a worker needs for one dispatch; `end` is when its budget's, its callers' or the run's is up."""
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
        repeats=policy.repeats,
        deadline=_deadline(state, task, policy.timeout, end),
        budget=state.budget,
        depth=task.depth,
        steps=dict(task.steps) if task.steps else {},
    )


def _deadline(state: RunState, task: TaskState, timeout: float | None, end: float | None) -> float | None:
    """Return when the task's time is up at the earliest: `end`, its own, or its callers'."""
    ends = [] if end is None else [end]
    if timeout is not None:
        ends.append(task.started + timeout)
    caller = task.caller
    while caller is not None:
        above = state.tasks[Key.parse(caller).task]
        its = state.policy_of(above.task, above.agent).timeout
        if its is not None:
            ends.append(above.started + its)
        caller = above.caller
    return min(ends, default=None)


def acts_unseen(state: RunState, agent: str) -> bool:
    """Whether the agent may do in its own body what leaves no trace: its start must be on the disk before it begins."""
    card = state.catalog[agent]
    return card.effects != "none" and not card.tracked


def acts_once(state: RunState, command: Dispatch) -> bool:
    """Whether a dispatch may have done, unseen, what may happen once only."""
    return state.catalog[state.tasks[command.task].agent].acts_unseen


def grace_of(state: RunState, name: str) -> float:
    """Return the seconds that a withdrawn task has to end in; a patch may have taken it out of the plan."""
    task = state.tasks.get(name)
    if task is None:
        task = next(one for _, one in reversed(state.retired) if one.task.id == name)
    return state.policy_of(task.task).grace


def message_of(result: Result, at: float) -> inbox.Succeed | inbox.Fail:
    """Return what a worker's result says to the core."""
    if result.kind is None:
        return inbox.Succeed(at, result.key, result.output, result.usage, result.sources)
    return inbox.Fail(
        at,
        result.key,
        result.kind,
        result.problems,
        result.output,
        result.usage,
        result.retry_after,
        result.effect,
        rejected_by=result.rejected_by,
        runs_on=result.runs_on,
        called=result.called,
    )
