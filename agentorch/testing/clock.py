"""Clocks for tests: event time follows the event loop, so that a virtual loop makes virtual events."""

import asyncio
import importlib
from contextlib import suppress
from typing import Any, Final
from weakref import WeakSet

from agentorch.errors import ConfigurationError, MissingExtraError
from agentorch.threads import working

_LOOK: Final = 0.02
"""Real seconds after which it is looked whether threads still work."""
_HELD: Final[WeakSet[Any]] = WeakSet()
"""The loops whose time stands still while a thread works."""


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
    thread. Needs the extra `[testing]`.
    """

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        super().__init__(start)
        try:
            self._looptime: Any = importlib.import_module("looptime")
        except ImportError as error:
            raise MissingExtraError("virtual time", "testing") from error
        self._loop: Any = None

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """Return a new event loop in virtual time, which stands at 0."""
        self._loop = self._looptime.new_event_loop(start=0)
        _hold(self._loop)
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
        _hold(loop)  # pytest-asyncio has made it
        return super().now()


def _hold(loop: Any) -> None:
    """Have a loop wait in real time while threads work for it: its own time would race, and time them out."""
    if loop in _HELD:
        return
    _HELD.add(loop)
    selector: Any = loop._selector  # noqa: SLF001  # where looptime itself takes hold of it
    real, virtual = selector.__class__.select, selector.select

    def select(timeout: float | None) -> Any:
        if timeout != 0 and working(loop):
            return real(selector, _LOOK)
        return virtual(timeout)

    selector.select = select
