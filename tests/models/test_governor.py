"""The governor, in virtual time: limits, fairness, pauses, recovery."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.errors import FailureKind, ModelError
from agentorch.models import WAITING, GovernedModel, Governor, Governors, Limits, open_model
from agentorch.models.gate import Gate
from agentorch.models.headers import Allowance
from agentorch.models.openai_model import RoughCount
from agentorch.models.window import MINUTE, Told, Window
from agentorch.ports.model import Message, ModelRequest
from agentorch.testing.fake_openai import Fail, FakeOpenAI, Say

ASK = ModelRequest((Message("user", "Hello?"),), silence=30, max_output_tokens=10)


def now() -> float:
    return round(asyncio.get_running_loop().time(), 2)


async def starts(
    governor: Governor, sizes: list[int], *, seconds: float = 0.0, actual: int | None = None
) -> list[float]:
    """Make one call of each size at once; return when each began."""
    began: dict[int, float] = {}

    async def call(number: int, tokens: int) -> None:
        async with governor.slot(tokens) as lease:
            began[number] = now()
            await asyncio.sleep(seconds)
            lease.settle(tokens if actual is None else actual)

    async with asyncio.TaskGroup() as group:
        for number, tokens in enumerate(sizes):
            group.create_task(call(number, tokens))
    return [began[number] for number in range(len(sizes))]


@pytest.mark.looptime
async def test_concurrency() -> None:
    """No more calls are under way than allowed, and a free slot is taken at once."""
    assert await starts(Governor("x", Limits(concurrency=2)), [1] * 5, seconds=1) == [0, 0, 1, 1, 2]


@pytest.mark.looptime
async def test_requests_per_minute() -> None:
    """The request above the limit waits until the first one is a minute old."""
    assert await starts(Governor("x", Limits(requests_per_minute=2)), [1] * 5) == [0, 0, 60, 60, 120]


@pytest.mark.looptime
async def test_tokens_per_minute() -> None:
    """Tokens are taken when a call begins; one that is larger than the limit goes alone."""
    assert await starts(Governor("x", Limits(tokens_per_minute=100)), [60, 40, 50, 50, 500]) == [0, 0, 60, 60, 120]


@pytest.mark.looptime
async def test_what_was_not_used_is_given_back() -> None:
    """A call that took less than expected makes room for the next."""
    governor = Governor("x", Limits(tokens_per_minute=100))
    assert await starts(governor, [100, 90], seconds=1, actual=10) == [0, 1]


@pytest.mark.looptime
async def test_first_come_first_served() -> None:
    """A small request does not pass a large one that waits."""
    assert await starts(Governor("x", Limits(tokens_per_minute=100)), [80, 80, 5]) == [0, 60, 60]


@pytest.mark.looptime
async def test_a_cancelled_call_leaves_the_queue() -> None:
    """Whoever gives up waiting takes nothing along and blocks nobody."""
    governor = Governor("x", Limits(concurrency=1))
    first = asyncio.create_task(starts(governor, [1], seconds=10))
    await asyncio.sleep(0)
    second = asyncio.create_task(starts(governor, [1], seconds=10))
    third = asyncio.create_task(starts(governor, [1]))
    await asyncio.sleep(1)
    second.cancel()
    await asyncio.wait([first, second, third])
    assert (second.cancelled(), third.result()) == (True, [10])


@pytest.mark.looptime
async def test_a_call_cancelled_as_it_is_let_in_gives_its_slot_back() -> None:
    """Let in and cancelled in the same moment: the slot is free again."""
    governor = Governor("x", Limits(concurrency=1, requests_per_minute=2))
    lease = governor.slot(1)
    await lease.__aenter__()
    second = asyncio.create_task(starts(governor, [1]))
    await asyncio.sleep(1)
    second.cancel()
    await lease.__aexit__(None, None, None)
    await asyncio.wait([second])
    assert await starts(governor, [1]) == [1]


@pytest.mark.looptime
async def test_retry_after_stops_everybody() -> None:
    """One call is told to wait 20 s: no other call with the key is made before."""
    governor = Governor("x")
    governor.limited(20)
    assert await starts(governor, [1, 1]) == [20, 20]


@pytest.mark.looptime
async def test_back_off_doubles_and_is_the_same_every_time() -> None:
    """Without a word from the provider the pause grows, with a jitter that a replay repeats."""

    async def pauses(name: str) -> list[float]:
        governor, found = Governor(name), list[float]()
        for _ in range(4):
            begun = now()
            governor.limited(None)
            async with governor.slot(1):
                found.append(round(now() - begun, 2))
        return found

    first = await pauses("a")
    assert await pauses("a") == pytest.approx(first, abs=0.02) != await pauses("b")
    assert all(2**n / 2 <= pause <= 2**n for n, pause in enumerate(first))


@pytest.mark.looptime
async def test_fewer_at_once_then_slowly_more() -> None:
    """A refusal that no limit explains halves what may be under way, once for all that were; successes give it back."""
    governor = Governor("x", Limits(concurrency=8))
    for _ in range(8):
        governor.limited(None)
    ceilings = [governor.ceiling]
    for _ in range(40):
        await starts(governor, [1])
        ceilings.append(governor.ceiling)
    assert (ceilings[0], ceilings[-1], sorted(set(ceilings))) == (4, 8, [4, 5, 6, 7, 8])
    assert ceilings == sorted(ceilings)


@pytest.mark.looptime
async def test_what_the_provider_says_is_left() -> None:
    """With nothing left, calls are spread over the time until the reset."""
    governor = Governor("x")
    governor.headers({
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
    })  # fmt: skip
    assert await starts(governor, [1, 1, 1]) == [6, 12, 18]


@pytest.mark.looptime
async def test_tokens_left_and_unreadable_headers() -> None:
    """Remaining tokens count too; headers that make no sense are no news."""
    governor = Governor("x")
    governor.headers({"x-ratelimit-remaining-requests": "lots", "x-ratelimit-reset-requests": "soon"})
    governor.headers({
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "400",
        "x-ratelimit-reset-tokens": "6s",
    })  # fmt: skip
    assert await starts(governor, [400, 500]) == [0, 5]


@pytest.mark.looptime
async def test_a_days_limit_is_the_providers_to_refuse() -> None:
    """Nobody is kept in the queue for hours."""
    governor = Governor("x")
    governor.headers({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "23h"})
    assert await starts(governor, [1]) == [0]


@pytest.mark.looptime
async def test_waiting_is_told() -> None:
    """A lease says how long it waited, and whoever measures the task's time hears of it meanwhile."""
    heard: list[tuple[float, bool]] = []
    token = WAITING.set(lambda waiting: heard.append((now(), waiting)))
    governor = Governor("x")
    async with governor.slot(1) as lease:
        assert lease.waited == 0
    governor.limited(7)
    async with governor.slot(1) as lease:
        assert lease.waited == pytest.approx(7)
    WAITING.reset(token)
    assert heard == [(0, True), (7, False)]


@given(
    limit=st.integers(1, 50),
    calls=st.lists(st.tuples(st.floats(0, 30, allow_subnormal=False), st.integers(0, 60)), max_size=40),
)
def test_no_minute_holds_more_than_the_limit(limit: int, calls: list[tuple[float, int]]) -> None:
    """However calls come: in no minute is more taken than allowed, but for a single call that is larger."""
    window, time, taken = Window(limit), 0.0, list[tuple[float, int]]()
    for pause, amount in calls:
        time += pause
        time += window.wait(time, amount)
        assert window.wait(time, amount) == pytest.approx(0, abs=1e-5)
        window.take(time, amount)
        taken.append((time, amount))
    for start, _ in taken:
        inside = [amount for at, amount in taken if start <= at < start + MINUTE - 1e-3]
        assert sum(inside) <= limit or max(inside) > limit


def test_calls_not_yet_counted_by_the_provider() -> None:
    """What is under way is taken off what the provider says is left."""
    told = Told()
    told.hear(0, Allowance(remaining=2, reset=10, limit=12), under_way=2)
    assert (told.wait(0, 1), told.wait(5, 1)) == (1.0, 0.0)


async def test_one_governor_for_one_key() -> None:
    """The same key at the same server meets the same governor, with the limits set for that server."""
    governors = Governors({"http://a/v1": Limits(concurrency=3)})
    assert governors.get("http://a/v1", "k") is governors.get("http://a/v1/", "k")
    assert governors.get("http://a/v1", "k") is not governors.get("http://a/v1", "other")
    assert (governors.get("http://a/v1", "k").ceiling, governors.get("http://b/v1", "k").ceiling) == (3, 32)


def governed(server: FakeOpenAI, *, retries: int = 0, limits: Limits | None = None) -> GovernedModel:
    governor = Governor(server.base_url, limits)
    return GovernedModel(server.model(traffic=governor), governor, retries=retries)


@pytest.mark.looptime
async def test_429_pauses_every_run_on_the_key() -> None:
    """Through the real client: one call gets 429 with Retry-After 20; those of other runs wait, then work."""
    async with FakeOpenAI(Fail(429, retry_after=20), otherwise=Say("Hello.")) as server:
        model = governed(server, limits=Limits(concurrency=1))
        results = await asyncio.gather(*(model.complete(ASK) for _ in range(3)), return_exceptions=True)
        await model.close()
    failed = [result for result in results if isinstance(result, ModelError)]
    waited = [result.extra["waited"] for result in results if not isinstance(result, BaseException)]
    assert [(error.kind, error.retry_after) for error in failed] == [(FailureKind.TRANSIENT, 20.0)]
    assert [round(seconds) for seconds in waited] == [20, 20]
    assert [round(time) for time in server.times] == [0, 20, 20]


@pytest.mark.looptime
async def test_a_call_that_has_waited_long_keeps_its_place() -> None:
    """Refused after 12 s in the queue, it is made again when the pause is over, before a call that came later."""
    async with FakeOpenAI(
        Fail(429, retry_after=20), otherwise=lambda body: Say(body["messages"][0]["content"])
    ) as server:
        governor = Governor(server.base_url, Limits(concurrency=1))
        model = GovernedModel(server.model(traffic=governor), governor)
        governor.limited(12)
        calls = [model.complete(ModelRequest((Message("user", name),), silence=30)) for name in ("first", "second")]
        first, second = await asyncio.gather(*calls)
        await model.close()
    assert [body["messages"][0]["content"] for body in server.requests] == ["first", "first", "second"]
    assert [round(time) for time in server.times] == [12, 32, 32]
    assert (first.text, second.text, round(first.extra["waited"])) == ("first", "second", 32)


@pytest.mark.looptime
@pytest.mark.parametrize("retries", [0, 2])
async def test_a_provider_that_asks_for_a_day_is_not_waited_for(retries: int, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever waits and whoever comes is refused at once, with the time; after ten minutes it is asked again."""
    async with FakeOpenAI(Fail(429, retry_after=86_400), otherwise=Say("Hello.")) as server:
        model = governed(server, limits=Limits(concurrency=1), retries=retries)
        results = await asyncio.gather(*(model.complete(ASK) for _ in range(3)), return_exceptions=True)
        results += await asyncio.gather(model.complete(ASK), return_exceptions=True)
        refused_at = now()
        await asyncio.sleep(601)
        assert (await model.complete(ASK)).text == "Hello."
        await model.close()
    failed = [(error.kind, error.retry_after) for error in results if isinstance(error, ModelError)]
    assert (failed, refused_at) == ([(FailureKind.TRANSIENT, 86_400.0)] * 4, 0)
    assert [record.message for record in caplog.records] == [f"{server.base_url} asks for a pause of 86400 s"]
    assert len(server.requests) == 2


@pytest.mark.looptime
async def test_models_that_are_given_share_the_governor_of_their_key() -> None:
    """A bare `OpenAIModel` waits for its turn with those that were opened by name, and counts with the same counter."""
    async with FakeOpenAI(Fail(429, retry_after=20), otherwise=Say("Hello.")) as server:
        environment = {"OPENAI_API_KEY": "sk-fake-key", "OPENAI_BASE_URL": server.base_url}
        governors = Governors({server.base_url: Limits(concurrency=1)})

        def three(text: str, model: str) -> RoughCount:
            return RoughCount(3)

        given, named = (
            open_model(spec, governors=governors, count=three, environment=environment)
            for spec in (server.model("a"), "b")
        )
        assert given is not None
        assert named is not None
        results = await asyncio.gather(given.complete(ASK), named.complete(ASK), return_exceptions=True)
        await given.close()
        await named.close()
    assert [isinstance(result, ModelError) for result in results] == [True, False]
    assert ([round(time) for time in server.times], given.count("some words")) == ([0, 20], 3)


@pytest.mark.looptime
async def test_rate_limit_headers_are_obeyed() -> None:
    """Through the real client: an answer that says that nothing is left delays the next call."""
    headers = (
        ("x-ratelimit-limit-requests", "10"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "60s"),
    )
    async with FakeOpenAI(Say("one", headers=headers), Say("two")) as server:
        model = governed(server)
        await model.complete(ASK)
        await model.complete(ASK)
        await model.close()
    assert [round(time) for time in server.times] == [0, 6]


@pytest.mark.looptime
async def test_hiccups_are_met_here_when_asked_for() -> None:
    """With retries a 429 and a 500 are overcome; the wait is the provider's, then a doubling one."""
    async with FakeOpenAI(Fail(429, retry_after=20), Fail(500), Say("Hello.")) as server:
        model = governed(server, retries=2)
        assert (await model.complete(ASK)).text == "Hello."
        await model.close()
    assert [round(time) for time in server.times] == [0, 20, 22]


@pytest.mark.parametrize(
    ("answers", "retries", "requests"),
    [
        ([Fail(500)], 0, 1),
        ([Fail(500), Fail(500)], 1, 2),
        ([Fail(401)], 2, 1),
        ([Say(pieces=["a", "b"], break_after=1)], 2, 1),
    ],
)
@pytest.mark.looptime
async def test_when_to_give_up(answers: list[Any], retries: int, requests: int) -> None:
    """Retries are bounded, for transient failures only, and never once text has been shown."""
    async with FakeOpenAI(*answers) as server:
        model = governed(server, retries=retries)
        with pytest.raises(ModelError):
            await model.complete(ASK)
        await model.close()
    assert len(server.requests) == requests


async def test_a_governor_outlives_its_loop() -> None:
    """Another event loop gets a gate of its own, and those of closed loops are forgotten."""
    governor = Governor("x", Limits(concurrency=1))
    for _ in range(2):
        await asyncio.to_thread(asyncio.run, starts(governor, [1]))
    assert len(await starts(governor, [1])) == 1
    assert len(governor._gates) == 1


@pytest.mark.looptime
async def test_many_calls_cost_no_more_each() -> None:
    """Ten thousand calls pass a gate of 32 without a look at the whole queue for each."""
    governor = Governor("x", Limits(requests_per_minute=1_000_000))
    await starts(governor, [1] * 10_000, seconds=0.01)
    assert isinstance(governor._gate(), Gate)
