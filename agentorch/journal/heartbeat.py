"""A heartbeat: a number in a file that grows while its process runs, and stands still when it is stopped or dead.

1. It is written by a thread of its own, so that an event loop that is held up does not look dead.
2. Whoever observes it compares by their own monotonic clock: no two machines' or processes' clocks must agree.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

BEAT: Final = 0.5
"""Seconds from one beat to the next."""
STALE: Final = 10.0
"""Seconds without a beat after which its process counts as dead."""
LEFT: Final = -1
"""What stands in the place of a beat when an owner has left, and something of it goes on."""
_DIGITS: Final = 20


class Heartbeat:
    """Beats in every file that it was given, until they are taken away."""

    def __init__(self) -> None:
        self._handles: set[int] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._count = 0

    def beat_in(self, handle: int) -> None:
        """Begin to write into the open file `handle`."""
        with self._lock:
            self._handles.add(handle)
            self._write(handle, self._count)
            if self._thread is None:
                self._over.clear()
                self._thread = threading.Thread(target=self._go_on, name="agentorch-heartbeat", daemon=True)
                self._thread.start()

    def leave(self, handle: int, *, last: int | None = None) -> None:
        """Write into it no more, but for a `last` word; it may be closed when this returns."""
        with self._lock:
            self._handles.discard(handle)
            if last is not None:
                self._write(handle, last)
            thread = self._thread if not self._handles else None
            if thread is not None:
                self._thread = None
                self._over.set()
        if thread is not None:
            thread.join()

    def _go_on(self) -> None:
        while not self._over.wait(BEAT):
            with self._lock:
                self._count += 1
                for handle in self._handles:
                    self._write(handle, self._count)

    def _write(self, handle: int, count: int) -> None:
        with suppress(OSError):  # a full disk is no death: the lock still tells that the process lives
            os.pwrite(handle, b"%0*d" % (_DIGITS, count), 0)


def beat_of(handle: int) -> int:
    """Return the number in an open file; 0 when there is none yet."""
    try:
        return int(os.pread(handle, _DIGITS, 0) or b"0")
    except (OSError, ValueError):
        return 0


class Observer:
    """Watches heartbeats by the monotonic clock of this process."""

    def __init__(self, *, stale: float = STALE, clock: Callable[[], float] = time.monotonic) -> None:
        self._stale = stale
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}

    def beats(self, owner: str, count: int) -> bool:
        """Whether the heartbeat of `owner`, which now says `count`, may still go on."""
        now = self._clock()
        known = self._seen.get(owner)
        if known is None or known[0] != count:
            self._seen[owner] = count, now
            return True
        return now - known[1] < self._stale

    def forget(self, owner: str) -> None:
        """Drop what was seen of `owner`."""
        self._seen.pop(owner, None)
