"""What a task waits for, as far as it can be known."""

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest

from agentorch.runtime.awaiting import only_awaits

Ask = Callable[[], Awaitable[None]]


async def _awaits(ask: Ask) -> None:
    await asyncio.ensure_future(ask())


async def _gathers(ask: Ask) -> None:
    await asyncio.gather(ask(), ask())


async def _groups(ask: Ask) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_awaits(ask))
        group.create_task(_gathers(ask))


async def _groups_of_anyio(ask: Ask) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_awaits, ask)


async def _gathers_a_bare_future(ask: Ask) -> None:
    await asyncio.gather(ask(), asyncio.get_running_loop().create_future())


async def _sleeps(ask: Ask) -> None:
    beside = asyncio.ensure_future(ask())
    await anyio.sleep(60)
    await beside


async def _sleeps_in_a_group(ask: Ask) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_awaits(ask))
        await anyio.sleep(60)


async def _gathers_work(ask: Ask) -> None:
    await asyncio.gather(ask(), anyio.sleep(60))


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (_awaits, True),
        (_gathers, True),
        (_groups, True),
        (_groups_of_anyio, True),
        (_gathers_a_bare_future, False),
        (_sleeps, False),
        (_sleeps_in_a_group, False),
        (_gathers_work, False),
    ],
)
async def test_only_what_is_certain_to_be_a_wait_is_one(body: Callable[[Ask], Awaitable[None]], expected: bool) -> None:
    """`unless` hears of each task that does something else."""
    waiting: set[asyncio.Task[object]] = set()
    others: list[asyncio.Task[object]] = []

    async def ask() -> None:
        current = asyncio.current_task()
        assert current is not None
        waiting.add(current)
        await asyncio.get_running_loop().create_future()

    slot: asyncio.Task[object] = asyncio.ensure_future(body(ask))  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    await anyio.sleep(1)
    found = only_awaits(slot, waiting, others.append)
    slot.cancel()
    await asyncio.wait([slot])

    assert (found, bool(others)) == (expected, not expected)
    assert only_awaits(slot, (), others.append)
