"""What a loop that never ends complains of: each trouble is said when it begins, and not at every turn."""

import logging
import sqlite3
from typing import Final

from agentorch.errors import AgentorchError

QUIET: Final = 60.0
"""Seconds without a trouble after which it counts as over: should it come again, it is said again."""
_FORESEEN: Final = (AgentorchError, OSError, sqlite3.Error)


class Complaints:
    """Says each kind of error about each thing once, for as long as it lasts."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last: dict[tuple[str, type[Exception]], float] = {}
        """When each was met last."""

    def say(self, what: str, error: Exception, *, now: float) -> None:
        """Write a warning of `what`, unless it was met less than a minute before `now`, in seconds of any clock.

        An error that nobody has foreseen is told with the place where it was raised.
        """
        self._last = {each: at for each, at in self._last.items() if now - at < QUIET}
        is_known = (what, type(error)) in self._last
        self._last[what, type(error)] = now
        if not is_known:
            words = str(error) if isinstance(error, AgentorchError) else f"{type(error).__name__}: {error}"
            self._log.warning("%s: %s", what, words, exc_info=None if isinstance(error, _FORESEEN) else error)
