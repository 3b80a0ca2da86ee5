"""Clocks for tests: event time follows the event loop, so that a virtual loop makes virtual events."""

import asyncio
import importlib
import math
import time
from contextlib import suppress
from typing import Any, Final

from agentorch.errors import ConfigurationError, MissingExtraError
from agentorch.threads import at_work, working

_LOOK: Final = 0.02
"""Real seconds after which it is looked whether threads still work."""
_PATIENCE: Final = 60.0
_HOLDER: Final = "agentorch_clock"
"""Where a loop whose time stands still while a thread works keeps the clock that was asked last."""


class LoopClock:
    """Seconds since the epoch as the running loop counts them: `start` when the loop says 0."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._start = start

    def now(self) -> float:
        """Return `start` plus the running loop's time."""
        return self._start + asyncio.get_running_loop().time()


class VirtualClock(LoopClock):
    """The clock of a loop whose time is virtual: a sleep of an hour takes an hour of it, and no real time at all.

    Time goes on when nothing is left to be done now, and only then: it stands still while a plain function works in its
    thread. That is waited for in real time; when nothing else has happened for `patience` real seconds, all tasks of
    the loop are cancelled, and `stuck` says why. Needs the extra `[testing]`.
    """

    def __init__(self, start: float = 1_800_000_000.0, *, patience: float = _PATIENCE) -> None:
        super().__init__(start)
        if not patience > 0:
            raise ConfigurationError(f"VirtualClock: patience={patience!r}; give real seconds above 0, or math.inf")
        self.patience = patience
        """Real seconds in which a thread that is waited for must do something."""
        self.stuck: str | None = None
        """Which threads did nothing for so long, and what helps; None when all is well."""
        try:
            self._looptime: Any = importlib.import_module("looptime")
        except ImportError as error:
            raise MissingExtraError("virtual time", "testing") from error
        self._loop: Any = None

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """Return a new event loop in virtual time, which stands at 0."""
        self._loop = self._looptime.new_event_loop(start=0)
        _hold(self._loop, self)
        return self._loop

    @property
    def elapsed(self) -> float:
        """Virtual seconds since the loop began; after it has ended, how many it took."""
        with suppress(RuntimeError):  # in a test that is not async, no loop runs
            self._loop = asyncio.get_running_loop()
        return self._loop.time() if self._loop is not None else 0.0

    def now(self) -> float:
        """Return `start` plus the running loop's time; ConfigurationError where that is no virtual time."""
        loop = asyncio.get_running_loop()
        if not getattr(loop, "looptime_on", False):
            raise ConfigurationError(
                f"virtual time: this test runs in {type(loop).__name__}, in real time; let the kit or pytest-asyncio "
                "run it (not another plugin, another loop, or --no-looptime)"
            )
        _hold(loop, self)  # pytest-asyncio has made it
        return super().now()

    def give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel all that waits for threads which do nothing; only the patience of a held loop calls this."""
        self.stuck = (
            f"virtual time: for {self.patience:g} real seconds it was waited only for plain functions in threads: "
            f"{', '.join(at_work(loop))}; let them return, write them as `async def` (then their time-outs end them), "
            f"or wait longer: virtual_clock.patience = {10 * self.patience:g}"
        )
        for task in asyncio.all_tasks(loop):
            task.cancel(self.stuck)


def _hold(loop: Any, clock: VirtualClock) -> None:
    """Have a loop wait in real time while threads work for it: its own time would race, and time them out."""
    known = hasattr(loop, _HOLDER)
    setattr(loop, _HOLDER, clock)
    if known:
        return
    selector: Any = loop._selector  # noqa: SLF001  # where looptime itself takes hold of it
    real, virtual = selector.__class__.select, selector.select
    since = math.inf

    def select(timeout: float | None) -> Any:
        nonlocal since
        if timeout == 0 or not working(loop):
            since = math.inf
            return virtual(timeout)
        since = min(since, time.monotonic())
        events = real(selector, _LOOK)
        if events:
            since = math.inf
        elif time.monotonic() - since >= getattr(loop, _HOLDER).patience:
            getattr(loop, _HOLDER).give_up(loop)
        return events

    selector.select = select
