"""What the core is told: one message, one decision. Every message carries the time at which it is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agentorch.core.call_messages import CallModel, Confirm, FinishStep, Intend, Spend, Void
from agentorch.core.crosscheck import CrossCheck
from agentorch.core.fact import Event
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import DEFAULT, Policy
from agentorch.core.task import Graph, Task
from agentorch.core.usage import UNLIMITED, Budget, Usage
from agentorch.core.verifier import Verified


@dataclass(frozen=True, slots=True)
class Begin:
    """A goal, and a verified plan when it is hand-made."""

    at: float
    goal: str
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    policy: Policy = DEFAULT
    budget: Budget = UNLIMITED
    plan: Verified | None = None
    planner: str | None = None
    person: bool = False
    priority: Literal["interactive", "batch"] = "interactive"
    tags: dict[str, str] = field(default_factory=dict[str, str])
    key: str | None = None
    request: str | None = None
    owner: str = ""
    release: str = ""
    checks: tuple[CrossCheck, ...] = ()
    templates: Mapping[str, str] = field(default_factory=dict[str, str])
    """Versions of the prompt templates, by name."""


@dataclass(slots=True)  # not frozen: that triples the cost, and each run of a known plan makes one
class BeginAs:
    """The same goal and plan as another run had: what was decided for that one is decided again."""

    at: float
    events: tuple[Event, ...]
    """What `planned.opening` gives."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """A new owner takes over."""

    at: float
    owner: str
    cards: Mapping[str, str] = field(default_factory=dict[str, str])
    """Versions of the new owner's agents and templates, when some have changed."""
    restart: frozenset[str] = frozenset()
    """Agents whose attempts that were cut off begin afresh: they have changed."""


@dataclass(frozen=True, slots=True)
class Fork:
    """A run begins as a copy of another one."""

    at: float
    parent: str
    place: int
    events: tuple[Event, ...]
    """What the other run's journal says up to `place`, but for its end."""
    owner: str
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """Outputs, by task, that take the place of the other run's."""
    cards: Mapping[str, str] = field(default_factory=dict[str, str])
    effects: bool = False
    """Whether new effects, once only, are allowed."""
    release: str = ""


@dataclass(frozen=True, slots=True)
class Propose:
    """Tasks of a plan that is still being written."""

    at: float
    tasks: tuple[Task, ...]
    source: str
    inputs: Mapping[str, Any] | None = None
    """The run's inputs as the planner saw them, large ones read; None are those of the state."""


@dataclass(frozen=True, slots=True)
class Complete:
    """The plan is whole: its last tasks and what answers the goal."""

    at: float
    tasks: tuple[Task, ...]
    """Every task of the plan. Those already accepted go on; what was accepted and is not part of it is taken back."""
    answer: str | None
    source: str
    inputs: Mapping[str, Any] | None = None
    """The run's inputs as the planner saw them, large ones read; None are those of the state."""


@dataclass(frozen=True, slots=True)
class Note:
    """The planner's account of what it did."""

    at: float
    notes: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A proposal did not pass outside the core (it could not even be read)."""

    at: float
    problems: tuple[Problem, ...]
    source: str


@dataclass(frozen=True, slots=True)
class PlanningFailed:
    """No planner could make a plan."""

    at: float
    problems: tuple[Problem, ...]
    source: str


@dataclass(slots=True)  # not frozen: that triples the cost, and each task makes one
class Admit:
    """A slot is free for a ready task."""

    at: float
    task: str


@dataclass(slots=True)  # not frozen: that triples the cost, and each task makes one
class Succeed:
    """An outcome with an accepted output."""

    at: float
    key: str
    output: Any = None
    usage: Usage | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fail:
    """An outcome without one."""

    at: float
    key: str
    kind: FailureKind
    problems: tuple[str, ...]
    output: Any = None
    usage: Usage | None = None
    retry_after: float | None = None
    effect: str | None = None
    """Idempotency key of what nobody knows whether it has happened."""
    rejected_by: tuple[str, ...] = ()
    runs_on: bool = False
    """Whether its body did not end although it was stopped."""
    called: bool = False
    """Whether what failed is an agent that it has called: that one has waited for whatever waiting would bring."""


@dataclass(frozen=True, slots=True)
class Patched:
    """A planner's patch; `asked` are the tasks that its request named."""

    at: float
    put: tuple[Task, ...]
    drop: tuple[str, ...]
    answer: str | None
    source: str
    asked: tuple[str, ...]
    inputs: Mapping[str, Any] | None = None
    """The run's inputs as the planner saw them, large ones read; None are those of the state."""


@dataclass(frozen=True, slots=True)
class PatchFailed:
    """No planner could make an acceptable patch."""

    at: float
    problems: tuple[Problem, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Delegate:
    """A running task calls an agent."""

    at: float
    key: str
    task: str
    """Id of the new task."""
    agent: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """A running task asks a person."""

    at: float
    key: str
    request_id: str
    question: str
    answer_schema: dict[str, Any]
    kind: Literal["question", "approval"] = "question"
    """An approval is that of a tool."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A person answered."""

    at: float
    request_id: str
    value: Any
    by: str
    plan: Graph | None = None
    """The plan as edited, when that is the answer."""


@dataclass(frozen=True, slots=True)
class Report:
    """A running task says how far it is."""

    at: float
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class GoOn:
    """The body of a running task goes on beside what it has asked or called, or waits for that alone again."""

    at: float
    key: str
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Trim:
    """A running task was shown a preview of an input."""

    at: float
    key: str
    input: str
    tokens: int
    kept: int
    blob: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A check across tasks was carried out, or could not be."""

    at: float
    check: str
    number: int
    problems: tuple[str, ...] = ()
    broken: bool = False
    """Whether the problems are the check's own: it has not judged."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody stops the run."""

    at: float
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The seconds that a task has of its own are used up, as far as the shell knows."""

    at: float
    task: str


@dataclass(frozen=True, slots=True)
class Abort:
    """The run cannot go on: its time is up."""

    at: float
    problem: Problem


@dataclass(frozen=True, slots=True)
class Abandon:
    """Something outside any task did not end within the grace, although the run is over."""

    at: float
    problem: Problem


@dataclass(frozen=True, slots=True)
class Stop:
    """The set-up is wrong outside any task: the run stands still, resumable."""

    at: float
    problem: Problem


@dataclass(frozen=True, slots=True)
class Conclude:
    """Nothing is left to do: close the run, or start its last task."""

    at: float


Message = (
    Begin
    | BeginAs
    | Adopt
    | Fork
    | Propose
    | Complete
    | Note
    | Reject
    | PlanningFailed
    | Admit
    | Succeed
    | Fail
    | Patched
    | PatchFailed
    | Delegate
    | Ask
    | Answer
    | Report
    | GoOn
    | Trim
    | FinishStep
    | Intend
    | Confirm
    | Void
    | CallModel
    | Checked
    | Spend
    | Cancel
    | TimeUp
    | Abort
    | Abandon
    | Stop
    | Conclude
)
