"""What happens to one task, and to the calls inside it."""

from typing import Any, Literal

from agentorch.core.fact import TaskEvent
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.task import Task
from agentorch.core.usage import Usage

Rung = Literal["redispatch", "repair", "retry", "model", "agent", "person"]
"""The rungs of the ladder that start the task again."""


class TaskStarted(TaskEvent, frozen=True):
    """A ready task was admitted: inputs frozen, budget reserved, key issued."""

    type: Literal["TaskStarted"] = "TaskStarted"
    key: str
    inputs: str
    """Digest of the input values and the filled-in objective."""
    reserved: Usage | None = None
    """What was set aside for it; None where nothing limits the use of models, and for agents that use none."""


class TaskQueued(TaskEvent, frozen=True):
    """The budget has no room for the task now: it waits until somebody gives something back."""

    type: Literal["TaskQueued"] = "TaskQueued"
    reason: str
    account: str | None = None
    """The task whose own budget has no room; None is the run's."""


class TaskSucceeded(TaskEvent, frozen=True):
    """An accepted output: the task is done."""

    type: Literal["TaskSucceeded"] = "TaskSucceeded"
    key: str
    output: Any = None
    usage: Usage | None = None
    sources: tuple[str, ...] = ()
    """What the output rests on, as `path:line` or URLs, when the agent says so."""


class TaskKept(TaskEvent, frozen=True):
    """After a patch, a task's spec and input values turned out unchanged: its earlier output stands."""

    type: Literal["TaskKept"] = "TaskKept"
    inputs: str


class AttemptFailed(TaskEvent, frozen=True):
    """A dispatch brought no acceptable output."""

    type: Literal["AttemptFailed"] = "AttemptFailed"
    key: str
    kind: FailureKind
    problems: tuple[str, ...]
    output: Any = None
    """What was rejected, when there was an output."""
    usage: Usage | None = None
    retry_after: float | None = None
    rejected_by: tuple[str, ...] = ()
    """Names of the checks that rejected the output; "schema" when it is not of the declared type."""


class TaskRetried(TaskEvent, frozen=True):
    """A rung of the ladder was taken: the task will start again, not before `due`."""

    type: Literal["TaskRetried"] = "TaskRetried"
    rung: Rung
    agent: str
    model: int = 0
    """Index into the models of the run or agent."""
    attempt: int
    dispatch: int
    due: float | None = None
    """Seconds since the epoch; None is now."""
    reason: str = ""
    """Why, where no attempt failed before it."""
    repeats: int | None = None
    """The earlier attempt with the same output and the same problems: the rungs that would repeat it were left out."""


class TaskGaveUp(TaskEvent, frozen=True):
    """The task's own remedies are used up; it waits for a re-plan."""

    type: Literal["TaskGaveUp"] = "TaskGaveUp"
    problem: Problem


class TaskFailed(TaskEvent, frozen=True):
    """Every remedy is used up: final."""

    type: Literal["TaskFailed"] = "TaskFailed"
    problem: Problem


class TaskCancelled(TaskEvent, frozen=True):
    """The task was stopped, or will not start: final."""

    type: Literal["TaskCancelled"] = "TaskCancelled"
    reason: str


class TaskDelegated(TaskEvent, frozen=True):
    """A running task called an agent: a task of its own, outside the plan."""

    type: Literal["TaskDelegated"] = "TaskDelegated"
    spec: Task
    caller: str
    """Key of the dispatch that called."""
    depth: int
    continues: bool = False
    """Whether it goes on as the attempt that was cut off with an earlier dispatch of its caller."""


class TaskWentOn(TaskEvent, frozen=True):
    """A body that has asked a person, or has called an agent that waits for one, goes on beside that."""

    type: Literal["TaskWentOn"] = "TaskWentOn"
    key: str
    waits: bool = False
    """Whether it has ceased to go on, and waits for nothing else again."""


class OutcomeLate(TaskEvent, frozen=True):
    """An outcome came for a key that is no longer pending: its usage counts, nothing else changes."""

    type: Literal["OutcomeLate"] = "OutcomeLate"
    key: str
    usage: Usage | None = None
    problem: str = ""
    """What is to be said of a body that did not end although it was stopped; empty when it ended."""
    call: str | None = None
    """The `ModelCalled` that it settles."""


class InputTrimmed(TaskEvent, frozen=True):
    """An input did not fit the token budget: the agent saw a preview and can read on."""

    type: Literal["InputTrimmed"] = "InputTrimmed"
    key: str
    input: str
    """The parameter's name."""
    tokens: int
    """Tokens of the whole value."""
    kept: int
    """Tokens of the preview."""
    blob: str
    """SHA-256 under which the whole value can be read."""


class TaskReported(TaskEvent, frozen=True):
    """What an agent said of its progress."""

    type: Literal["TaskReported"] = "TaskReported"
    key: str
    text: str


class StepFinished(TaskEvent, frozen=True):
    """A call inside an attempt brought its result: whoever continues the attempt reads it here."""

    type: Literal["StepFinished"] = "StepFinished"
    key: str
    """The dispatch that made the call."""
    step: str
    """What identifies it within the attempt: name, hash of the arguments, and how-many-eth with that hash."""
    name: str
    """What was called: "model", a tool's name, or the agent's own."""
    result: Any = None
    usage: Usage | None = None
    """Of a model call."""
    call: str | None = None
    """The `ModelCalled` that it settles."""


class EffectIntended(TaskEvent, frozen=True):
    """A call that may happen once only is about to be made."""

    type: Literal["EffectIntended"] = "EffectIntended"
    key: str
    effect: str
    """Its idempotency key."""
    tool: str
    arguments: str
    """Digest of the arguments."""


class EffectDone(TaskEvent, frozen=True):
    """The effect has happened: this is the receipt."""

    type: Literal["EffectDone"] = "EffectDone"
    effect: str
    tool: str
    arguments: str
    result: Any = None
    by: str = "tool"
    """Who says so: "tool", "probe", or a person."""


class EffectVoided(TaskEvent, frozen=True):
    """The effect has not happened, or is to be repeated: what was intended, or done, counts no more."""

    type: Literal["EffectVoided"] = "EffectVoided"
    effect: str
    by: str
    """Who says so: "tool", "probe", or a person."""
