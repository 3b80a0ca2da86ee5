"""What the governor learns: limits from refusals and headers, tokens from calls."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.models import CALLER, Caller, GovernedModel, Governor, Limits
from agentorch.models.estimates import ENOUGH, Estimates
from agentorch.models.failures import reason_of
from agentorch.models.headers import Allowance
from agentorch.models.learned import Learned
from agentorch.models.quota import Quota
from agentorch.ports.model import Message, ModelRequest
from agentorch.testing.fake_openai import Fail, FakeOpenAI, Say

ASK = ModelRequest((Message("user", "Hello?"),), silence=30, max_output_tokens=990)


def now() -> float:
    return round(asyncio.get_running_loop().time(), 2)


@given(
    error=st.floats(0.5, 1.5),
    noise=st.lists(st.floats(0.9, 1.1), min_size=ENOUGH, max_size=40),
    expected=st.integers(1, 100_000),
)
def test_a_steady_error_is_corrected(error: float, noise: list[float], expected: int) -> None:
    """After a few calls an estimate is as far off as calls differ from each other, not as it was at first."""
    estimates = Estimates()
    assert estimates.corrected("m", "a", expected) == 1.5 * expected
    for factor in noise:
        estimates.learn("m", "a", expected, expected * error * factor)
    assert 0.89 <= estimates.corrected("m", "a", expected) / (expected * error) <= 1.11


def test_agents_have_ratios_of_their_own() -> None:
    """An agent that is not known yet is taken to be like the model's others."""
    estimates = Estimates()
    for _ in range(ENOUGH):
        estimates.learn("m", "short", 1000, 100)
    assert [round(estimates.corrected(*key, 1000)) for key in (("m", "short"), ("m", "new"), ("other", "short"))] == [
        100, 100, 1500,
    ]  # fmt: skip
    for _ in range(ENOUGH):
        estimates.learn("m", "long", 1000, 2000)
    assert (estimates.corrected("m", "short", 1000), estimates.corrected("m", "long", 1000)) == (100, 2000)


@pytest.mark.looptime
async def test_a_call_that_waits_is_estimated_when_its_turn_comes() -> None:
    """What was learned while a call stood in the queue counts for it: ten calls of 100 tokens fit where one did not."""
    answer = Say("Hello.", usage=(10, 90, 0), delay=1)
    async with FakeOpenAI(otherwise=answer) as server:
        governor = Governor(server.base_url, Limits(tokens_per_minute=1_600))
        model = GovernedModel(server.model(traffic=governor), governor)
        CALLER.set(Caller("short"))
        await asyncio.gather(*(model.complete(ASK) for _ in range(10)))
        await model.close()
    assert server.times[0] == 0
    assert server.times[-1] < 5


@pytest.mark.looptime
async def test_the_limit_in_the_headers_is_kept_to() -> None:
    """A limit that an answer states holds for the minute in which it came, calls before it included."""
    governor = Governor("x")
    began: list[float] = []
    for taken in range(1, 16):
        async with governor.slot(1) as lease:
            began.append(now())
            governor.headers({
                "x-ratelimit-limit-requests": "10",
                "x-ratelimit-remaining-requests": str(max(0, 10 - taken)),
                "x-ratelimit-reset-requests": f"{6 * min(taken, 10)}s",
            })  # fmt: skip
            lease.settle(1)
    assert began[:10] == [0] * 10
    assert 60 <= began[10] <= 60.1


def test_a_word_that_was_overtaken_is_no_news() -> None:
    """Answers may come in another order than their requests: what the later request was told holds."""
    quota = Quota(None)
    first, second = quota.take(0, 1), quota.take(0, 1)
    quota.hear(1, Allowance(remaining=0, reset=60, limit=2), second)
    quota.hear(1, Allowance(remaining=1, reset=30, limit=2), first)
    assert quota.wait(1, 1) > 25


def test_a_limit_that_comes_back_in_a_second_is_not_a_minutes() -> None:
    """Ten a second are not taken for ten a minute."""
    quota = Quota(None)
    for number in range(30):
        entry = quota.take(number / 10, 1)
        quota.hear(number / 10, Allowance(remaining=9, reset=0.1, limit=10), entry)
    assert quota.wait(3, 1) < 0.2


def test_what_a_refusal_teaches() -> None:
    """The limit is what was taken and a part of what was refused; it never falls by more than half, and rises again."""
    learned = Learned()
    assert learned.limit(0) == float("inf")
    learned.refused(10, taken=60, amount=1)
    assert (learned.limit(10), learned.limit(10 + 60)) == (60.5, pytest.approx(62.3, abs=0.1))
    learned.refused(80, taken=2, amount=1)
    assert learned.limit(80) == pytest.approx(62.8 / 2, abs=0.1)
    assert learned.limit(80 + 600) > 10 * learned.limit(80)


def test_a_refusal_on_the_heels_of_another_lowers_the_limit() -> None:
    """What had been saved up before makes a minute look rich: the next refusals correct it step by step."""
    learned = Learned()
    for second in range(5):
        learned.refused(second, taken=100, amount=1)
    assert learned.limit(5) < 100 * 0.95**3


@pytest.mark.looptime
async def test_calls_are_tried_a_few_at_a_time_at_a_provider_that_is_not_known() -> None:
    """Fifty calls come at once where ten a minute are allowed and nothing says so: a few are refused, not forty."""
    refused = 0

    def answer(body: object) -> Say | Fail:
        nonlocal refused
        if len(server.requests) <= 10:
            return Say("Hello.", latency=0.3)
        refused += 1
        return Fail(429)

    async with FakeOpenAI(otherwise=answer) as server:
        governor = Governor(server.base_url, Limits(concurrency=50))
        model = GovernedModel(server.model(traffic=governor), governor)
        calls = [asyncio.create_task(model.complete(ASK)) for _ in range(50)]
        await asyncio.sleep(1)
        assert 1 <= refused <= 4
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await model.close()


@pytest.mark.parametrize(
    ("message", "type", "reason"),
    [
        ("Rate limit reached for gpt-5 on tokens per min (TPM): Limit 10000", "tokens", "tokens"),
        ("Rate limit reached on requests per min (RPM): Limit 3", "requests", "requests"),
        ("Your account reached max concurrency: 3", "rate_limit_error", "concurrency"),
        ("Too many requests", "rate_limit_error", None),
    ],
)
@pytest.mark.looptime
async def test_what_there_was_too_much_of(message: str, type: str, reason: str | None) -> None:
    """A refusal may say what it is about: only that limit is learned, and only calls at once are halved."""
    import openai

    async with FakeOpenAI(Fail(429, message, type=type)) as server:
        governor = Governor(server.base_url, Limits(concurrency=8))
        model = GovernedModel(server.model(traffic=governor), governor)
        with pytest.raises(Exception, match="429") as caught:
            await model.complete(ASK)
        await model.close()
    cause = caught.value.__cause__
    assert isinstance(cause, openai.APIStatusError)
    assert reason_of(cause) == reason
    assert governor.ceiling == (8 if reason in {"tokens", "requests"} else 4)
