"""How a process of tests ends although threads of plain functions go on: else it would wait for ever."""

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from agentorch.threads import at_work

_GRACE: Final = 1.0
"""Seconds in which a thread that was left behind may still end, once nothing else is left to be done."""


def end_with(code: Callable[[], int]) -> None:
    """Have the process end with `code()` when its main thread has ended and a plain function still goes on."""
    if at_work():
        threading.Thread(target=_end, args=(code,), name="agentorch end of tests", daemon=True).start()


def _end(code: Callable[[], int]) -> None:
    threading.main_thread().join()  # then all is said, and the interpreter waits for the threads
    until = time.monotonic() + _GRACE
    while time.monotonic() < until:
        if not at_work():
            return
        time.sleep(0.02)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it may be closed, or a pipe that nobody reads: that is no reason to stay
            stream.flush()
    os._exit(code())
