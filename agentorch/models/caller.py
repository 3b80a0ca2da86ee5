"""Who calls a model, as the governor sees it: set by whoever runs an agent, read where calls wait for their turn."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

WAITING: Final[ContextVar[Callable[[bool], None] | None]] = ContextVar("waiting", default=None)
"""Told True when a call in this context begins to wait for its turn and False when it stops waiting.

Whoever measures a task's time stops the clock in between: time spent waiting is not the task's time.
"""

LONG_WAIT: Final = 10.0
"""Seconds that a call waits before whoever watches its run is told."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One who calls."""

    agent: str = ""
    """Whose calls are alike: the ratio of true to expected tokens is kept for each agent."""
    behind: float = 0.0
    """Seconds that its calls stand behind others that came at the same time; see `Gate`."""
    waits_long: Callable[[], None] | None = None
    """Told when a call has waited LONG_WAIT seconds."""


NOBODY: Final = Caller()
CALLER: Final[ContextVar[Caller]] = ContextVar("caller", default=NOBODY)
"""Who calls in this context."""
