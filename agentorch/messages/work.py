"""The two payloads that matter: work handed to a worker, and the result that comes back."""

from dataclasses import dataclass
from typing import Any, Literal

from agentorch.core.failures import FailureKind
from agentorch.core.task import Task
from agentorch.core.usage import UNLIMITED, Budget, Usage


@dataclass(slots=True)  # not frozen: that triples the cost, and each run makes one
class Terms:
    """What holds for a dispatch because of its run and its policies: most dispatches of a run share it."""

    run_id: str
    timeout: float | None = None
    """Seconds that the body may run."""
    silence: float | None = None
    grace: float = 5.0
    """Seconds that the body has to end in once it was stopped."""
    repeats: int | None = None
    """Turns in a row in which its model may only repeat calls; None is no limit."""
    budget: Budget = UNLIMITED
    """The run's budget; what is left of it `Host.budget` says."""


@dataclass(slots=True)  # not frozen: that triples the cost, and each task makes one
class Work:
    """One dispatch: everything that a worker needs, and nothing of the rest of the run."""

    key: str
    """The dispatch key; the result names it."""
    terms: Terms
    task: Task
    """The task with its references as written."""
    agent: str
    """Who does it; another than `task.agent` after a fallback."""
    inputs: dict[str, Any]
    """Input values, references resolved."""
    objective: str | list[Any]
    """The objective, filled in; its pieces, where it names large values: see `agentorch.core.references.fill`."""
    attempt: int = 1
    deadline: float | None = None
    """When its time, its caller's or the run's is up at the earliest, in seconds since the epoch."""
    depth: int = 0
    steps: dict[str, Any] | None = None
    """Results of the steps that the attempt has finished in earlier dispatches, by identity; None is none."""
    model: int = 0
    """Which of the agent's models."""
    mode: Literal["fresh", "repair"] = "fresh"
    output: Any = None
    """For a repair: the output that was rejected."""
    problems: tuple[str, ...] = ()
    """Why the last attempt was rejected."""


@dataclass(slots=True)  # not frozen: that triples the cost, and each task makes one
class Result:
    """What came of a dispatch: an accepted output, or a classified failure."""

    key: str
    output: Any = None
    kind: FailureKind | None = None
    """None is success."""
    problems: tuple[str, ...] = ()
    usage: Usage | None = None
    sources: tuple[str, ...] = ()
    retry_after: float | None = None
    effect: str | None = None
    """Idempotency key of what nobody knows whether it has happened."""
    rejected_by: tuple[str, ...] = ()
    """Names of the checks that rejected the output."""
    runs_on: bool = False
    """Whether its body did not end although it was stopped."""
    called: bool = False
    """Whether what failed is an agent that it has called."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Stop working on `key`: nobody waits for it any more."""

    key: str
    """A dispatch; or a run that has been brought to its end, for what its dispatches have left behind."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of text that a model has just said; lossy, never journaled."""

    key: str
    text: str


Payload = Work | Result | Withdrawal | TextDelta
