"""Who passes the gate first: arrival and class, the head of the line, nobody kept out; in virtual time."""

import asyncio
from collections.abc import Iterable

import looptime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.models import CALLER, Caller, Governor, Limits
from agentorch.models.caller import LONG_WAIT
from agentorch.runtime.scheduler import BATCH_OFFSET, behind

BATCH, INTERACTIVE = "batch", "interactive"


def now() -> float:
    return round(asyncio.get_running_loop().time(), 2)


Call = tuple[str, str, float, int]
"""A name, a class, when it comes in seconds from now, tokens."""


async def order(governor: Governor, calls: Iterable[Call], *, seconds: float = 0.0) -> dict[str, float]:
    """Make calls of so many seconds each; return when each began, in that order."""
    began: dict[str, float] = {}

    async def call(name: str, priority: str, at: float, tokens: int) -> None:
        await asyncio.sleep(at)
        CALLER.set(Caller(behind=behind(priority)))
        async with governor.slot(tokens):
            began[name] = now()
            await asyncio.sleep(seconds)

    async with asyncio.TaskGroup() as group:
        for one in calls:
            group.create_task(call(*one))
    return began


@pytest.mark.looptime
async def test_interactive_calls_go_ahead_of_batch_ones() -> None:
    """Of calls that wait, those of interactive runs go first, in the order in which they came."""
    governor = Governor("x", Limits(concurrency=1))
    calls = [("first", BATCH, 0, 1), ("b1", BATCH, 1, 1), ("b2", BATCH, 2, 1), ("i1", INTERACTIVE, 3, 1),
             ("i2", INTERACTIVE, 4, 1)]  # fmt: skip
    assert [*await order(governor, calls, seconds=10)] == ["first", "i1", "i2", "b1", "b2"]


@pytest.mark.looptime
async def test_a_batch_call_is_passed_for_five_minutes_and_no_longer() -> None:
    """Interactive calls come without end, more than can pass: a batch call goes ahead of what came 300 s after it."""
    governor = Governor("x", Limits(concurrency=1))
    flood = [(f"i{number}", INTERACTIVE, number * 5.0, 1) for number in range(200)]
    began = [*await order(governor, [*flood, ("batch", BATCH, 0.5, 1)], seconds=10)]
    passed = began[: began.index("batch")]
    assert passed == [name for name, _, at, _ in flood if at <= 0.5 + BATCH_OFFSET]


@pytest.mark.looptime
async def test_tokens_are_held_for_the_head_of_the_line() -> None:
    """A large call is not starved by small ones that would fit: what comes free is kept until it is enough."""
    governor = Governor("x", Limits(tokens_per_minute=100))
    small = [(f"s{number}", INTERACTIVE, number * 6.0, 10) for number in range(20)]
    began = [*await order(governor, [*small, ("large", INTERACTIVE, 55, 95)])]
    assert began[: began.index("large")] == [f"s{number}" for number in range(10)]


@given(
    calls=st.lists(
        st.tuples(st.sampled_from([BATCH, INTERACTIVE]), st.integers(0, 600), st.integers(1, 150)), max_size=25
    )
)
def test_nobody_is_passed_out_of_turn(calls: list[tuple[str, int, int]]) -> None:
    """Whoever is there when another begins, and stands before it by arrival and class, has begun before it."""
    named = [(f"c{number}", priority, float(at), tokens) for number, (priority, at, tokens) in enumerate(calls)]
    governor = Governor("x", Limits(concurrency=3, tokens_per_minute=100, requests_per_minute=8))
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        began = runner.run(order(governor, named, seconds=7))
    assert began.keys() == {name for name, *_ in named}
    for name, priority, at, _ in named:
        for other, its_priority, its_at, _ in named:
            if at + behind(priority) < its_at + behind(its_priority) and at < began[other]:
                assert began[name] <= began[other]


@pytest.mark.looptime
async def test_a_long_wait_is_told_once_it_is_long() -> None:
    """Whoever watches the run hears of a call that has waited, and of no other."""
    told: list[float] = []
    CALLER.set(Caller(waits_long=lambda: told.append(now())))
    governor = Governor("x")
    for pause in (LONG_WAIT - 1, LONG_WAIT + 5):
        governor.limited(pause)
        async with governor.slot(1):
            pass
    assert told == [LONG_WAIT - 1 + LONG_WAIT]
