"""The fake's rate limits: what they let through is what their kind of minute allows."""

from typing import Any

import anyio
import looptime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.testing.fake_openai import Fail, Say
from agentorch.testing.rate_limits import MINUTE, Kind, RateLimited

ANSWER = Say("hello", usage=(6, 4, 0))


def said(answer: Say | Fail) -> dict[str, str]:
    return dict(answer.headers)


def most(kind: Kind, limit: float, seconds: float) -> float:
    """Return what a kind may let through in any stretch of so many seconds."""
    minutes = seconds / MINUTE
    whole = {"sliding": int(minutes) + 1, "fixed": int(minutes) + 2, "bucket": 1 + minutes}
    return limit * whole[kind]


@given(
    kind=st.sampled_from(["sliding", "fixed", "bucket"]),
    pauses=st.lists(st.integers(0, 40), min_size=1, max_size=60),
)
def test_no_stretch_holds_more_than_its_kind_allows(kind: Kind, pauses: list[int]) -> None:
    """However requests come: what is let through in any stretch of time is bounded, and something always is."""
    limited = RateLimited(lambda _: ANSWER, requests=4, kind=kind)

    async def ask() -> None:
        for pause in pauses:
            await anyio.sleep(pause)
            limited({})

    with_virtual_time(ask)
    times = [at for at, _ in limited.accepted]
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= most(kind, 4, times[last] - start) + 1e-6
    assert times
    assert len(times) + len(limited.refused) == len(pauses)


def with_virtual_time(call: Any) -> None:
    import asyncio

    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        runner.run(call())


@pytest.mark.looptime
@pytest.mark.parametrize("kind", ["sliding", "fixed", "bucket"])
async def test_after_the_time_that_it_names_it_answers(kind: Kind) -> None:
    """Retry-After is the truth, and so are the headers."""
    limited = RateLimited(lambda _: ANSWER, tokens=25, kind=kind)
    await anyio.sleep(7)
    first, second, third = limited({}), limited({}), limited({})
    assert isinstance(third, Fail)
    assert said(first)["x-ratelimit-remaining-tokens"] == "15"
    assert said(second)["x-ratelimit-remaining-tokens"] == "5"
    await anyio.sleep(float(third.retry_after or 0) + 0.001)
    assert isinstance(limited({}), Say)
    assert limited.refused_per_minute(seconds=60) == [1]
    assert limited.used("tokens", seconds=19) == pytest.approx(20 / 25 / (19 / 60))


@pytest.mark.looptime
async def test_a_server_that_says_nothing() -> None:
    """Without headers and Retry-After a refusal is all that a client gets."""
    limited = RateLimited(lambda _: ANSWER, requests=1, headers=False, retry_after=False)
    first, second = limited({}), limited({})
    assert (first.headers, second.headers) == ((), ())
    assert isinstance(second, Fail)
    assert second.retry_after is None
