"""A run in the foreground: started or taken up, watched, stopped by Ctrl-C, its questions asked, its outcome shown."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from agentorch.cli.asking import Person
from agentorch.cli.leaving import INTERRUPTED
from agentorch.cli.plan_checks import say_unused, unused
from agentorch.cli.progress import Progress
from agentorch.cli.result import STOPPED, command, show_outcome
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.views import View, view_of
from agentorch.cli.words import counted
from agentorch.core.state import Status
from agentorch.runtime.orchestrator import Orchestrator
from agentorch.runtime.outcome import Outcome
from agentorch.runtime.run import Run

T = TypeVar("T")
_TICK: Final = 0.125
_GRACE: Final = 0.5
"""Seconds in which the last events may still be shown."""


@dataclass(frozen=True, slots=True)
class Foreground:
    """How a run is shown."""

    screen: Screen
    setup: Setup
    json: bool = False
    quiet: bool = False
    inputs: tuple[str, ...] = ()
    """Names that were given for a plan to take that is still to be made."""

    @property
    def tells(self) -> bool:
        """Whether what happens is told in lines, warnings too."""
        return not (self.json or self.quiet or self.screen.draws)


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a run in the foreground."""

    run_id: str
    progress: Progress
    outcome: Outcome | None
    """None when it was stopped."""


async def carry(orchestrator: Orchestrator, begin: Callable[[Orchestrator], Awaitable[Run]], how: Foreground) -> int:
    """Carry a run out to where nothing more happens by itself; return the exit code.

    The first Ctrl-C stops the run: what is done is kept, and it can be resumed. The second leaves at once.
    """
    carried = await carry_out(orchestrator, begin, how)
    return INTERRUPTED if carried.outcome is None else show_carried(carried.outcome, how)


async def carry_out(
    orchestrator: Orchestrator, begin: Callable[[Orchestrator], Awaitable[Run]], how: Foreground
) -> Carried:
    """Do the same, and return what came of it; a stop is said, an outcome is not."""
    with Interrupts() as interrupts:
        async with orchestrator:
            run = await begin(orchestrator)
            progress = Progress(run.id)
            outcome = await interrupts.unless(_watched(run, progress, how))
            if outcome is None:
                await _stopped(run, progress, how, by=interrupts.came)
    return Carried(run.id, progress, outcome)


def show_carried(outcome: Outcome, how: Foreground) -> int:
    """Show what came of a run that was watched; return the exit code."""
    if outcome.plan.tasks:
        say_unused(how.screen, unused(outcome.plan.tasks, how.inputs))
    return show_outcome(how.screen, outcome, json=how.json, setup=how.setup, warned=how.tells)


_STOPPING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupts:
    """Ctrl-C, SIGTERM or the end of the terminal while this is open: the first is told to whoever waits.

    The second ends the process. A terminal that is closed says so twice and means it once; under nohup it is not heard.
    """

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self.came = ""
        """What came, as a person calls it."""
        self._heard = [one for one in _STOPPING if one.name != "SIGHUP" or signal.getsignal(one) is signal.SIG_DFL]

    def __enter__(self) -> Self:
        for number in self._heard:
            with suppress(NotImplementedError, RuntimeError, ValueError):  # on Windows, or in another thread
                asyncio.get_running_loop().add_signal_handler(number, self._interrupt, number)
        return self

    def __exit__(self, *exception: object) -> None:
        for number in self._heard:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                asyncio.get_running_loop().remove_signal_handler(number)

    async def unless(self, work: Coroutine[object, object, T]) -> T | None:
        """Return what `work` gives; None when Ctrl-C came first, and `work` was cancelled."""
        doing = asyncio.create_task(work)
        coming = asyncio.create_task(self._came.wait())
        try:
            await asyncio.wait({doing, coming}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            coming.cancel()
            in_time = doing.done()
            doing.cancel()
        if not in_time:
            await asyncio.wait({doing})
        return doing.result() if in_time else None

    def _interrupt(self, number: signal.Signals) -> None:
        if self._came.is_set():
            if number.name == "SIGHUP":
                return
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h\n")  # the cursor was hidden while the table lived
            os._exit(INTERRUPTED)
        self.came = "Ctrl-C" if number is signal.SIGINT else number.name
        self._came.set()


async def _watched(run: Run, progress: Progress, how: Foreground) -> Outcome:
    """Show the run, and ask the person what it asks, until it is at rest."""
    person = None if how.json or not how.screen.asks else Person(run, how.screen, progress)
    with view_of(how.screen, progress, json=how.json, quiet=how.quiet) as view:
        watching = asyncio.create_task(_show(run, view, person, after=progress.state.seq))
        ticking = asyncio.create_task(_tick(view))
        try:
            if person is not None:
                await person.attend(view, watching)
            outcome = await run.outcome()
            await asyncio.wait({watching}, timeout=_GRACE)
        finally:
            for task in (watching, ticking):
                task.cancel()
            await asyncio.wait({watching, ticking})
    for task in (watching, ticking):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
    return outcome


async def _show(run: Run, view: View, person: Person | None, *, after: int) -> None:
    async for event in run.events(after=after):
        view.show(event)
        if person is not None:
            person.hear(event)


async def _tick(view: View) -> None:
    while True:
        view.tick()
        await asyncio.sleep(_TICK)


async def _stopped(run: Run, progress: Progress, how: Foreground, *, by: str) -> None:
    """Let the run stand still, and say how it goes on."""
    await run.stop(code=STOPPED, reason=f"stopped by {by}")
    done = sum(task.status is Status.SUCCEEDED for task in progress.state.tasks.values())
    kept = f"{counted(done, 'finished task')} of {len(progress.state.tasks)} kept"
    if how.setup.journal == "memory:":
        how.screen.say("stopped; the journal was in memory: nothing is kept")
    else:
        how.screen.say(f"stopped, {kept}; go on with: {command('resume', run.id, how.setup.flags())}", whole=True)
