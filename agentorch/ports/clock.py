"""The clock port: the one place from which time enters."""

import time
from collections.abc import Callable
from typing import Protocol


def _passed() -> float:
    """Return seconds of a clock that nobody can set."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


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
