"""Where in a dispatch its services are used: in the agent's body, in a tool, or in the function of a step.

A tool is given services of its own. The function of a step uses the body's, through the same context: where it is, its
asyncio task knows, and its thread.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One place."""

    step: str
    """The step of the tool or the function; empty in the body."""
    effect: str
    """The idempotency key that holds there."""


_STEPPING: ContextVar[tuple[object, Place] | None] = ContextVar("agentorch_stepping", default=None)
"""The services that a step's function uses, and its place."""


@contextmanager
def stepping(services: object, place: Place) -> Generator[None]:
    """Have `services` be used at `place` in this block, and in what is begun in it."""
    before = _STEPPING.set((services, place))
    try:
        yield
    finally:
        _STEPPING.reset(before)


def place_of(services: object, otherwise: Place) -> Place:
    """Return where `services` are used just now."""
    inside = _STEPPING.get()
    return otherwise if inside is None or inside[0] is not services else inside[1]
