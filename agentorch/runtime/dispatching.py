"""What a dispatch takes along, all that a worker needs and nothing of the rest of the run; and what comes back."""

from agentorch.core import inbox
from agentorch.core.admission import inputs_of
from agentorch.core.commands import Dispatch
from agentorch.core.identity import Key
from agentorch.core.policy import AgentDefaults, Policy
from agentorch.core.reservations import end_of
from agentorch.core.state import RunState, TaskState
from agentorch.core.task import UNSET
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, Terms, Work


def envelope_of(
    state: RunState, task: TaskState, key: str, source: str, defaults: AgentDefaults, usual: Terms
) -> Envelope:
    """Return one dispatch as the bus carries it: all that a worker needs, and when its time is up at the latest.

    That is when its budget's, its callers' or the run's is. `defaults` are its agent's, `usual` the terms of a task
    for which the run's policy holds.
    """
    spec, agent = task.task, task.agent
    inputs, objective = inputs_of(state, task) if spec.inputs or spec.objective else ({}, "")
    policy = defaults.policy if spec.policy is UNSET else state.policy_of(spec, agent)
    terms = usual if policy is state.policy else terms_of(state, policy)
    end = end_of(state, task) if state.clocked else None
    deadline = None if terms.timeout is None else task.started + terms.timeout
    special = task.special
    if end is not None or (special is not None and special.caller is not None):
        deadline = _earliest(state, task, deadline, end)
    work = Work(key, terms, spec, agent, inputs, objective, task.attempt, deadline)
    if special is not None:
        work.depth, work.steps, ladder = special.depth, dict(special.steps) if special.steps else None, special.ladder
        if ladder is not None:
            work.model, work.mode, work.output = ladder.model, ladder.mode, ladder.output
            work.problems = ladder.problems
    return Envelope(f"task.{agent}.{state.priority}", work, key, source, 0.0, end)


def terms_of(state: RunState, policy: Policy) -> Terms:
    """Return what holds for dispatches under a policy."""
    return Terms(state.run_id, policy.timeout, policy.silence, policy.grace, policy.repeats, state.budget)


def _earliest(state: RunState, task: TaskState, own: float | None, end: float | None) -> float | None:
    """Return when the task's time is up at the earliest: `end`, its `own`, or its callers'."""
    ends = [one for one in (own, end) if one is not None]
    caller = task.caller
    while caller is not None:
        above = state.tasks[Key.parse(caller).task]
        its = state.policy_of(above.task, above.agent).timeout
        if its is not None:
            ends.append(above.started + its)
        caller = above.caller
    return min(ends, default=None)


def acts_once(state: RunState, command: Dispatch) -> bool:
    """Whether a dispatch may have done, unseen, what may happen once only."""
    return state.catalog[state.tasks[command.task].agent].acts_unseen


def grace_of(state: RunState, name: str) -> float:
    """Return the seconds that a withdrawn task has to end in; a patch may have taken it out of the plan."""
    task = state.tasks.get(name)
    if task is None:
        task = next(one for _, one in reversed(state.retired) if one.task.id == name)
    return state.policy_of(task.task).grace


def failed(result: Result, at: float) -> inbox.Fail:
    """Return what a worker's result that is none says to the core."""
    assert result.kind is not None
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
