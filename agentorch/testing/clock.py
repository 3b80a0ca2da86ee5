"""A clock for tests: event time follows the event loop, so that a virtual loop makes virtual events."""

import asyncio


class LoopClock:
    """Seconds since the epoch as the running loop counts them: `start` when the loop says 0."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._start = start

    def now(self) -> float:
        """Return `start` plus the running loop's time."""
        return self._start + asyncio.get_running_loop().time()
