"""An event: one fact of a run, as it stands in the journal."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


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
