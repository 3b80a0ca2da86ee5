"""Events get their place: run, sequence number and time."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from agentorch.core.events import (
    Event,
    PlanCompleted,
    RequestOpened,
    RunFinished,
    RunStarted,
    TasksAccepted,
    TaskStarted,
    TaskSucceeded,
)
from agentorch.core.state import RunState

EventT = TypeVar("EventT", bound=Event)


class Stamp:
    """Makes the events of one decision, numbered from the state's next."""

    __slots__ = ("at", "run_id", "seq")

    def __init__(self, state: RunState, at: float) -> None:
        self.run_id = state.run_id
        self.seq = state.seq
        self.at = at

    def __call__(self, kind: type[EventT], /, **fields: Any) -> EventT:
        """Return an event of `kind` with the next sequence number."""
        self.seq += 1
        return kind(seq=self.seq, at=self.at, run_id=self.run_id, **fields)

    def trusted(self, kind: type[EventT], values: dict[str, Any], /) -> EventT:
        """Return the same without validating it; `values` are all its fields but the three that are stamped."""
        self.seq = values["seq"] = self.seq + 1
        values["at"] = self.at
        values["run_id"] = self.run_id
        return trusted(kind, values)

    def again(self, event: EventT) -> EventT:
        """Return an event that says of this run what `event`, which is valid, says of another one; they share it."""
        return self.trusted(event.__class__, dict(event.__dict__))


def trusted(kind: type[EventT], values: dict[str, Any], /) -> EventT:
    """Return an event with these values without validating it: for what every task or run has, known to be good.

    Half of an event's cost is its validation, and most of its size the set of the fields that were given.
    """
    event = _new(kind)
    _set_values(event, values)
    _set_names(event, _NAMES[kind])
    _set_extra(event, None)
    _set_private(event, None)
    return event


_new: Final = object.__new__
_slots: Final[Any] = BaseModel  # their descriptors, through which a frozen model can be filled
_set_values: Final[Callable[[Event, dict[str, Any]], None]] = _slots.__dict__["__dict__"].__set__
_set_names: Final[Callable[[Event, set[str]], None]] = _slots.__pydantic_fields_set__.__set__
_set_extra: Final[Callable[[Event, None], None]] = _slots.__pydantic_extra__.__set__
_set_private: Final[Callable[[Event, None], None]] = _slots.__pydantic_private__.__set__
_TRUSTED: Final = (TaskStarted, TaskSucceeded, RunStarted, TasksAccepted, PlanCompleted, RequestOpened, RunFinished)
_NAMES: Final[dict[type[Event], set[str]]] = {kind: set(kind.model_fields) for kind in _TRUSTED}
"""The names of the fields of each type that is trusted: shared by all its events."""
