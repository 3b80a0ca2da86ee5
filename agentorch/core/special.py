"""What few tasks have: a ladder that was climbed, a caller, a budget of their own.

A plan of thousands makes a state for each task, and nearly all of them start, succeed and are done: what they never
have takes neither time nor room, and one look says that there is none of it.
"""

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, Self, TypeVar, overload

from agentorch.core.accounts import Account
from agentorch.core.empties import DICT
from agentorch.core.failures import Problem
from agentorch.core.usage import Usage

Mode = Literal["fresh", "repair"]


@dataclass(slots=True)
class Ladder:
    """How far a task has climbed. Made at its first failure, so that a healthy task does not carry it."""

    agent: str
    model: int = 0
    mode: Mode = "fresh"
    starts: int = 1
    """Fresh starts with this agent and model."""
    repairs: int = 0
    """Repairs with this agent and model."""
    tried: tuple[str, ...] = ()
    """Agents that have been given up."""
    since: float = 0.0
    """When this attempt was first dispatched."""
    output: Any = None
    """What was rejected last."""
    problems: tuple[str, ...] = ()
    """Why the last dispatch failed."""
    kind: str = ""
    """The failure kind of the last dispatch."""
    seen: dict[str, int] = field(default_factory=DICT)
    """What this agent and model had rejected, as digests of output and problems, with the attempt that brought it."""
    first: str = ""
    """Why the task's own agent was given up, in words; empty while it has the task."""


@dataclass(frozen=True, slots=True)
class Memo:
    """An output from before a patch, valid while the inputs digest is the same."""

    inputs: str
    output: Any
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EndedDispatch:
    """A dispatch that is over, and that the task does not stand by."""

    revision: int
    attempt: int
    dispatch: int
    agent: str
    started: float
    ended: float
    how: str
    """Its failure kind; "succeeded" for an output that did not stand."""


@dataclass(slots=True)
class Special:
    """What few tasks have."""

    ladder: Ladder | None = None
    problem: Problem | None = None
    """Why it failed or gave up."""
    cause: str | None = None
    """For a skipped task: the need that made it so."""
    memo: Memo | None = None
    caller: str | None = None
    """For a delegated task: the key that called it."""
    depth: int = 0
    children: list[str] | None = None
    """Ids of the tasks that its current dispatch, or an earlier one, delegated."""
    open_children: int = 0
    questions: int = 0
    """Open questions to a person that its current dispatch has asked."""
    works: bool = False
    """Whether its body goes on beside what it has asked or called, and does not wait for it."""
    approved: bool = False
    spent: Usage | None = None
    steps: dict[str, Any] | None = None
    """Results of the finished steps of the current attempt, by identity; None while there is none."""
    account: Account | None = None
    """What it may use and has used; made when it is first admitted under a limit."""
    ended: tuple[EndedDispatch, ...] = ()
    """The dispatches before the one under way, and that one if it has brought nothing; see `core.records`."""
    before: Usage | None = None
    """What earlier revisions used, where `spent` does not hold it."""


def carried_over(
    *,
    memo: Memo | None = None,
    spent: Usage | None = None,
    ended: tuple[EndedDispatch, ...] = (),
    before: Usage | None = None,
) -> Special | None:
    """Return what a task goes on with in a new revision."""
    if memo is None and spent is None and before is None and not ended:
        return None
    return Special(memo=memo, spent=spent, ended=ended, before=before)


class _Task(Protocol):
    special: Special | None


T = TypeVar("T")


class Rare(Generic[T]):
    """A field of a task that is kept in its `special`: made when the field is first given another value than `none`."""

    def __init__(self, none: T) -> None:
        self._none = none

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, task: None, owner: type) -> Self: ...
    @overload
    def __get__(self, task: _Task, owner: type) -> T: ...
    def __get__(self, task: _Task | None, owner: type) -> T | Self:
        """Return the value."""
        if task is None:
            return self
        special = task.special
        return self._none if special is None else getattr(special, self._name)

    def __set__(self, task: _Task, value: T) -> None:
        """Set the value."""
        special = task.special
        if special is None:
            if value == self._none:
                return
            special = task.special = Special()
        setattr(special, self._name, value)
