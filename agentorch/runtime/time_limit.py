"""The time limit of runs: a timer for each run that has one and can go on.

Durations are measured by the event loop's clock, which no change of the machine's time moves.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from agentorch.core.failures import Problem
from agentorch.core.running_time import running_time
from agentorch.runtime.hosted import HostedRun

TIMER: Final = ""
"""The name of the timer among those of the run; the others are named by their tasks."""
_SLACK: Final = 1e-6


class TimeLimit:
    """Brings runs to their end when their `max_seconds` are up."""

    def __init__(self, now: Callable[[], float], abort: Callable[[HostedRun, Problem], None]) -> None:
        self._now = now
        self._abort = abort

    def watch(self, run: HostedRun) -> None:
        """See to it that a run has a timer while it can go on."""
        state = run.state
        seconds = state.budget.max_seconds
        if seconds is None or TIMER in run.timers or state.idle or not run.accepted:
            return
        delay = max(0.0, seconds - running_time(state, self._now()))
        run.timers[TIMER] = asyncio.get_running_loop().call_later(delay, self._look, run, seconds)

    def _look(self, run: HostedRun, seconds: float) -> None:
        del run.timers[TIMER]
        if running_time(run.state, self._now()) + _SLACK < seconds:
            self.watch(run)  # it has waited for a person; while it still does, it needs no timer
            return
        remedy = "raise max_seconds and start again"
        self._abort(run, Problem("budget", f"the run's {seconds:g} seconds are up", remedy=remedy))
