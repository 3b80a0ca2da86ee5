"""An event loop in virtual time: nothing sleeps, and a process that is killed is a loop that is not run any more.

Callbacks that are ready run in asyncio's own order, which it promises. What the real world leaves open (how long a
disk, a wire, a model or an agent takes) is drawn from the seed, and so is every interleaving. There are no threads.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVarTuple, Unpack

MOST_TURNS: Final = 15_000
"""Turns of the loops, and looks at the clock, that a seed may take; the most of 2,000 sound ones was 2,811."""
LAST_TURNS: Final = 1_000
"""Turns in which what is left of a killed process must be out of the way."""
_Ts = TypeVarTuple("_Ts")


class Standstill(AssertionError):
    """Nothing is left to happen, and the run has not ended."""


class Endless(AssertionError):
    """Much more has happened than a run takes, and it has not ended."""


class Turns:
    """How often the loops of a seed have turned: a count, so that a run that never ends is found alike everywhere."""

    def __init__(self, most: int = MOST_TURNS) -> None:
        self.count = 0
        self._most = most

    def turn(self) -> None:
        """Count one more; raise Endless when there are too many."""
        self.count += 1
        if self.count > self._most:
            raise Endless(f"the run did not end in {self._most:,} turns of the loop")


class _NoSockets:
    """A selector that lets time pass instead of waiting for it; a loop asks it once in each turn."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Standstill("nothing is scheduled, and nothing is ready")
        self._loop.turns.turn()
        if timeout > 0:
            self._loop.when_idle()
        self._loop.now += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module."""

    def __init__(self, start: float, turns: Turns) -> None:
        super().__init__()
        self.now = start
        self.turns = turns
        self.when_idle: Callable[[], None] = _nothing
        """Called whenever nothing is left to be done now: time is about to pass."""
        self._buried = False
        self._selector = _NoSockets(self)

    def time(self) -> float:
        return self.now

    def _process_events(self, event_list: Any) -> None:
        del event_list

    def _write_to_self(self) -> None:
        pass

    def run_in_executor(self, executor: Any, func: Callable[[Unpack[_Ts]], Any], *args: *_Ts) -> "asyncio.Future[Any]":
        """Call `func` in a later turn: a thread would end when it likes, and no seed would be the same twice."""
        del executor
        future: asyncio.Future[Any] = self.create_future()
        self.call_soon(_call, future, func, args)
        return future

    def live(self, body: Coroutine[Any, Any, None]) -> bool:
        """Run until `body` ends (True), or until the process is killed (False)."""
        asyncio.set_event_loop(self)
        life = self.create_task(body)
        life.add_done_callback(lambda _: None if self._buried else self.stop())
        self.run_forever()
        if life.done():
            life.result()
        return life.done()

    def bury(self) -> None:
        """Take what is left of a killed process out of the way; its ports are dead, so that it can do nothing."""
        self._buried = True
        self.when_idle = _nothing
        self.set_exception_handler(lambda _, context: None)
        self.turns = Turns(LAST_TURNS)
        left = asyncio.all_tasks(self)
        for task in left:
            task.cancel()
        if left:
            with suppress(Endless):  # then it did not end in its life either, and that is told
                self.run_until_complete(asyncio.wait(left, timeout=1000))
        for task in left:
            if task.done() and not task.cancelled():
                task.exception()
            else:
                task._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue]
        asyncio.set_event_loop(None)
        self.close()


def _nothing() -> None:
    pass


def _call(future: "asyncio.Future[Any]", func: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if future.done():
        return
    try:
        future.set_result(func(*args))
    except Exception as error:  # noqa: BLE001  # it goes to whoever waits, as out of a thread
        future.set_exception(error)
