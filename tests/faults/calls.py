"""Counts the model calls that are paid for twice, for agentorch and for others: five tasks in a row, three calls each.

A process is killed as each call begins (it has not left), and as each answer has reached whoever asked. Then another
process takes the work up and brings it to its end. A call counts as repeated when it is made again although its answer
had arrived. This module imports nothing but the standard library, so that other frameworks can be put through it.
"""

import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.ledger import Ledger

TASKS: Final = 5
CALLS: Final = 3
"""Model calls of each task."""
LATENCY: Final = 0.02
"""Seconds that a model takes to answer."""


class Calls:
    """What a framework's model goes through; the `kill`-th time it passes a place, its process ends there."""

    def __init__(self, folder: Path, kill: int | None) -> None:
        self.folder = folder
        """Where the work may keep what it likes."""
        self.ledger = Ledger(folder / "ledger")
        self._kill = kill
        self._passed = 0

    def begin(self, key: str) -> None:
        """A call is about to leave."""
        self._pass()
        self.ledger.note("asked", key)

    def end(self, key: str) -> None:
        """Its answer is in the hands of whoever asked."""
        self.ledger.note("got", key)
        self._pass()

    def _pass(self) -> None:
        self._passed += 1
        if self._passed == self._kill:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class Repeated:
    """The figures of one framework."""

    name: str
    kills: int = 0
    """Works whose process was killed at its point."""
    calls: int = 0
    """Model calls, all told."""
    repeated: int = 0
    """Calls made again whose answer had arrived."""
    most: int = 0
    """The most of them after one kill."""
    unfinished: int = 0
    """Works that were not killed at their point, or did not come to their end when they were taken up."""

    def add(self, ledger: Ledger, *, killed: bool = True, ended: bool = True) -> None:
        """Count one work that should have been killed once, and taken up to its end."""
        had: set[str] = set()
        asked: set[str] = set()
        again = 0
        for entry in ledger.entries():
            if entry.kind == "got":
                had.add(entry.key)
            else:
                self.calls += 1
                again += entry.key in had
                asked.add(entry.key)
        self.kills += killed
        self.repeated += again
        self.most = max(self.most, again)
        self.unfinished += not (killed and ended) or len(had) < TASKS * CALLS or asked != had


def kill_everywhere(name: str, work: Callable[[Calls], None]) -> Repeated:
    """Return the figures of a framework; `work` starts the five tasks, or takes up what the folder holds of them."""
    figures = Repeated(name)
    for kill in range(1, 2 * TASKS * CALLS + 1):
        with tempfile.TemporaryDirectory(prefix="agentorch-calls-") as folder:
            killed = _carry_out(work, Calls(Path(folder), kill)) == -signal.SIGKILL
            ended = _carry_out(work, Calls(Path(folder), None)) == 0
            figures.add(Ledger(Path(folder) / "ledger"), killed=killed, ended=ended)
    return figures


def _carry_out(work: Callable[[Calls], None], calls: Calls, *, patience: float = 60) -> int | None:
    """Return how a process of its own ended that did the work: its exit code or signal; None when it hung."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work(calls)
            status = 0
        except BaseException:  # noqa: BLE001  # nothing may return into the program that forked
            traceback.print_exc()
        finally:
            os._exit(status)
    ends = time.monotonic() + patience
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > ends:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.002)
