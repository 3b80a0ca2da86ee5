"""Who is alive: a locked file beside the journal for each owner, let go by the operating system when a process dies.

1. The lock says that an owner's process is there; the heartbeat in the file, that it runs. One that was stopped, and
   has not beaten for 10 s of the observer's clock, counts as dead, although it holds its lock.
2. Neither says who may write: that one run has one writer is the journal's compare-and-swap.
3. An owner that has left, while something of it goes on that cannot be stopped, holds its lock and says so in the file.
4. Files of the dead are removed by whoever finds them. Where there is no `flock`, nobody is known to be alive.
"""

import contextlib
import glob
import hashlib
import os
from pathlib import Path

from agentorch.journal.heartbeat import LEFT, STALE, Heartbeat, Observer, beat_of

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class Owners:
    """The owners of the runs in the journal at `path`."""

    def __init__(self, path: Path, *, stale: float = STALE) -> None:
        self._path = path
        self._held: dict[Path, int] = {}
        self._heartbeat = Heartbeat()
        self._observer = Observer(stale=stale)

    def claim(self, owner: str) -> None:
        """Be `owner` until `disclaim`."""
        place = self._place(owner)
        if fcntl is None:
            return
        if place in self._held:
            self._heartbeat.beat_in(self._held[place])
            return
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return
        self._held[place] = handle
        self._heartbeat.beat_in(handle)

    def is_alive(self, owner: str) -> bool:
        """Whether somebody holds the lock of `owner`, and has not been seen to stand still."""
        beat = self.beat(owner)
        if beat is None or beat == LEFT:
            self._observer.forget(owner)
            return False
        return self._observer.beats(owner, beat)

    def beat(self, owner: str) -> int | None:
        """Return the heartbeat of `owner`; None when nobody holds its lock."""
        return _beat_at(self._place(owner))

    def is_there(self, owner: str) -> bool:
        """Whether somebody holds the lock of `owner`, be it one who stands still: it may wake up."""
        return self.beat(owner) is not None

    def anybody(self) -> bool:
        """Whether any owner holds a lock."""
        places = self._path.parent.glob(f"{glob.escape(self._path.name)}.owner-*")
        return any(_beat_at(place) is not None for place in places)

    def disclaim(self, owner: str, *, goes_on: bool = False) -> None:
        """Be `owner` no more; what `goes_on` keeps the lock until the process ends."""
        place = self._place(owner)
        if goes_on and place in self._held:
            self._heartbeat.leave(self._held[place], last=LEFT)
            return
        handle = self._held.pop(place, None)
        if handle is not None:
            self._heartbeat.leave(handle)
            with contextlib.suppress(OSError):
                place.unlink()
            os.close(handle)

    def _place(self, owner: str) -> Path:
        mark = hashlib.sha256(owner.encode()).hexdigest()[:16]
        return self._path.with_name(f"{self._path.name}.owner-{mark}")


def _beat_at(place: Path) -> int | None:
    """Return the heartbeat in an owner's file; None when nobody holds its lock, and then the file is removed."""
    if fcntl is None:
        return None
    try:
        handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)  # it may lie on a disk that can only be read
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return beat_of(handle)
    else:
        with contextlib.suppress(OSError):
            place.unlink()
        return None
    finally:
        os.close(handle)
