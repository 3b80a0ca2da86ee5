"""The planner port: a goal and the cards of a team in; tasks, as they become known, out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from agentorch.core.card import AgentCard
from agentorch.core.failures import Problem
from agentorch.core.task import Graph, Task
from agentorch.core.usage import NOTHING, Usage


@dataclass(frozen=True, slots=True)
class Finished:
    """A task of the running plan, as a re-planner sees it."""

    task: Task
    status: str
    frozen: bool
    """Whether a patch may not touch it: it is running, or has succeeded."""
    output: Any = None
    """A short preview of the output, when it succeeded."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A change of a running plan."""

    put: tuple[Task, ...] = ()
    drop: tuple[str, ...] = ()
    answer: str | None = None


CONVERSATION: Final = "conversation"
"""The input that holds what was said before the goal: planners see it, agents get it where a task says so."""
EARLIER: Final = "earlier"
"""The input that holds the question before the goal, where no model is there that could read the conversation."""

Note = Callable[[str], None]
"""Says a line at once: what should not wait for the report, such as a wait."""
Check = Callable[[Graph | Patch], tuple[Problem, ...]]
"""Says what the run would refuse in a whole plan or a patch, as it stands now; nothing is decided by asking."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is to be planned, or mended."""

    goal: str
    cards: tuple[AgentCard, ...]
    """The team, sorted by name."""
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Values that tasks may refer to as `$inputs.name`."""
    max_tasks: int = 100
    tasks: tuple[Finished, ...] = ()
    """The running plan, when this is a re-plan; else what was accepted of an earlier planner, to be used or not."""
    failed: tuple[Problem, ...] = ()
    """Why it must be re-planned; each names its task."""
    tried: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Agents that have failed at a task, by task id."""
    note: Note = field(default=lambda _: None, compare=False, repr=False)
    check: Check = field(default=lambda _: (), compare=False, repr=False)
    """Beyond what can be seen from here: prices, plans that the run has had, work that may not be undone."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of a proposal: the tasks that were accepted, and the problems of the rest."""

    accepted: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


Offer = Callable[[Sequence[Task]], Ruling]
"""Hands over tasks of a plan that is still being written. May be called any number of times; what it accepts may be
running before it returns. A task that names an id not yet seen is held back by the caller, not by the callee."""


@dataclass(slots=True)
class PlanReport:
    """What a planner did."""

    graph: Graph = field(default_factory=lambda: Graph(()))
    """The whole plan, offered tasks included."""
    patch: Patch = field(default_factory=Patch)
    """The change, for a re-plan."""
    notes: list[str] = field(default_factory=list[str])
    """Deterministic repairs made, choices explained: each one line."""
    rejected: list[tuple[Problem, ...]] = field(default_factory=list[tuple[Problem, ...]])
    """Problems of each proposal of the model that did not pass."""
    usage: Usage = NOTHING


class Planner(Protocol):
    """Makes plans. Raises `PlanError` in words when the goal cannot be planned with this team."""

    name: str
    """"model", "rules", or the user's own."""

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        """Return a plan for `request.goal`; `offer` takes tasks early, while the rest is being written."""
        ...

    async def patch(self, request: PlanRequest) -> PlanReport:
        """Return a patch that deals with `request.failed`."""
        ...
