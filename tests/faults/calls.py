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
    repeated: int = 0
    """Calls made again whose answer had arrived."""
    most: int = 0
    """The most of them after one kill."""
    unfinished: int = 0
    """Works that did not come to their end when they were taken up."""

    def add(self, ledger: Ledger) -> None:
        """Count one work that was killed once and taken up."""
        had: set[str] = set()
        asked: set[str] = set()
        again = 0
        for entry in ledger.entries():
            if entry.kind == "got":
                had.add(entry.key)
            else:
                again += entry.key in had
                asked.add(entry.key)
        self.kills += 1
        self.repeated += again
        self.most = max(self.most, again)
        self.unfinished += len(had) < TASKS * CALLS or asked != had


def kill_everywhere(name: str, work: Callable[[Calls], None]) -> Repeated:
    """Return the figures of a framework; `work` starts the five tasks, or takes up what the folder holds of them."""
    figures = Repeated(name)
    for kill in range(1, 2 * TASKS * CALLS + 1):
        with tempfile.TemporaryDirectory(prefix="agentorch-calls-") as folder:
            _carry_out(work, Calls(Path(folder), kill))
            _carry_out(work, Calls(Path(folder), None))
            figures.add(Ledger(Path(folder) / "ledger"))
    return figures


def _carry_out(work: Callable[[Calls], None], calls: Calls, *, patience: float = 60) -> None:
    child = os.fork()
    if not child:
        try:
            work(calls)
        except BaseException:  # noqa: BLE001  # nothing may return into the program that forked
            traceback.print_exc()
        finally:
            os._exit(0)
    ends = time.monotonic() + patience
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > ends:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.002)
