"""How long a call may say nothing."""

import asyncio

import pytest

from agentorch.models.silence import Silence

pytestmark = pytest.mark.looptime


async def spoken(seconds: float | None, *waits: float) -> float:
    """Say something after each wait; return when the block ended."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with Silence(seconds) as silence:
            for wait in waits:
                await asyncio.sleep(wait)
                silence.heard()
            await asyncio.sleep(1_000)
    except TimeoutError:
        return loop.time() - begun
    return -1


@pytest.mark.parametrize(
    ("waits", "at"), [((), 30), ((29,), 59), ((29, 29, 1), 89), ((0.5,) * 100, 80), ((10, 40), 40)]
)
async def test_it_ends_so_long_after_the_last_word(waits: tuple[float, ...], at: float) -> None:
    """To the moment, however many words there were before, and wherever the timer stood."""
    assert await spoken(30, *waits) == pytest.approx(at, abs=0.01)


async def test_without_a_limit_nothing_ends_it() -> None:
    """None is no limit."""
    assert await spoken(None) == -1


async def test_a_block_that_ends_leaves_no_timer() -> None:
    """What is over cannot be too late; its own errors go through."""
    with pytest.raises(LookupError):
        async with Silence(30):
            raise LookupError
    async with Silence(30):
        await asyncio.sleep(1)
    await asyncio.sleep(1_000)
