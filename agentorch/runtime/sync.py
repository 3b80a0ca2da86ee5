"""The one way from synchronous code into the runtime: an event loop in a thread of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio.from_thread import start_blocking_portal

T = TypeVar("T")


def run_in_thread(
    call: Callable[[], Awaitable[T]], *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> T:
    """Run `call()` to its end on an event loop in another thread; works where a loop runs already, as in Jupyter."""
    with start_blocking_portal(backend_options={"loop_factory": loop_factory}) as portal:
        return portal.call(call)
