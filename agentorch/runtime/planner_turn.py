"""One planner's turn: it has its time, and all that can come of it is a report that can be read, or an exception.

1. A planner may be silent for `seconds`, counted from its start and from each sign of life: a task of it that is
   accepted, a word of a model that the run gave it. Waiting for a provider counts. Then it is left, and heard no more.
   So it is after PATIENCE times as long in all: a model that never stops talking never falls silent either.
2. A planner that is cancelled, though nobody stopped the run, has crashed; so has one that wants to end the program.
3. What it returns is held to the form of the port.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from agentorch.core.failures import Problem
from agentorch.errors import PlanError
from agentorch.planning.report_form import report_problems
from agentorch.ports.planner import PlanReport

PATIENCE: Final = 10
"""How many times as long as it may be silent a planner may take in all."""


class TurnLost(PlanError):
    """A planner brought no report, through its own fault; `problems` say why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class PlannerTurn:
    """A planner that is being asked."""

    def __init__(self, name: str, *, seconds: float | None) -> None:
        self._name = name
        self._seconds = seconds
        self._alive = 0.0
        self.over = False
        """Whether it is not listened to any more."""

    def alive(self) -> None:
        """Take note of a sign of life: its time begins anew."""
        self._alive = asyncio.get_running_loop().time()

    async def report(self, ask: Callable[[], Awaitable[Any]]) -> PlanReport:
        """Return what the planner reports; raise what it raises, or TurnLost."""
        self.alive()
        work = asyncio.get_running_loop().create_task(_asked(ask), name="agentorch planner's turn")
        work.add_done_callback(_look_at)
        try:
            await self._end_of(work)
        finally:
            self.over = True
            work.cancel()
        if work.cancelled():
            raise TurnLost(Problem("plan", f"planner {self._name!r} was cancelled, and not by the run"))
        report = work.result()
        problems = report_problems(report)
        if problems:
            raise TurnLost(*problems)
        return report

    async def _end_of(self, work: "asyncio.Task[Any]") -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not work.done():
            left = None
            if self._seconds is not None:
                left = min(self._alive + self._seconds, began + PATIENCE * self._seconds) - loop.time()
                if left <= 0:
                    raise TurnLost(self._too_long(loop.time() - self._alive >= self._seconds))
            await asyncio.wait({work}, timeout=left)

    def _too_long(self, silent: bool) -> Problem:
        seconds = self._seconds or 0.0
        words = f"said nothing for {seconds:g}" if silent else f"came to no end in {PATIENCE * seconds:g}"
        remedy = "raise the policy's timeout, or mend the planner"
        return Problem("timeout", f"planner {self._name!r} {words} seconds", remedy=remedy)


async def _asked(ask: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await ask()
    except (Exception, asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise RuntimeError(f"it raised {type(error).__name__}") from error


def _look_at(work: "asyncio.Task[Any]") -> None:
    """See the exception of a turn that nobody waits for any more, so that the loop does not complain of it."""
    if not work.cancelled():
        work.exception()
