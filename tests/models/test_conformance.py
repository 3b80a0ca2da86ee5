"""Every model that we ship keeps the promises of its port, and one that breaks a promise is told which."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentorch.core.usage import NOTHING
from agentorch.errors import FailureKind, ModelError, ModelRefusal
from agentorch.ports.model import Model, ModelRequest, ModelResponse, OnDelta
from agentorch.testing import Fail, FakeOpenAI, FaultyModel, RecordedModel, Reply, Say, ScriptedModel
from agentorch.testing.model_conformance import REQUEST, ModelConformance

STATUS = {FailureKind.TRANSIENT: 503, FailureKind.UNCONFIGURED: 401, FailureKind.PERMANENT: 400}


def on_the_wire(reply: Reply) -> Say | Fail:
    """Return how an OpenAI-compatible server gives a reply."""
    if reply.error is not None and not reply.pieces:
        wait = reply.error.retry_after
        return Fail(STATUS[reply.error.kind] if wait is None else 429, retry_after=wait)
    return Say(
        reply.text,
        reply.pieces,
        reply.tool_calls,
        reply.refusal,
        reply.finish_reason,
        usage=(reply.usage.input_tokens, reply.usage.output_tokens, 0) if reply.usage else None,
        delay=reply.delay,
        break_after=len(reply.pieces) if reply.error else None,
    )


class TestOpenAIModel(ModelConformance):
    """Over HTTP."""

    @asynccontextmanager
    async def opened(self, reply: Reply) -> AsyncGenerator[Model]:
        async with FakeOpenAI(otherwise=on_the_wire(reply)) as server:
            model = server.model()
            try:
                yield model
            finally:
                await model.close()


class TestScriptedModel(ModelConformance):
    @asynccontextmanager
    async def opened(self, reply: Reply) -> AsyncGenerator[Model]:
        yield ScriptedModel(reply)


class TestFaultyModel(ModelConformance):
    """The faults are its own; all else is the model's below."""

    @asynccontextmanager
    async def opened(self, reply: Reply) -> AsyncGenerator[Model]:
        model = ScriptedModel(replace(reply, error=None))
        error = reply.error
        if error is None:
            yield FaultyModel(model)
        elif reply.pieces:
            yield FaultyModel(model, breaks=1)
        else:
            yield FaultyModel(model, failures=1, kind=error.kind, retry_after=error.retry_after)


class TestRecordedModelThatRecords(ModelConformance):
    @pytest.fixture(autouse=True)
    def _in(self, tmp_path: Path) -> None:
        self.path = tmp_path / "recordings.jsonl"

    @asynccontextmanager
    async def opened(self, reply: Reply) -> AsyncGenerator[Model]:
        yield RecordedModel(self.path, ScriptedModel(reply), mode="record")


class TestRecordedModelThatReplays(TestRecordedModelThatRecords):
    """What the suite asks was recorded beforehand, as often as it asks; what does not come again is asked for."""

    @asynccontextmanager
    async def opened(self, reply: Reply) -> AsyncGenerator[Model]:
        recording = RecordedModel(self.path, ScriptedModel(reply), mode="record")
        if reply.delay < 1:
            for _ in range(5):
                with suppress(ModelError):
                    await recording.complete(REQUEST, on_delta=lambda _: None)
        yield RecordedModel(self.path, ScriptedModel(reply))


class Wrapper:
    """A model over a scripted one, for those below to break."""

    priced: Any = True
    secrets: Any = ()

    def __init__(self, reply: Reply) -> None:
        self.model = ScriptedModel(reply)
        self.name = "mine"

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        return await self.model.complete(request, on_delta=on_delta)

    def count(self, text: str) -> int:
        return self.model.count(text)

    async def close(self) -> None:
        await self.model.close()


class Silent(Wrapper):
    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        return await self.model.complete(request)


class HeardTwice(Wrapper):
    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        answer = await self.model.complete(request, on_delta=on_delta)
        if on_delta is not None:
            on_delta(answer.text)
        return answer


class Shared(Wrapper):
    """Keeps who listens in itself, where the next call finds another."""

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        self.listens = on_delta
        return await self.model.complete(request, on_delta=lambda piece: self.listens and self.listens(piece))


class Raw(Wrapper):
    """Lets the errors of its client through."""

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        try:
            return await self.model.complete(request, on_delta=on_delta)
        except ModelError as error:
            raise ConnectionError(str(error)) from error


class OneKind(Wrapper):
    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        try:
            return await self.model.complete(request, on_delta=on_delta)
        except ModelError as error:
            raise ModelError(str(error)) from error


class Cheerful(Wrapper):
    """Takes what has come for the answer, whatever happens."""

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        try:
            return await self.model.complete(request, on_delta=on_delta)
        except ModelError:
            return ModelResponse("", "stop")


class Offended(Wrapper):
    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        answer = await self.model.complete(request, on_delta=on_delta)
        if answer.refusal is not None:
            raise ModelRefusal(answer.refusal)
        return answer


class Free(Wrapper):
    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        return replace(await self.model.complete(request, on_delta=on_delta), usage=NOTHING)


class Thrifty(Wrapper):
    """Does not tell what a call used that brought nothing."""

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        try:
            return await self.model.complete(request, on_delta=on_delta)
        except ModelError as error:
            raise ModelError(str(error), kind=error.kind) from error
        except asyncio.CancelledError:
            raise asyncio.CancelledError from None


class Deaf(Wrapper):
    """Makes a failure of a cancel."""

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        try:
            return await self.model.complete(request, on_delta=on_delta)
        except asyncio.CancelledError:
            raise ModelError("it was cancelled") from None


class Reader(Wrapper):
    """Reads the arguments of a call, and drops what it cannot read."""

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        answer = await self.model.complete(request, on_delta=on_delta)
        return replace(answer, tool_calls=tuple(one for one in answer.tool_calls if one.arguments.endswith("}")))


class Finished(Wrapper):
    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        return replace(await self.model.complete(request, on_delta=on_delta), finish_reason="stop")


class Nameless(Wrapper):
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.name = ""


class OneSecret(Wrapper):
    secrets = "sk-a-key"


class MethodPriced(Wrapper):
    def priced(self) -> bool:
        return True


class Ascii(Wrapper):
    def count(self, text: str) -> int:
        return len(text.encode())


BROKEN: dict[type[Wrapper], tuple[str, str]] = {
    Silent: ("test_the_pieces_are_the_text", r"on_delta heard \[\], which do not join to the text 'An ode"),
    HeardTwice: ("test_the_pieces_are_the_text", "on_delta heard .*, which do not join to the text"),
    Shared: ("test_calls_at_once_are_apart", "five calls at once heard, and were answered"),
    Raw: ("test_how_long_to_wait_is_told", "is a ModelError with a kind, not ConnectionError: slower$"),
    OneKind: ("test_an_answer_that_breaks_off_is_no_answer", "is 'transient', not <FailureKind.PERMANENT"),
    Cheerful: ("test_how_long_to_wait_is_told", "the provider fails, and complete.. returned ModelResponse"),
    Offended: ("test_a_refusal_is_a_response", "owes a response here, and raised ModelRefusal: I write no odes.$"),
    Free: ("test_what_was_used_is_told", "10 tokens went in and 5 came out, and the response tells Usage"),
    Thrifty: ("test_an_answer_that_breaks_off_is_no_answer", r"paid for: tell what it used with `wasted\("),
    Deaf: (
        "test_a_call_that_is_cancelled_ends_and_tells_what_it_used",
        "ends with CancelledError, not with ModelError: it was cancelled$",
    ),
    Reader: ("test_calls_of_tools_come_back_as_written", "were asked for, and the response has"),
    Finished: ("test_calls_of_tools_come_back_as_written", "the reason is 'tool_calls', not 'stop'$"),
    Nameless: ("test_it_says_who_it_is_and_what_it_costs", "it has no name"),
    OneSecret: ("test_it_says_who_it_is_and_what_it_costs", "`secrets` is a tuple of texts"),
    MethodPriced: ("test_it_says_who_it_is_and_what_it_costs", "is it a method"),
}
"""A model that breaks a promise; the test that sees it, and its line."""


class Broken(ModelConformance):
    """Not collected: the suite over one of those."""

    def __init__(self, kind: type[Wrapper]) -> None:
        self.kind = kind

    @asynccontextmanager
    async def opened(self, reply: Reply) -> AsyncGenerator[Model]:
        yield self.kind(reply)


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
async def test_a_promise_that_is_broken_is_named(kind: type[Wrapper]) -> None:
    """In the first line of what the test says."""
    test, line = BROKEN[kind]
    with pytest.raises(AssertionError) as caught:
        await getattr(Broken(kind), test)()
    first = str(caught.value).splitlines()[0]
    assert re.search(line, first), first
    assert len(first) < 400


async def test_a_text_that_cannot_be_counted_is_named() -> None:
    """One of half a character, for example."""
    with pytest.raises(AssertionError, match=r"count\('\\udc80'\) is never an error, and raised UnicodeEncodeError"):
        await Broken(Ascii).test_any_text_is_counted("\udc80")


async def test_a_call_that_is_cancelled_without_a_word_is_named() -> None:
    """However late it is cancelled."""
    suite = Broken(Thrifty)
    suite.soon = (0.01, 0.02)
    with pytest.raises(pytest.fail.Exception, match=r"tell what it used with `wasted\("):
        await suite.test_a_call_that_is_cancelled_ends_and_tells_what_it_used()
