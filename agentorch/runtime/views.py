"""Who watches each run that begins here: `on_run` of the orchestrator.

1. A view is awaited before the outcome of its run is given, so that what it shows last is all of it.
2. What goes wrong in a view is logged, and no run suffers from it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agentorch.runtime.run import Run

log = logging.getLogger(__name__)

OnRun = Callable[[Run], Awaitable[object]]
"""Called with each run that is started, taken up or forked here."""


class Views:
    """The views that are open."""

    def __init__(self, on_run: OnRun) -> None:
        self._on_run = on_run
        self._open: dict[str, asyncio.Task[None]] = {}

    def open(self, run: Run) -> None:
        """Begin to watch a run."""
        view = asyncio.get_running_loop().create_task(self._show(run), name="agentorch view")
        self._open[run.id] = view
        view.add_done_callback(lambda _: self._open.pop(run.id, None))

    async def ended(self, run_id: str) -> None:
        """Wait until the view of a run has shown all of it."""
        view = self._open.get(run_id)
        if view is not None and view is not asyncio.current_task():  # a view may ask for the outcome itself
            await asyncio.wait([view])

    async def close(self) -> None:
        """End those that still watch."""
        left = list(self._open.values())
        for view in left:
            view.cancel()
        if left:
            await asyncio.wait(left)

    async def _show(self, run: Run) -> None:
        try:
            await self._on_run(run)
        except Exception:  # a view may be anybody's
            log.warning("on_run failed for run %s", run.id, exc_info=True)
