"""The time limits of runs and tasks: a timer for each that has one and can go on.

When it is up, what there is may still be answered with, without a model and within the grace of the run's policy.
Durations are measured by the event loop's clock, which no change of the machine's time moves.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from agentorch.core import inbox
from agentorch.core.empties import own
from agentorch.core.failures import Problem
from agentorch.core.running_time import running_time
from agentorch.core.state import FINAL
from agentorch.core.task_time import task_time
from agentorch.runtime.hosted import HostedRun

TIMER: Final = ""
"""The name of the run's timer; those of its tasks have their ids behind a colon, which no id has."""
_SLACK: Final = 1e-6

Send = Callable[[HostedRun, inbox.Message], object]


class TimeLimit:
    """Brings runs and tasks to their end when their `max_seconds` are up."""

    def __init__(self, now: Callable[[], float], send: Send) -> None:
        self._now = now
        self._send = send

    def watch(self, run: HostedRun) -> None:
        """See to it that a run, and each of its tasks that has a limit, has a timer while it can go on."""
        state = run.state
        if state.idle or not run.accepted:
            return
        seconds = state.budget.max_seconds
        if seconds is not None and TIMER not in run.timers:
            delay = state.policy.grace if state.aborted else max(0.0, seconds - running_time(state, self._now()))
            own(run, "timers")[TIMER] = asyncio.get_running_loop().call_later(delay, self._look, run, seconds)
        while state.turned:
            name, _ = state.turned.popitem()
            self._watch_task(run, name)

    def _look(self, run: HostedRun, seconds: float) -> None:
        del run.timers[TIMER]
        if not run.state.aborted and running_time(run.state, self._now()) + _SLACK < seconds:
            self.watch(run)  # it has waited for a person; while it still does, it needs no timer
            return
        run.drop_timers()  # the planner is not listened to any more, and nobody is asked
        remedy = "raise max_seconds and start again"
        problem = Problem("budget", f"the run's {seconds:g} seconds are up", remedy=remedy)
        self._say(run, inbox.Abort(self._now(), problem))

    def _watch_task(self, run: HostedRun, name: str) -> None:
        timer = f":{name}"
        left = self._left(run, name)
        if left is not None and timer not in run.timers:
            own(run, "timers")[timer] = asyncio.get_running_loop().call_later(
                max(0.0, left), self._look_at_task, run, name
            )

    def _look_at_task(self, run: HostedRun, name: str) -> None:
        del run.timers[f":{name}"]
        left = self._left(run, name)
        if left is None:
            own(run.state, "turned")[name] = None  # it waits for a person: once the run goes on again, it is looked at
            return
        if left > _SLACK:
            self._watch_task(run, name)
        else:
            self._say(run, inbox.TimeUp(self._now(), name))

    def _say(self, run: HostedRun, message: inbox.Message) -> None:
        with run.or_lost():
            self._send(run, message)

    def _left(self, run: HostedRun, name: str) -> float | None:
        """Return the seconds that a task still has; None while its time does not go on."""
        task = run.state.tasks.get(name)
        account = task.account if task is not None and task.status not in FINAL else None
        if account is None or account.stands or account.budget.max_seconds is None or run.state.idle:
            return None
        return account.budget.max_seconds - task_time(run.state, account, self._now())
