"""Who is alive: a locked file beside the journal for each owner, let go by the operating system when a process dies.

1. The lock says only that an owner lives. That one run has one writer is the journal's compare-and-swap, not this.
2. Files of the dead are removed by whoever finds them. Where there is no `flock`, nobody is known to be alive.
"""

import contextlib
import hashlib
import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class Owners:
    """The owners of the runs in the journal at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[Path, int] = {}

    def claim(self, owner: str) -> None:
        """Be `owner` until `disclaim`."""
        place = self._place(owner)
        if fcntl is None or place in self._held:
            return
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return
        self._held[place] = handle

    def is_alive(self, owner: str) -> bool:
        """Whether somebody holds the lock of `owner`."""
        if fcntl is None:
            return False
        place = self._place(owner)
        try:
            handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)  # it may lie on a disk that can only be read
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            with contextlib.suppress(OSError):
                place.unlink()
            return False
        finally:
            os.close(handle)

    def disclaim(self, owner: str) -> None:
        """Be `owner` no more."""
        place = self._place(owner)
        handle = self._held.pop(place, None)
        if handle is not None:
            with contextlib.suppress(OSError):
                place.unlink()
            os.close(handle)

    def _place(self, owner: str) -> Path:
        mark = hashlib.sha256(owner.encode()).hexdigest()[:16]
        return self._path.with_name(f"{self._path.name}.owner-{mark}")
