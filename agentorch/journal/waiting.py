"""Waiting for what must not be abandoned half-way."""

import asyncio
from typing import TypeVar

import anyio

T = TypeVar("T")


async def to_the_end(future: "asyncio.Future[T]") -> T:
    """Wait for `future` whatever happens to the waiter; a cancellation that came meanwhile is raised afterwards."""
    cancelled: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):  # or anyio would cancel again at every turn of the loop
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        raise cancelled
    return future.result()
