"""Runs in a Jupyter notebook: a picture that is drawn again while the run goes on. The extra `[notebook]` brings one.

    orchestrator = Orchestrator(team, on_run=live)
    outcome = await orchestrator.run(goal)  # or orchestrator.run_sync(goal)

or, for one run that you have in hand: `await live(run)`.
"""

import asyncio
import importlib
import time
from contextlib import suppress
from typing import Any, Final
from weakref import WeakSet

from agentorch.errors import AgentorchError
from agentorch.pictures.bundles import bundle
from agentorch.runtime.run import Run

EVERY: Final = 0.25
"""Seconds between two pictures."""
_SHARE: Final = 10
"""A pause is at least so many times as long as the drawing took: a large run is not held up by being watched."""
_drawn: Final = WeakSet[Run]()
"""The runs that are being drawn."""


async def live(run: Run, *, every: float = EVERY) -> None:
    """Draw a run below the cell, again `every` so many seconds, until nothing more happens by itself.

    The last picture stays. Where no notebook is there to draw in, or the run is being drawn already (by `on_run=live`),
    this only waits. What the run raises it does not: that is for whoever asks for the outcome.
    """
    if run in _drawn:
        with suppress(AgentorchError):
            await run.rest()
        return
    _drawn.add(run)
    try:
        await _watch(run, every)
    finally:
        _drawn.discard(run)


async def _watch(run: Run, every: float) -> None:
    view = _View(run, _display())
    rest = asyncio.ensure_future(run.rest())
    try:
        while not rest.done():
            took = await view.draw()
            await asyncio.wait([rest], timeout=max(every, _SHARE * took))
    finally:
        rest.cancel()
        with suppress(AgentorchError, asyncio.CancelledError):
            await rest
        await view.draw()


class _View:
    """A place below a cell."""

    def __init__(self, run: Run, display: Any) -> None:
        self._run = run
        self._display = display
        self._handle: Any = None
        self._shown: dict[str, str] = {}

    async def draw(self) -> float:
        """Show the run, if it looks different now; return the seconds that this took."""
        if self._display is None:
            return 0.0
        began = time.perf_counter()
        picture = self._run.picture()
        # Drawing reads nothing of the run: it leaves the loop to it.
        data = bundle(await asyncio.to_thread(picture), repr(self._run))
        if self._handle is None:
            self._handle = self._display(data, raw=True, display_id=True)
        elif data != self._shown:
            self._handle.update(data, raw=True)
        self._shown = data
        return time.perf_counter() - began


def _display() -> Any:
    """Return what shows something in a notebook; None where there is none, as in a terminal or a script."""
    try:
        ipython: Any = importlib.import_module("IPython")
    except ImportError:
        return None
    shell = ipython.get_ipython()
    return None if shell is None or not hasattr(shell, "kernel") else ipython.display.display
