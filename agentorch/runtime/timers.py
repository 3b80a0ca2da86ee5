"""The timers of tasks that wait for time: back-off, mostly."""

import asyncio
from collections.abc import Callable, Iterable

from agentorch.core.commands import SetTimer
from agentorch.core.empties import own
from agentorch.core.scheduling import ripen
from agentorch.core.state import RunState
from agentorch.runtime.hosted import HostedRun


class Timers:
    """Makes tasks ready when their time has come; `ripened` is told of the run."""

    def __init__(self, now: Callable[[], float], ripened: Callable[[HostedRun], None]) -> None:
        self._now = now
        self._ripened = ripened

    def set(self, run: HostedRun, command: SetTimer) -> None:
        """Wait for the time of a task."""
        delay = max(0.0, command.due - self._now())
        own(run, "timers")[command.task] = asyncio.get_running_loop().call_later(delay, self._ripe, run, command.task)

    def _ripe(self, run: HostedRun, task: str) -> None:
        run.timers.pop(task, None)
        with run.or_lost():
            if ripen(run.state, task):
                if run.standing is not None:
                    run.standing.look(task)
                self._ripened(run)

    def catch_up(self, runs: Iterable[HostedRun]) -> None:
        """Act on what is due by the clock, though its timer has not come: the clock has jumped, or all stood still."""
        now = self._now()
        for run in runs:
            for name in [name for name in run.timers if name and _is_due(run.state, name, now)]:
                timer = run.timers.get(name)
                if timer is not None:  # else the one before has ended the run
                    timer.cancel()
                    self._ripe(run, name)


def _is_due(state: RunState, name: str, now: float) -> bool:
    task = state.tasks.get(name)
    return task is not None and task.due is not None and task.due <= now
