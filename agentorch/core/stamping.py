"""Events get their place: run, sequence number and time."""

from typing import Any, TypeVar

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
