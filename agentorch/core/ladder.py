"""The ladder of remedies: which rung a failed task takes next.

repair -> the same agent afresh -> the next model -> a fallback agent -> re-plan -> a person -> failed

1. Each rung is bounded by policy, and each step is an event.
2. The failure's kind says which rungs make sense: a refusal is not asked again, a permanent failure is not retried.
3. What the budget does not allow only an agent that needs no model may still do.
4. An attempt that brings the output and the problems of an earlier one has stalled: it is not repaired, and a fresh
   start that did so is not followed by another one.
5. A task whose agent may do, in its own body, what may happen once only is never started again by itself.
"""

from dataclasses import dataclass, replace
from typing import Final

from agentorch.core import policy as limits
from agentorch.core.card import AgentCard
from agentorch.core.events import Rung
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.identity import digest, fraction
from agentorch.core.inbox import Fail
from agentorch.core.schema import assignable
from agentorch.core.special import Ladder
from agentorch.core.state import RunState, TaskState

RUNGS: Final[dict[FailureKind, tuple[Rung, ...]]] = {
    FailureKind.TRANSIENT: ("redispatch", "model", "agent"),
    FailureKind.INVALID: ("repair", "retry", "model", "agent"),
    FailureKind.REFUSED: ("model", "agent"),
    FailureKind.PERMANENT: ("agent",),
    FailureKind.CRASH: ("retry", "model", "agent"),
    FailureKind.CANCELLED: (),
    FailureKind.BUDGET: ("agent",),
    FailureKind.UNCONFIGURED: (),
    FailureKind.UNKNOWN: (),
}
"""Which rungs each kind of failure may take, in order."""


@dataclass(frozen=True, slots=True)
class Step:
    """The rung to take: the fields of a `TaskRetried`."""

    rung: Rung
    agent: str
    model: int
    attempt: int
    dispatch: int
    due: float | None = None
    repeats: int | None = None


def next_step(state: RunState, task: TaskState, failure: Fail) -> Step | None:
    """Return the next rung that starts the task again, or None when its own remedies are used up."""
    ladder = task.ladder or Ladder(task.task.agent, since=task.started)
    card = state.catalog.get(ladder.agent)
    if card is not None and card.acts_unseen:
        return None
    repeats = repeated(state, task, failure)
    idle = () if repeats is None else ("repair", "retry") if ladder.mode == "fresh" else ("repair",)
    for rung in RUNGS[failure.kind]:
        step = _try(rung, state, task, ladder, failure) if rung not in idle else None
        if step is not None:
            return step if repeats is None else replace(step, repeats=repeats)
    return None


def repeated(state: RunState, task: TaskState, failure: Fail) -> int | None:
    """Return the earlier attempt of this agent and model that had the same output rejected for the same problems."""
    ladder = task.ladder
    if ladder is None or not ladder.seen or failure.kind is not FailureKind.INVALID or failure.output is None:
        return None
    if state.policy_of(task.task, ladder.agent).repeats is None:
        return None
    return ladder.seen.get(digest([failure.output, failure.problems]))


def _try(rung: Rung, state: RunState, task: TaskState, ladder: Ladder, failure: Fail) -> Step | None:
    card = state.catalog.get(ladder.agent)
    policy = state.policy_of(task.task, ladder.agent)
    afresh = Step(rung, ladder.agent, ladder.model, task.attempt + 1, 1)
    if rung == "redispatch":
        return _redispatch(state, task, ladder, failure)
    if rung == "repair":
        able = card is not None and card.repairable and failure.output is not None
        return afresh if able and ladder.repairs < policy.repairs else None
    if rung == "retry":
        return afresh if ladder.starts < policy.attempts else None
    if rung == "model":
        more = card is not None and ladder.model + 1 < card.models
        return Step(rung, ladder.agent, ladder.model + 1, task.attempt + 1, 1) if more else None
    if failure.kind is FailureKind.BUDGET:
        return step_without_model(state, task)
    stand_in = _stand_in(state, task, ladder, policy.fallback)
    return Step(rung, stand_in, 0, task.attempt + 1, 1) if stand_in is not None else None


def step_without_model(state: RunState, task: TaskState) -> Step | None:
    """Return the rung for a task that the budget has nothing left for: an agent that needs no model."""
    ladder = task.ladder or Ladder(task.task.agent)
    if task.started and state.catalog[ladder.agent].acts_unseen:
        return None
    policy = state.policy_of(task.task, ladder.agent)
    stand_in = _stand_in(state, task, ladder, policy.fallback, free=True)
    return Step("agent", stand_in, 0, task.attempt + 1, 1) if stand_in is not None else None


def _redispatch(state: RunState, task: TaskState, ladder: Ladder, failure: Fail) -> Step | None:
    due = failure.at + delay(state.key_of(task), task.dispatch, failure.retry_after)
    if task.dispatch >= limits.TRANSIENT_DISPATCHES or due - ladder.since > limits.TRANSIENT_SECONDS:
        return None
    return Step("redispatch", ladder.agent, ladder.model, task.attempt, task.dispatch + 1, due)


def delay(key: str, dispatch: int, retry_after: float | None) -> float:
    """Return the seconds to wait before the next dispatch: what the provider asked for, or doubling with jitter."""
    if retry_after is not None:
        return retry_after
    longest = min(limits.BACKOFF_LONGEST, limits.BACKOFF_FIRST * 2 ** (dispatch - 1))
    return longest * (0.5 + fraction(key) / 2)


def _stand_in(
    state: RunState, task: TaskState, ladder: Ladder, declared: tuple[str, ...], *, free: bool = False
) -> str | None:
    """Return who may do the task in its agent's place; where it must be `free`, only who needs no model."""
    original = state.catalog.get(task.task.agent)
    tried = {ladder.agent, *ladder.tried}
    if free:
        tried |= {name for name, card in state.catalog.items() if card.needs_model}
    for name in (*declared, *(original.fallback if original is not None else ())):
        if name in state.catalog and name not in tried and _fits(state.catalog[name], original, task):
            return name
    if original is None or not original.capabilities:
        return None
    for name in sorted(state.catalog):
        card = state.catalog[name]
        if name not in tried and set(card.capabilities) & set(original.capabilities) and _fits(card, original, task):
            return name
    return None


def _fits(card: AgentCard, original: AgentCard | None, task: TaskState) -> bool:
    """Whether it can take what the task gives, and gives what is expected of it; the run's fallbacks need not."""
    given = task.task.inputs.keys()
    takes = card.input.get("properties", {})
    fits = set(card.input.get("required", ())) <= given
    closed = card.input.get("additionalProperties") is False
    if not fits or (closed and not given <= takes.keys()):
        return False
    return original is None or assignable(card.output, original.output) is not False


def problem_of(state: RunState, task: TaskState, failure: Fail) -> Problem:
    """Say in one line why a task failed: in the end, and before its own agent was given up for another."""
    message = "; ".join(failure.problems) or str(failure.kind)
    repeats = repeated(state, task, failure)
    if repeats is not None:
        message = f"{message} (stalled: output and problems are those of attempt {repeats})"
    if task.ladder is not None and task.ladder.first:
        message = f"{message}; before that, {task.ladder.first}"
    remedy = _REMEDIES.get(failure.kind)
    if failure.kind is FailureKind.INVALID:
        remedy = f"see what was rejected: agentorch why {state.run_id} {task.task.id}"
    return Problem(str(failure.kind), message, task=task.task.id, remedy=remedy)


_REMEDIES: Final[dict[FailureKind, str]] = {
    FailureKind.BUDGET: "raise the budget and start again",
    FailureKind.TRANSIENT: "start again later, or give it more time",
}
