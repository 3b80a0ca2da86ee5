"""Files that somebody else names: only regular ones are read, and only so much of each.

1. A device, a pipe or a socket may never end, or never begin; it is refused before a byte of it is read.
2. A database that is in use is not opened, the journal of a run among them: to close any descriptor of it would drop
   the locks by which this process holds it.
"""

import errno
import os
import stat
from pathlib import Path


def read_regular(path: str | Path, *, most: int) -> bytes:
    """Return the bytes of a file; OSError, with its reason in `strerror`, for what is none or has more than `most`."""
    try:
        refuse_in_use(os.path.realpath(path))
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except ValueError:  # a NUL in it, or a character that no file system has
        raise OSError(errno.EINVAL, "this is no name of a file", str(path)) from None
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        data = file.read(most + 1)
        if len(data) > most:
            size = max(len(data), os.fstat(descriptor).st_size)
            raise OSError(errno.EFBIG, f"it is {size:,} bytes long; at most {most:,} are read", str(path))
    return data


def refuse_in_use(real: str) -> None:
    """Raise OSError for an SQLite database, or the index of its log, with its log beside it: somebody has it open."""
    database = real.removesuffix("-wal").removesuffix("-shm")
    if os.path.isfile(database) and os.path.exists(f"{database}-wal"):  # noqa: PTH110, PTH113
        raise OSError(errno.EBUSY, "a database in use", real)


def at_home(path: str | Path) -> Path:
    """Return a path with `~` at its beginning read as a home folder; one of nobody's is a name like any other."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # Path.expanduser raises RuntimeError for an unknown user
