"""What every model must do: subclass `ModelConformance`, say how one is made whose provider gives a reply, and pytest
runs the promises.

class TestMyModel(ModelConformance):
    @asynccontextmanager
    async def opened(self, reply):
        async with my_server_that_says(reply) as address:
            yield MyModel(address)
"""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, Final, get_args

import pytest

from agentorch.core.usage import Usage
from agentorch.errors import FailureKind, ModelError
from agentorch.ports.model import (
    FinishReason,
    Message,
    Model,
    ModelRequest,
    ModelResponse,
    OnDelta,
    OutputSchema,
    ToolCall,
    ToolSpec,
    is_priced,
    secrets_of,
    wasted_by,
)
from agentorch.testing.scripted_model import Reply

PATIENCE: Final = 10.0
"""Seconds in which a call that was cancelled must have ended."""

REQUEST: Final = ModelRequest(
    (
        Message("system", "You write odes."),
        Message("user", "An ode to snö ☃."),
        Message("assistant", "I look it up.", tool_calls=(ToolCall("call-1", "look_up", '{"word": "snö"}'),)),
        Message("tool", "it is white", tool_call_id="call-1"),
    ),
    tools=(ToolSpec("look_up", "Looks a word up.", {"type": "object", "properties": {"word": {"type": "string"}}}),),
)
"""What is asked unless a test says otherwise: every role, and a tool."""

_USED: Final = Usage(10, 5, calls=1)
_ODE: Final = Reply(pieces=("An ode: ", "snö ", "☃."), usage=_USED)
_TEXT: Final = "An ode: snö ☃."
_FORM: Final = OutputSchema(
    "verdict",
    {"type": "object", "properties": {"good": {"type": "boolean"}}, "required": ["good"]},
)
_FORMS: Final = {
    "a question alone": ModelRequest((Message("user", "An ode?"),)),
    "no more calls": replace(REQUEST, may_call=False),
    "limits": replace(REQUEST, max_output_tokens=100, temperature=0.5, silence=60.0),
    "labels": replace(REQUEST, model="another", labels={"agent": "poet", "task": "ode", "purpose": "work"}),
}


class ModelConformance:
    """The promises of `agentorch.ports.model`."""

    soon: tuple[float, ...] = (0.05, 0.5, 2.0)
    """Seconds after which a call is cancelled, one try after the other, until one was at the provider by then."""

    def opened(self, reply: Reply) -> AbstractAsyncContextManager[Model]:
        """Return a context manager that opens a model whose provider gives `reply` to every call.

        What a `Reply` of the suite may say: `text`, or `pieces` of it; `tool_calls`; `refusal`; a `finish_reason`
        where it is another than these tell; `usage`, to be told with whatever comes of the call. `error` is how the
        provider fails, after the pieces if there are any: by its `kind`, and its `retry_after`. `delay` is how many
        seconds it lets pass before each piece.
        """
        raise NotImplementedError

    async def test_an_answer_comes_back(self) -> None:
        """The whole text, with the reason "stop"; nothing is called, nothing refused."""
        async with self.opened(Reply(_TEXT, usage=_USED)) as model:
            answer = await _answered(model)
        said = (answer.text, answer.finish_reason, answer.tool_calls, answer.refusal)
        assert said == (_TEXT, "stop", (), None), f"the answer is not what the provider said: {answer}"

    async def test_what_was_used_is_told(self) -> None:
        """With the response: the tokens that went in, and those that came out."""
        async with self.opened(_ODE) as model:
            answer = await _answered(model)
        tokens = (answer.usage.input_tokens, answer.usage.output_tokens)
        assert tokens == (10, 5), f"10 tokens went in and 5 came out, and the response tells {answer.usage}"

    async def test_the_pieces_are_the_text(self) -> None:
        """Whoever listens hears the text that the response has, in however many pieces."""
        heard: list[str] = []
        async with self.opened(_ODE) as model:
            answer = await _answered(model, on_delta=heard.append)
        assert answer.text == _TEXT, f"the answer is not what the provider said: {answer}"
        assert "".join(heard) == _TEXT, f"on_delta heard {heard}, which do not join to the text {_TEXT!r}"

    async def test_calls_of_tools_come_back_as_written(self) -> None:
        """In order, with their ids, and with arguments that may be no JSON; the reason is "tool_calls"."""
        calls = (ToolCall("call-2", "look_up", '{"word": "☃"}'), ToolCall("call-3", "look_up", '{"word": '))
        async with self.opened(Reply(tool_calls=calls, usage=_USED)) as model:
            answer = await _answered(model)
        assert answer.tool_calls == calls, f"{calls} were asked for, and the response has {answer.tool_calls}"
        assert answer.finish_reason == "tool_calls", f"the reason is 'tool_calls', not {answer.finish_reason!r}"

    @pytest.mark.parametrize("reason", ["length", "content_filter"])
    async def test_an_answer_that_was_cut_is_a_response(self, reason: FinishReason) -> None:
        """With that reason, with what there is of its text, and with what it used."""
        async with self.opened(Reply("An ode", finish_reason=reason, usage=_USED)) as model:
            answer = await _answered(model)
        assert answer.finish_reason == reason, f"the reason is {reason!r}, not {answer.finish_reason!r}"
        assert answer.text == "An ode", f"what there is of the text is 'An ode', not {answer.text!r}"
        assert answer.usage.tokens == _USED.tokens, f"it is paid for, and the response tells {answer.usage}"

    async def test_a_refusal_is_a_response(self) -> None:
        """With the reason "refusal", with the words of it, and with what it used."""
        async with self.opened(Reply(refusal="I write no odes.", usage=_USED)) as model:
            answer = await _answered(model)
        said = (answer.finish_reason, answer.refusal)
        assert said == ("refusal", "I write no odes."), f"a refusal is a response that has its words, not {answer}"
        assert answer.usage.tokens == _USED.tokens, f"it is paid for, and the response tells {answer.usage}"

    @pytest.mark.parametrize("kind", [FailureKind.TRANSIENT, FailureKind.UNCONFIGURED, FailureKind.PERMANENT])
    async def test_what_goes_wrong_is_an_error_with_its_kind(self, kind: FailureKind) -> None:
        """A `ModelError` that says it in words: what may pass, what has to be set up, what will not change."""
        async with self.opened(Reply(error=ModelError("the provider fails", kind=kind))) as model:
            error = await _failed(model)
        assert error.kind is kind, f"the kind of {error!r} is {kind.value!r}, not {error.kind!r}"
        assert str(error).strip(), f"{type(error).__name__} has no words"

    async def test_how_long_to_wait_is_told(self) -> None:
        """Where the provider asks for it."""
        asked = ModelError("slower", kind=FailureKind.TRANSIENT, retry_after=2.0)
        async with self.opened(Reply(error=asked)) as model:
            error = await _failed(model)
        assert error.retry_after == 2.0, f"the provider asked to wait 2 s, and retry_after is {error.retry_after}"

    async def test_an_answer_that_breaks_off_is_no_answer(self) -> None:
        """It is an error that may pass; what came was heard, and what it used is told with the error."""
        heard: list[str] = []
        broken = ModelError("the stream ends", kind=FailureKind.TRANSIENT)
        async with self.opened(replace(_ODE, error=broken)) as model:
            error = await _failed(model, on_delta=heard.append)
            used = wasted_by(error, model)
        assert error.kind is FailureKind.TRANSIENT, f"the kind of {error!r} is 'transient', not {error.kind!r}"
        assert _TEXT.startswith("".join(heard)), f"on_delta heard {heard}, with which {_TEXT!r} does not begin"
        assert used.tokens, "an answer that breaks off is paid for: tell what it used with `wasted(error, usage)`"

    async def test_a_call_that_is_cancelled_ends_and_tells_what_it_used(self) -> None:
        """`CancelledError` goes through, with what was used by then."""
        async with self.opened(Reply(_TEXT, delay=60, usage=_USED)) as model:
            for seconds in self.soon:
                if wasted_by(await _cancelled(model, seconds)).tokens:
                    return
        pytest.fail("a call that is cancelled is paid for: tell what it used with `wasted(error, usage)`")

    async def test_calls_at_once_are_apart(self) -> None:
        """Each caller hears its own answer, once."""
        heard: list[list[str]] = [[] for _ in range(5)]
        async with self.opened(replace(_ODE, delay=0.01)) as model:
            answers = await asyncio.gather(*(_answered(model, on_delta=one.append) for one in heard))
        texts = [("".join(one), answer.text) for one, answer in zip(heard, answers, strict=True)]
        assert texts == [(_TEXT, _TEXT)] * 5, f"five calls at once heard, and were answered, {texts}"

    @pytest.mark.parametrize("form", _FORMS)
    async def test_every_form_of_request_is_answered(self, form: str) -> None:
        """With and without tools, limits and labels."""
        async with self.opened(_ODE) as model:
            answer = await _answered(model, _FORMS[form])
        assert answer.text == _TEXT, f"asked with {form}, it answers {answer.text!r}"

    async def test_an_answer_in_a_form_is_its_json(self) -> None:
        """What a server wraps around it is taken off."""
        async with self.opened(Reply('{"good": true}', usage=_USED)) as model:
            answer = await _answered(model, replace(REQUEST, output=_FORM))
        try:
            value = json.loads(answer.text)
        except ValueError:
            value = answer.text
        assert value == {"good": True}, f"the provider said {{'good': true}}, and the response has {answer.text!r}"

    async def test_it_says_who_it_is_and_what_it_costs(self) -> None:
        """A name; a price, where it has one; its secrets, as several texts."""
        async with self.opened(_ODE) as model:
            name: Any = model.name
            priced, secrets = is_priced(model), secrets_of(model)
            cost: Any = model.cost(_USED) if hasattr(model, "cost") else None  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
        assert isinstance(name, str), f"its name is a text, not {name!r}"
        assert name, "it has no name"
        assert isinstance(priced, bool), f"`priced` is True or False, not {priced!r}: is it a method?"
        assert cost is None or cost >= 0, f"`cost` gives dollars, or None when nobody knows, not {cost!r}"
        wrong = "`secrets` is a tuple of texts, each a key or a password; one text alone is read as its letters"
        assert all(isinstance(one, str) and len(one) > 1 for one in secrets), wrong

    @pytest.mark.parametrize("text", ["", "snö ☃ \x00", "\udc80", "an ode " * 10_000], ids=ascii)
    async def test_any_text_is_counted(self, text: str) -> None:
        """Offline and without an error; a longer text has more tokens."""
        async with self.opened(_ODE) as model:
            try:
                counts = model.count(text), model.count(text + " and an ode to message buses")
            except Exception as error:
                raise AssertionError(f"count({text[:20]!r}) is never an error, and raised {error!r}") from error
        assert 0 <= counts[0] < counts[1], f"a text and a longer one have {counts[0]} and {counts[1]} tokens"

    @pytest.mark.parametrize("asked", [False, True], ids=["new", "asked"])
    async def test_it_can_be_closed(self, asked: bool) -> None:
        """Whether it was ever asked or not."""
        async with self.opened(_ODE) as model:
            if asked:
                await _answered(model)
            await model.close()


async def _answered(model: Model, request: ModelRequest = REQUEST, *, on_delta: OnDelta | None = None) -> ModelResponse:
    try:
        answer: Any = await model.complete(request, on_delta=on_delta)
    except Exception as error:
        raise AssertionError(f"complete() owes a response here, and raised {_named(error)}") from error
    assert isinstance(answer, ModelResponse), f"complete() returns a ModelResponse, not {answer!r}"
    assert answer.finish_reason in get_args(FinishReason), f"{answer.finish_reason!r} is no finish reason"
    assert isinstance(answer.usage, Usage), f"the usage of a response is a Usage, not {answer.usage!r}"  # pyright: ignore[reportUnnecessaryIsInstance]
    return answer


async def _failed(model: Model, *, on_delta: OnDelta | None = None) -> ModelError:
    try:
        answer = await model.complete(REQUEST, on_delta=on_delta)
    except ModelError as error:
        return error
    except Exception as error:
        raise AssertionError(f"what goes wrong is a ModelError with a kind, not {_named(error)}") from error
    raise AssertionError(f"the provider fails, and complete() returned {answer}")


async def _cancelled(model: Model, seconds: float) -> BaseException:
    """Return what ends a call that is cancelled after so long."""

    async def ended() -> BaseException | ModelResponse:
        try:
            return await model.complete(REQUEST)
        except BaseException as error:  # noqa: BLE001  # whatever ends it is looked at below
            return error

    call = asyncio.ensure_future(ended())
    await asyncio.wait([call], timeout=seconds)
    call.cancel()
    await asyncio.wait([call], timeout=PATIENCE)
    assert call.done(), f"a call that was cancelled goes on after {PATIENCE:g} s"
    end = call.result()
    if isinstance(end, asyncio.CancelledError):
        return end
    said = _named(end) if isinstance(end, BaseException) else repr(end)
    raise AssertionError(f"a call that is cancelled ends with CancelledError, not with {said}")


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")
