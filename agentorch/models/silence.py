"""How long a call may say nothing."""

import asyncio
from types import TracebackType
from typing import Self


class Silence:
    """Ends a block with TimeoutError when nothing is `heard` in it for so many seconds; None is no limit.

    Hearing sets no timer: a thousand pieces of text a second are heard for next to nothing. The one timer that there
    is looks, when its time has come, whether anything was heard since, and is set anew if so.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._block = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._block.__aenter__()
        if self._seconds is not None:
            self._timer = self._loop.call_later(self._seconds, self._look, self._seconds)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._block.__aexit__(kind, error, traceback)

    def heard(self) -> None:
        """Something was said: the time begins anew."""
        self._last = self._loop.time()

    def _look(self, seconds: float) -> None:
        due = self._last + seconds
        if due > self._loop.time():
            self._timer = self._loop.call_at(due, self._look, seconds)
        else:
            self._block.reschedule(due)
