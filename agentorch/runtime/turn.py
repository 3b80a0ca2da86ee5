"""The end of a turn of the event loop: what was decided in it goes to the journal, in one call for all runs."""

import asyncio
from typing import Final

from agentorch.runtime.hosted import HostedRun

MOST_DECIDED: Final = 50
"""Events that do not wait for the end of a turn: a process that is killed does again what it had not journaled."""


class Turn:
    """The runs that have decided something in this turn of the event loop."""

    def __init__(self) -> None:
        self._runs: list[HostedRun] = []

    def commit(self, run: HostedRun) -> None:
        """Commit what the run has decided at the end of this turn, with all else that is; at once if it is much."""
        if len(run.decided) >= MOST_DECIDED:
            run.commit()
        if run.committing or not run.decided:
            return
        run.committing = True
        if not self._runs:
            asyncio.get_running_loop().call_soon(self._end)
        self._runs.append(run)

    def _end(self) -> None:
        runs, self._runs = self._runs, []
        for run in runs:
            run.committing = False
            try:
                run.commit()
                if not run.queued:
                    run.settle()
            except Exception as error:  # noqa: BLE001  # the other runs must not suffer for it
                run.break_down(error)
