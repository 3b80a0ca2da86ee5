"""Plain functions, called in threads: the one way for agents, tools, checks, probes and steps.

1. Nothing can stop a thread. Whoever waits for one and is cancelled leaves it to itself at once; the `Threads` that it
   belongs to know of it until it has ended, so that what goes on can be named.
2. No pool is shared that others could fill: each `Threads` has MOST places, and what was left to itself keeps its own.
3. What such a thread asks for, by `anyio.from_thread`, needs no place of these: it would wait for itself.
"""

import asyncio
import inspect
import math
import sys
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from types import FrameType
from typing import Any, Final, TypeVar, cast

import anyio
import anyio.to_thread

T = TypeVar("T")
MOST: Final = 32
"""Threads that one dispatch has side by side."""


class Threads:
    """The threads of one dispatch. It is true while one of them goes on."""

    __slots__ = ("_all_ended", "_going", "_over", "_places")

    def __init__(self, over: Callable[[], None] | None = None) -> None:
        """`over` is called whenever one has ended, from that thread."""
        self._going: set[object] = set()
        self._over = over
        self._places = asyncio.Semaphore(MOST)
        self._all_ended = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._going)

    async def ended(self) -> None:
        """Wait until none goes on."""
        while self._going:
            self._all_ended.clear()
            await self._all_ended.wait()

    async def call(self, function: Callable[[], T]) -> T:
        """Call `function` in a thread; return what it gives, or raise what it raises."""
        loop, one, unbegun = asyncio.get_running_loop(), object(), [True]
        takes_place = _INSIDE.get() is not self
        if takes_place:
            await self._places.acquire()
        self._going.add(one)
        _OUT[one] = loop

        def body() -> tuple[T | None, BaseException | None]:
            if not _taken(unbegun):
                return None, None
            _INSIDE.set(self)  # in the thread's copy of the context
            try:
                return function(), None
            except BaseException as error:  # noqa: BLE001  # a future that held a GeneratorExit would end the slot
                return None, error
            finally:
                self._end(one)
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(self._tidy, takes_place)

        try:
            unlimited = anyio.CapacityLimiter(math.inf)
            output, error = await anyio.to_thread.run_sync(body, abandon_on_cancel=True, limiter=unlimited)
        except BaseException:
            if _taken(unbegun):  # it was cancelled before a thread had begun
                self._end(one)
                self._tidy(takes_place)
            raise
        finally:
            del _OUT[one]
        if error is not None:
            raise error
        return cast("T", output)

    def _end(self, one: object) -> None:
        self._going.discard(one)
        if self._over is not None:
            self._over()

    def _tidy(self, takes_place: bool) -> None:
        if takes_place:
            self._places.release()
        if not self._going:
            self._all_ended.set()


_OUT: Final[dict[object, asyncio.AbstractEventLoop]] = {}
"""The calls that somebody waits for, and in which loop."""
_INSIDE: ContextVar[Threads | None] = ContextVar("agentorch_inside_threads", default=None)
"""The threads that the calling one is of, or was called from."""
_KEEPING: ContextVar[Threads | None] = ContextVar("agentorch_threads", default=None)
"""What threads are begun under just now."""


@contextmanager
def under(threads: Threads) -> Generator[None]:
    """Have the threads that are begun in this block belong to `threads`."""
    before = _KEEPING.set(threads)
    try:
        yield
    finally:
        _KEEPING.reset(before)


async def in_thread(function: Callable[[], T]) -> T:
    """Call a plain function in a thread; a cancellation leaves it to itself."""
    threads = _KEEPING.get()
    return await (Threads() if threads is None else threads).call(function)


async def called(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call a function, in a thread when it is no coroutine function, and await what it gives where that is to be."""
    if inspect.iscoroutinefunction(function):
        return await function(*args, **kwargs)
    result = await in_thread(partial(function, *args, **kwargs))
    return await result if inspect.isawaitable(result) else result


def working(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a thread that is waited for in `loop` works, and does not itself wait for what it asks of the loop."""
    begun = [*_OUT.values()].count(loop)
    if not begun:
        return False
    frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # documented all the same
    return begun > sum(_asks(frame, loop) for frame in frames.values())


def at_work(loop: asyncio.AbstractEventLoop | None = None) -> list[str]:
    """Return where the threads of plain functions stand, in words; only those of `loop`, if one is given."""
    frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # documented all the same
    places = [_place(frame, loop) for frame in frames.values() if loop is None or not _asks(frame, loop)]
    return sorted(place for place in places if place is not None)


def _place(frame: FrameType, loop: asyncio.AbstractEventLoop | None) -> str | None:
    """Return which function a thread carries out and where it stands in it; None for a thread that is none of these."""
    called: list[FrameType] = []
    outer: FrameType | None = frame
    while outer is not None:
        if outer.f_code.co_name == "body" and outer.f_code.co_filename == __file__:
            of_loop = loop is None or outer.f_locals.get("loop") is loop
            own = called[-1] if called else outer
            return f"{own.f_code.co_name} ({own.f_code.co_filename}:{own.f_lineno})" if of_loop else None
        called.append(outer)
        outer = outer.f_back
    return None


def _asks(frame: FrameType | None, loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a thread of that loop waits in `anyio.from_thread` for what the loop has yet to give."""
    waits = asks = False
    while frame is not None:
        code = frame.f_code
        if code.co_name == "result":
            future = frame.f_locals.get("self")
            waits = isinstance(future, Future) and not future.done()
        asks = asks or (waits and code.co_name == "run_async_from_thread")
        if asks and code.co_name == "body" and code.co_filename == __file__:
            return frame.f_locals.get("loop") is loop
        frame = frame.f_back
    return False


def _taken(unbegun: list[bool]) -> bool:
    """Whether the caller is the one who decides what becomes of a call: its thread, or whoever was cancelled first."""
    try:
        return unbegun.pop()
    except IndexError:
        return False
