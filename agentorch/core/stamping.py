"""Events get their place: run, sequence number and time."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel

from agentorch.core.events import Event
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

    def trusted(self, kind: type[EventT], /, **fields: Any) -> EventT:
        """Return the same without validating it: for the two events that every task has, whose fields are known good.

        Half of an event's cost is its validation, and most of its size the set of the fields that were given.
        """
        given = _GIVEN.get(kind) or _given(kind)
        event = _new(kind)
        values = event.__dict__
        values.update(given.defaults)
        self.seq = values["seq"] = self.seq + 1
        values["at"] = self.at
        values["run_id"] = self.run_id
        values.update(fields)
        _set_names(event, given.names)
        _set_extra(event, None)
        _set_private(event, None)
        return event


class _Given(NamedTuple):
    """What every trusted event of a type shares."""

    defaults: dict[str, Any]
    names: set[str]


_new: Final = object.__new__
_slots: Final[Any] = BaseModel  # their descriptors, through which a frozen model can be filled
_set_names: Final[Callable[[Event, set[str]], None]] = _slots.__pydantic_fields_set__.__set__
_set_extra: Final[Callable[[Event, None], None]] = _slots.__pydantic_extra__.__set__
_set_private: Final[Callable[[Event, None], None]] = _slots.__pydantic_private__.__set__
_GIVEN: Final[dict[type[Event], _Given]] = {}


def _given(kind: type[Event]) -> _Given:
    fields = kind.model_fields
    defaults = {name: field.default for name, field in fields.items() if not field.is_required()}
    given = _GIVEN[kind] = _Given(defaults, set(fields))
    return given
