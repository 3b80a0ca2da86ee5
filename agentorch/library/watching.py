"""What is said while many files are read: a line each second, and none within the first."""

import time
from collections.abc import Callable
from typing import Final

Watch = Callable[[int, int], None]
"""Told after each file how many of how many were looked at; what it raises ends the reading."""

_EVERY: Final = 1.0
"""Seconds between two lines."""


def each_second(tell: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> Watch:
    """Return a watch that tells "read 1,200 of 4,000 files" at most once a second."""
    due = clock() + _EVERY

    def watch(done: int, total: int) -> None:
        nonlocal due
        if clock() >= due:
            tell(f"read {done:,} of {total:,} files")
            due = clock() + _EVERY

    return watch
