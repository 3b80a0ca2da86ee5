"""A program of its own: kills the process groups that it was told of when the process that started it has ended.

It is run by path and imports next to nothing, so that it starts at once and takes little. It is told `+GROUP` and
`-GROUP`, a line each, on its standard input. Nothing but the end of that process ends it.
"""

import os
import select
import signal
import sys
from contextlib import suppress
from typing import Final

_PIPE: Final = 0
_UNHEARD: Final = ("SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT")


def main(parent: int) -> None:
    """Guard the groups of the process `parent`."""
    for name in _UNHEARD:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.chdir("/")
    for group in _left(parent):
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)


def _left(parent: int) -> set[int]:
    """Return the groups that are left at the end of the parent."""
    groups: set[int] = set()
    rest = b""
    watched = [_PIPE, *_ends(parent)]
    while True:
        ready = select.select(watched, [], [])[0]
        data = os.read(_PIPE, 1 << 16) if _PIPE in ready else b""
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            (groups.add if line.startswith(b"+") else groups.discard)(int(line[1:]))
        if not data:
            return groups


def _ends(parent: int) -> list[int]:
    """Return what can be read when the parent has ended, where there is such a thing.

    The pipe would stay open for as long as a process lives that it has forked.
    """
    if not hasattr(os, "pidfd_open"):
        return []
    try:
        return [os.pidfd_open(parent)]
    except OSError:  # it has ended, or the system has none: the pipe tells
        return []


if __name__ == "__main__":
    main(int(sys.argv[1]))
