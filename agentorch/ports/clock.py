"""The clock port: the one place from which time enters."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

_passed: Final = partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
"""Seconds of a clock that nobody can set."""


class Clock(Protocol):
    """Wall time for events."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock as it was when this was made, and the time that has passed since.

    So it never jumps: whoever sets the machine's time moves no timeout and no limit. Time that the machine slept counts
    where the system can tell (Linux).
    """

    def __init__(self, *, wall: Callable[[], float] = time.time, passed: Callable[[], float] = _passed) -> None:
        self._passed = passed
        self._start = wall() - passed()

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._start + self._passed()
