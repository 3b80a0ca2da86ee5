"""Runs in a Jupyter notebook: a picture that is drawn again while the run goes on. Needs the extra `[notebook]`.

    orchestrator = Orchestrator(team, on_run=live)
    outcome = await orchestrator.run(goal)  # or orchestrator.run_sync(goal)

or, for one run that you have in hand: `await live(run)`.
"""

import asyncio
import importlib
from contextlib import suppress
from typing import Any, Final

from agentorch.errors import AgentorchError, MissingExtraError
from agentorch.pictures import bundle
from agentorch.runtime.run import Run

EVERY: Final = 0.25
"""Seconds between two pictures."""


async def live(run: Run, *, every: float = EVERY) -> None:
    """Draw a run below the cell, again `every` so many seconds, until nothing more happens by itself.

    The last picture stays. Where no notebook is there to draw in, this only waits. What the run raises it does not:
    that is for whoever asks for the outcome.
    """
    display = _display()
    drawn = _picture(run)
    handle: Any = display(drawn, raw=True, display_id=True) if display is not None else None
    rest = asyncio.ensure_future(run.rest())
    try:
        while not rest.done():
            await asyncio.wait([rest], timeout=every)
            drawn = _again(handle, run, drawn)
    finally:
        rest.cancel()
        with suppress(AgentorchError, asyncio.CancelledError):
            await rest
        _again(handle, run, drawn)


def _again(handle: Any, run: Run, drawn: dict[str, str]) -> dict[str, str]:
    """Draw the run anew if it looks different now."""
    now = _picture(run)
    if handle is not None and now != drawn:
        handle.update(now, raw=True)
    return now


def _picture(run: Run) -> dict[str, str]:
    return bundle(run.to_svg(), repr(run))


def _display() -> Any:
    """Return what shows something in a notebook; None where there is none, as in a terminal or a script."""
    try:
        ipython: Any = importlib.import_module("IPython")
    except ImportError:
        raise MissingExtraError("agentorch.notebook", "notebook") from None
    shell = ipython.get_ipython()
    return None if shell is None or not hasattr(shell, "kernel") else ipython.display.display
