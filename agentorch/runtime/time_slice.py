"""How long the slots of a worker may have the event loop, all of them together, before others get it."""

import asyncio
from time import monotonic
from typing import Final

SLICE: Final = 0.02
"""Seconds: bodies that compute before they end, or wait, hold up nobody for long. A turn has its own cost: where 200
bodies compute for 1.5 ms and call a model then, slices of 5 ms cost 0.24 ms of CPU for each, slices of 20 ms 0.06
to 0.12."""


class TimeSlice:
    """The time that slots take of one turn of the event loop."""

    def __init__(self) -> None:
        self._begun = False
        self._until = 0.0

    def is_up(self) -> bool:
        """Whether this turn's time is up; it begins to run when that is first asked."""
        if self._begun:
            return monotonic() > self._until
        self._begun, self._until = True, monotonic() + SLICE
        asyncio.get_running_loop().call_soon(self._end)
        return False

    def _end(self) -> None:
        """The event loop has come to its next turn."""
        self._begun = False
