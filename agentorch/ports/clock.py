"""The clock port: the one place from which time enters."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for events."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()
