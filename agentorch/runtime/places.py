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


_STEPPING: ContextVar[tuple[tuple[object, Place], ...]] = ContextVar("agentorch_stepping", default=())
"""The services that the functions of steps use, and their places, the innermost first."""


@contextmanager
def stepping(services: object, place: Place) -> Generator[None]:
    """Have `services` be used at `place` in this block, and in what is begun in it."""
    before = _STEPPING.set(((services, place), *_STEPPING.get()))
    try:
        yield
    finally:
        _STEPPING.reset(before)


def place_of(services: object, otherwise: Place) -> Place:
    """Return where `services` are used just now."""
    return next((place for used, place in _STEPPING.get() if used is services), otherwise)
