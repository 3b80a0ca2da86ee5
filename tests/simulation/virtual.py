"""An event loop in virtual time: nothing sleeps, and a process that is killed is a loop that is not run any more.

Callbacks that are ready run in asyncio's own order, which it promises. What the real world leaves open (how long a
disk, a wire, a model or an agent takes) is drawn from the seed, and so is every interleaving.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class Standstill(AssertionError):
    """Nothing is left to happen, and the run has not ended."""


class _NoSockets:
    """A selector that lets time pass instead of waiting for it."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Standstill("nothing is scheduled, and nothing is ready")
        self._loop.now += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.now = start
        self._buried = False
        self._selector = _NoSockets(self)

    def time(self) -> float:
        return self.now

    def _process_events(self, event_list: Any) -> None:
        del event_list

    def _write_to_self(self) -> None:
        pass

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
        left = asyncio.all_tasks(self)
        for task in left:
            task.cancel()
        if left:
            self.run_until_complete(asyncio.wait(left, timeout=1000))
        for task in left:
            if task.done() and not task.cancelled():
                task.exception()
            else:
                task._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue]
        asyncio.set_event_loop(None)
        self.close()
