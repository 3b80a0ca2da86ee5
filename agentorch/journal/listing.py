"""What a list of runs shows, derived from a run's events one at a time; and where an append must stand."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, get_args

from agentorch.core.events import (
    Event,
    PlanCompleted,
    RunAdopted,
    RunFinished,
    RunForked,
    RunStarted,
    RunStatus,
    RunStopped,
)

_STATUS: Final[Mapping[type[Event], str]] = {
    RunStarted: "planning",
    PlanCompleted: "running",
    RunAdopted: "running",
    RunForked: "running",
    RunStopped: "stopped",
}


_TELLING: Final = frozenset({*_STATUS, RunFinished})


class Opening(NamedTuple):
    """What a run's first event says for good."""

    goal: str = ""
    tags: Mapping[str, str] = {}
    key: str | None = None
    request: str | None = None


NOTHING_SAID: Final = Opening()
"""The opening of a run whose first event is no `RunStarted`, and of an append that begins no run."""
FINISHED: Final = frozenset(get_args(RunStatus))
"""What the list shows of runs that are over."""
OTHER_WRITER: Final = "another writer was first; look again (`agentorch runs show`) before you try again"
"""Why an append conflicts, and what is to be done."""


def opening(event: Event) -> Opening:
    """Return what `event`, the first of a run, says of it; nothing when it is no `RunStarted`."""
    if isinstance(event, RunStarted):
        return Opening(event.goal, event.tags, event.key, event.request)
    return NOTHING_SAID


def status_told_by(events: Sequence[Event]) -> str:
    """Return the status of the run behind `events`, or "" when they change nothing."""
    if _TELLING.isdisjoint(map(type, events)):
        return ""
    told = next(event for event in reversed(events) if type(event) in _TELLING)
    return told.status if isinstance(told, RunFinished) else _STATUS[type(told)]


def owner_told_by(event: Event) -> str | None:
    """Return who carries the run out from `event` on, or None when it changes nothing."""
    return event.owner if isinstance(event, RunStarted | RunAdopted | RunForked) else None


def check_place(run_id: str, events: Sequence[Event], after: int) -> None:
    """ValueError unless `events` belong to `run_id` and are numbered from `after + 1`: the caller's mistake."""
    if not events:
        raise ValueError(f"run {run_id}: an append needs at least one event")
    places = [event.seq for event in events]
    if places == list(range(after + 1, after + 1 + len(events))) and {event.run_id for event in events} == {run_id}:
        return
    for seq, event in enumerate(events, after + 1):
        if event.seq != seq or event.run_id != run_id:
            raise ValueError(f"event {event.seq} of run {event.run_id} cannot stand at {seq} of run {run_id}")
