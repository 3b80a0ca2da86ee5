"""What happened: the facts of a run, in the past tense, as they stand in the journal.

1. An event says all that `apply` needs; applying the same events in order gives the same state in every release.
2. A released event type never changes its meaning. New fields have defaults; anything else is a new `version` with an
   upcaster.
3. Values in events are JSON. A large value is a `BlobRef` (see `agentorch.core.values`).
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.core.usage import NOTHING, Budget, Usage


class Event(BaseModel, frozen=True):
    """A fact of one run. Frozen; the same object in Python, JSON lines, server-sent events and the journal."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")
    version: ClassVar[int] = 1
    """Version of this event type's fields."""

    seq: int
    """Position in the run's journal, from 1, without gaps."""
    at: float
    """When it was decided: seconds since the epoch."""
    run_id: str
    type: str
    """The name of the class."""
    task: str | None = None
    """The task that it is about, if one."""


class TaskEvent(Event, frozen=True):
    """A fact of one task."""

    task: str  # pyright: ignore[reportGeneralTypeIssues]  # required here, whatever the base says


class RunStarted(Event, frozen=True):
    """A goal was accepted: from here on the run exists."""

    type: Literal["RunStarted"] = "RunStarted"
    goal: str
    inputs: dict[str, Any] = {}
    """Values that tasks may refer to as `$inputs.name`."""
    policy: Policy = Policy()
    budget: Budget = Budget()
    cards: dict[str, str] = {}
    """Version (source or prompt hash) of every agent of the team, by name."""
    planner: str | None = None
    """What plans and re-plans: "model", "rules", or None for a hand-made plan that is never re-planned."""
    person: bool = False
    """Whether somebody can be asked."""
    priority: Literal["interactive", "batch"] = "interactive"
    tags: dict[str, str] = {}
    key: str | None = None
    """The caller's idempotency key."""
    request: str | None = None
    """Digest of what was asked under `key`."""
    owner: str = ""
    """The process that carries the run out."""
    release: str = ""
    """The agentorch version that wrote it."""


class RunAdopted(Event, frozen=True):
    """Another owner took the run over; what was pending is carried out again."""

    type: Literal["RunAdopted"] = "RunAdopted"
    owner: str


class TasksAccepted(Event, frozen=True):
    """Tasks passed every check that this prefix of the plan allows."""

    type: Literal["TasksAccepted"] = "TasksAccepted"
    tasks: tuple[Task, ...]
    """In an order in which each needs only tasks above it."""
    source: str
    """Who proposed them: "user", "model", "rules", "closing"."""


class PlanRejected(Event, frozen=True):
    """A proposed plan, or part of one, had errors; nothing of that part runs."""

    type: Literal["PlanRejected"] = "PlanRejected"
    problems: tuple[Problem, ...]
    source: str


class PlanNoted(Event, frozen=True):
    """The planner's own account: what was repaired without a model, why the rules chose as they did."""

    type: Literal["PlanNoted"] = "PlanNoted"
    notes: tuple[str, ...]
    source: str


class PlanCompleted(Event, frozen=True):
    """The plan is whole: `answer` is what the run is for."""

    type: Literal["PlanCompleted"] = "PlanCompleted"
    answer: str
    """A reference."""
    source: str
    problems: tuple[Problem, ...] = ()
    """Warnings."""


class TaskStarted(TaskEvent, frozen=True):
    """A ready task was admitted: inputs frozen, budget reserved, key issued."""

    type: Literal["TaskStarted"] = "TaskStarted"
    key: str
    inputs: str
    """Digest of the input values and the filled-in objective."""
    reserved: Usage | None = None
    """For reservations; None until then."""


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


Rung = Literal["redispatch", "repair", "retry", "model", "agent", "person"]
"""The rungs of the ladder that start the task again."""


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


class OutcomeLate(TaskEvent, frozen=True):
    """An outcome came for a key that is no longer pending: its usage counts, nothing else changes."""

    type: Literal["OutcomeLate"] = "OutcomeLate"
    key: str
    usage: Usage | None = None


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


class ReplanRequested(Event, frozen=True):
    """The planner is asked for a patch."""

    type: Literal["ReplanRequested"] = "ReplanRequested"
    number: int
    """Which re-plan of the run, from 1."""
    tasks: tuple[str, ...]
    """The tasks that gave up."""
    again: bool = False
    """Whether this is the same re-plan, asked again because more problems arrived."""


class PlanPatched(Event, frozen=True):
    """The plan was changed while it ran."""

    type: Literal["PlanPatched"] = "PlanPatched"
    revision: int
    put: tuple[Task, ...]
    drop: tuple[str, ...]
    answer: str | None = None
    """The new answer reference; None keeps the old one."""
    source: str


class ReplanFailed(Event, frozen=True):
    """No acceptable patch: the tasks that waited for it go on down the ladder."""

    type: Literal["ReplanFailed"] = "ReplanFailed"
    problems: tuple[Problem, ...]
    source: str


RequestKind = Literal["failure", "approval", "question"]


class RequestOpened(Event, frozen=True):
    """Something waits for a person."""

    type: Literal["RequestOpened"] = "RequestOpened"
    request_id: str
    kind: RequestKind
    question: str
    answer_schema: dict[str, Any] = {}
    """What an answer must look like."""
    key: str | None = None
    """The dispatch that asked, for a question of an agent."""


class RequestAnswered(Event, frozen=True):
    """A person answered."""

    type: Literal["RequestAnswered"] = "RequestAnswered"
    request_id: str
    value: Any
    by: str


class RunStopped(Event, frozen=True):
    """The run stands still because of the set-up (a wrong key, no connection); it can be resumed."""

    type: Literal["RunStopped"] = "RunStopped"
    problem: Problem


class RunAborted(Event, frozen=True):
    """The run is brought to its end: its time is up, or no plan could be made."""

    type: Literal["RunAborted"] = "RunAborted"
    problem: Problem


class RunCancelling(Event, frozen=True):
    """Somebody stopped the run: nothing more is started."""

    type: Literal["RunCancelling"] = "RunCancelling"
    by: str
    reason: str = ""


class UsageAdded(Event, frozen=True):
    """Use of a model outside any task: planning and re-planning."""

    type: Literal["UsageAdded"] = "UsageAdded"
    purpose: str
    usage: Usage = NOTHING


RunStatus = Literal["succeeded", "partial", "failed", "cancelled"]


class RunFinished(Event, frozen=True):
    """The last word: nothing follows but what a late outcome used."""

    type: Literal["RunFinished"] = "RunFinished"
    status: RunStatus
    problems: tuple[Problem, ...] = ()


AnyEvent = Annotated[
    RunStarted
    | RunAdopted
    | TasksAccepted
    | PlanRejected
    | PlanNoted
    | PlanCompleted
    | TaskStarted
    | TaskSucceeded
    | TaskKept
    | AttemptFailed
    | TaskRetried
    | TaskGaveUp
    | TaskFailed
    | TaskCancelled
    | TaskDelegated
    | OutcomeLate
    | InputTrimmed
    | TaskReported
    | ReplanRequested
    | PlanPatched
    | ReplanFailed
    | RequestOpened
    | RequestAnswered
    | RunStopped
    | RunAborted
    | RunCancelling
    | UsageAdded
    | RunFinished,
    Field(discriminator="type"),
]
"""Every event, told apart by `type`."""
