"""How a command's process ends: with its exit code, and without waiting for what cannot be stopped.

1. All is said, and what the command has opened is closed, before it leaves.
2. Threads of agents that were left to themselves, and event loops in which something goes on, are not waited for. Nor
   is anything after Ctrl-C.
3. Else the interpreter ends in its own way.
"""

import os
import sys
import threading
import time
from contextlib import suppress
from typing import Final, NoReturn

from agentorch.cli.streams import let_go_of_words

INTERRUPTED: Final = 130
GRACE: Final = 0.5
"""Seconds in which what was told to end may still do so."""
UNENDING: Final[list[object]] = []
"""What runs the event loops in which something goes on: kept, for Python complains of each task that it throws away."""
_WORKER: Final = "AnyIO worker thread"
"""The name of each thread in which plain functions are called; the interpreter would wait for it."""


def leave(code: int) -> NoReturn:
    """End the process; called elsewhere than in the main thread, it ends what that thread does."""
    if threading.current_thread() is not threading.main_thread():
        sys.exit(code)
    try:
        at_once = code == INTERRUPTED or bool(UNENDING) or _threads_go_on()
    except KeyboardInterrupt:
        at_once = True
    if at_once:
        _end(code)
    let_go_of_words()
    sys.exit(code)


def _threads_go_on() -> bool:
    """Whether a thread of agents does not end: idle ones do so by themselves, a moment after their event loop."""
    until = time.monotonic() + GRACE
    workers = [thread for thread in threading.enumerate() if thread.name == _WORKER]
    for thread in workers:
        thread.join(max(0.0, until - time.monotonic()))
    return any(thread.is_alive() for thread in workers)


def _end(code: int) -> NoReturn:
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    os._exit(code)
