"""What holds a child: it dies with its parent, dumps no core, and may take so much memory and no more."""

import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_SIGKILL: Final = 9


def die_with(parent: int) -> None:
    """See to it that this process is killed when its parent ends, on Linux; elsewhere the closed pipe does it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:  # it ended before that
        os._exit(1)


def limit_memory(size: int) -> None:
    """Let this process take `size` bytes of memory beside what it has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + size
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
