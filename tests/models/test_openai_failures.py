"""What comes of everything that can go wrong at a provider, through the real client, in virtual time."""

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from agentorch.core.usage import Usage
from agentorch.errors import FailureKind, ModelError, ModelRefusal, ModelTimeout
from agentorch.models import Governor
from agentorch.ports.model import Message, ModelRequest, wasted_by
from agentorch.testing.fake_openai import Answer, Fail, FakeOpenAI, Say, Unreachable

ASK = ModelRequest((Message("user", "Hello?"),), silence=30)
_SOON = format_datetime(datetime(2026, 11, 23, 12, 0, 20, tzinfo=UTC), usegmt=True)
_NOW = format_datetime(datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC), usegmt=True)


async def failure(*answers: Answer, name: str = "gpt-5-mini") -> ModelError:
    async with FakeOpenAI(*answers) as server:
        model = server.model(name)
        try:
            for _ in answers[:-1]:
                await model.complete(ASK)
            with pytest.raises(ModelError) as raised:
                await model.complete(ASK)
        finally:
            await model.close()
        assert len(server.requests) == len(answers), "the client must not retry by itself"
        assert "sk-fake-key" not in str(raised.value)
        assert "\n" not in str(raised.value)
        assert server.base_url in str(raised.value) or raised.value.kind is FailureKind.PERMANENT
        return raised.value


@pytest.mark.parametrize(
    ("fail", "wait"),
    [
        (Fail(429, retry_after=20), 20.0),
        (Fail(429, retry_after="1.5"), 1.5),
        (Fail(429, retry_after=_SOON, headers=(("date", _NOW),)), 20.0),
        (Fail(429, headers=(("retry-after-ms", "250"),)), 0.25),
        (Fail(429), None),
        (Fail(429, retry_after="soon"), None),
        (Fail(408), None),
        (Fail(409), None),
        (Fail(500), None),
        (Fail(503, retry_after=3), 3.0),
        (Fail(529), None),
    ],
)
async def test_passing_trouble_is_transient(fail: Fail, wait: float | None) -> None:
    """429, 408, 409 and 5xx can be tried again, after the wait that the provider names in any of its ways."""
    raised = await failure(fail)
    assert (raised.kind, raised.retry_after) == (FailureKind.TRANSIENT, wait)


@pytest.mark.parametrize(
    ("fail", "words"),
    [
        (Fail(401, "Incorrect API key provided: sk-fake-key"), "OPENAI_API_KEY"),
        (Fail(400, "API key not valid. Please pass a valid API key."), "OPENAI_API_KEY"),
        (Fail(403, "No access to this model"), "gpt-5-mini"),
        (Fail(402, "Payment required"), "add credit"),
        (Fail(429, "You exceeded your quota", code="insufficient_quota"), "add credit"),
        (Fail(404, "The model does not exist", code="model_not_found"), "gpt-5-mini"),
        (Fail(400, "foo is not a valid model ID"), "check the model's name"),
        (Fail(200, "No credit", code="insufficient_quota"), "add credit"),
        (Unreachable("Illegal header value b'Bearer sk-fake-key\\r'", how="unsendable"), "OPENAI_API_KEY"),
        (Unreachable(), "OPENAI_BASE_URL"),
        (Unreachable("timed out", how="timeout"), "OPENAI_BASE_URL"),
    ],
)
async def test_wrong_settings_stop_at_once(fail: Answer, words: str) -> None:
    """A wrong key, no quota, an unknown model, no server: one line with the remedy, and no other try."""
    raised = await failure(fail)
    assert raised.kind is FailureKind.UNCONFIGURED
    assert words in str(raised)


@pytest.mark.parametrize(
    "fail",
    [
        Fail(400, "This model's maximum context length is 8192 tokens", code="context_length_exceeded"),
        Fail(413, "Request too large"),
        Fail(400, "Invalid value: 'banana'"),
        Fail(422, "Unprocessable"),
    ],
)
async def test_a_bad_request_is_permanent(fail: Fail) -> None:
    """What the server will refuse again is not sent again."""
    assert (await failure(fail)).kind is FailureKind.PERMANENT


async def test_a_filtered_prompt_is_refused() -> None:
    """A content filter that refuses the prompt is a refusal."""
    assert isinstance(await failure(Fail(400, "Filtered", code="content_filter")), ModelRefusal)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Say(pieces=["word " * 300, "b"], break_after=1), True),
        (Say("word " * 300, garbage=True), True),
        (Say("word " * 300, error=Fail(500, "The server had an error")), True),
        (Say(pieces=["word " * 300, "b"], delay=1, stall_after=1), True),
        (Say("never", stall_after=0), False),
        (Unreachable(how="silent"), False),
    ],
    ids=["broke off", "garbage", "error event", "stalled", "silent", "no answer at all"],
)
async def test_what_a_lost_call_used_is_told(answer: Answer, said: bool) -> None:
    """A provider charges for what was asked and said, whether or not it came to an end."""
    used = wasted_by(await failure(answer))
    assert (used.calls, used.approximate, used.input_tokens > 0) == (1, True, True)
    assert (used.output_tokens > 100, used.unpriced) == (said, 1)


async def test_what_a_refused_call_used_is_nothing() -> None:
    """The server has not taken it on."""
    assert wasted_by(await failure(Fail(429))) == Usage(calls=1)


@pytest.mark.parametrize("after", [0, 1])
async def test_a_stream_that_ends_early_is_transient(after: int) -> None:
    """A stream without a finish reason raises nothing in the client; here it is a failure."""
    raised = await failure(Say(pieces=["a", "b"], break_after=after))
    assert (raised.kind, "without a finish reason" in str(raised)) == (FailureKind.TRANSIENT, True)


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        (Say("a", error=Fail(500, "The server had an error")), FailureKind.TRANSIENT),
        (Say("a", error=Fail(429, "No credit", code="insufficient_quota")), FailureKind.UNCONFIGURED),
        (Say("a", error=Fail(429, "Too fast", code="rate_limit_exceeded")), FailureKind.TRANSIENT),
        (Say("a", error=Fail(400, "maximum context length", code="context_length_exceeded")), FailureKind.PERMANENT),
        (Say("a", error=Fail(404, "No such model", code="model_not_found")), FailureKind.UNCONFIGURED),
        (Say("a", error=Fail(503, "Overloaded", code="503")), FailureKind.TRANSIENT),
        (Say("a", error=Fail(400, "Filtered", code="content_filter")), FailureKind.REFUSED),
        (Say("a", garbage=True), FailureKind.TRANSIENT),
        (Say("a", finish_reason="error"), FailureKind.TRANSIENT),
    ],
)
async def test_a_stream_that_breaks_in_words(say: Say, kind: FailureKind) -> None:
    """An error event, a piece that is no JSON, an error as the finish reason: classified like the rest."""
    assert (await failure(say)).kind is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [("503", FailureKind.TRANSIENT), ("context_length_exceeded", FailureKind.PERMANENT), (None, FailureKind.TRANSIENT)],
)
async def test_an_error_in_the_body_of_a_200(code: str | None, kind: FailureKind) -> None:
    """Some servers say 200 and mean the error in it: its code counts."""
    raised = await failure(Fail(200, "It did not work out.", code=code))
    assert (raised.kind, "It did not work out." in str(raised)) == (kind, True)


@pytest.mark.looptime
async def test_a_slow_down_inside_a_stream_pauses_everybody() -> None:
    """A rate limit counts wherever it is said."""
    async with FakeOpenAI(Say("a", error=Fail(429, "Too fast", code="rate_limit_exceeded"))) as server:
        governor = Governor(server.base_url)
        model = server.model(traffic=governor)
        with pytest.raises(ModelError):
            await model.complete(ASK)
        await model.close()
        async with governor.slot(1) as lease:
            assert lease.waited > 0


async def test_the_clients_own_time_limit_is_a_time_out() -> None:
    """A read that the client gives up on is the same as a silence."""
    assert isinstance(await failure(Unreachable(how="silent")), ModelTimeout)


@pytest.mark.looptime
@pytest.mark.parametrize(("after", "at"), [(0, 30.0), (2, 50.0)])
async def test_a_stalled_connection_is_given_up(after: int, at: float) -> None:
    """After 30 s without a word the call is lost, however far it had come."""
    raised = await failure(Say(pieces=["a", "b", "c"], delay=10, stall_after=after))
    assert isinstance(raised, ModelTimeout)
    assert asyncio.get_running_loop().time() == pytest.approx(at, abs=0.1)


@pytest.mark.looptime
async def test_a_slow_stream_is_not_a_stalled_one() -> None:
    """Silence is counted from the last piece: an answer may take as long as it goes on."""
    async with FakeOpenAI(Say(pieces=["a"] * 10, delay=29)) as server:
        model = server.model()
        assert (await model.complete(ASK)).text == "a" * 10
        await model.close()
    assert asyncio.get_running_loop().time() == pytest.approx(290, abs=0.1)


async def test_a_connection_that_breaks_is_transient() -> None:
    """A server that drops the first call is there: another try may help."""
    assert (await failure(Unreachable(how="dropped"))).kind is FailureKind.TRANSIENT


async def test_a_connection_lost_later_is_transient() -> None:
    """Once a provider has answered, a failing connection is an outage and no matter of set-up."""
    assert (await failure(Say("Hello."), Unreachable())).kind is FailureKind.TRANSIENT


@pytest.mark.looptime
async def test_cancelling_a_call_ends_it() -> None:
    """A cancelled call raises CancelledError, not a failure of the model."""
    async with FakeOpenAI(Say("a", stall_after=0)) as server:
        model = server.model()
        call = asyncio.create_task(model.complete(ASK))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await call
        assert wasted_by(cancelled.value).input_tokens > 0
        await model.close()
