"""What comes back from a server that answers, through the real client."""

import asyncio
from typing import Any

import openai
import pytest

from agentorch import tokens
from agentorch.core.usage import Usage
from agentorch.errors import ModelError
from agentorch.models import OpenAIModel, Price, Prices
from agentorch.ports.model import Message, ModelRequest, ModelResponse, ToolCall, ToolSpec
from agentorch.testing.fake_openai import Fail, FakeOpenAI, Say

ASK = ModelRequest((Message("system", "Be brief."), Message("user", "Hello?")), silence=30)
PRICES = Prices({"gpt-5-mini": Price(input=1.0, output=10.0, cached=0.1)})


async def answer(say: Say, request: ModelRequest = ASK, **settings: Any) -> ModelResponse:
    async with FakeOpenAI(say) as server:
        model = server.model(prices=PRICES, **settings)
        try:
            return await model.complete(request)
        finally:
            await model.close()


async def test_text_usage_and_price() -> None:
    """Pieces are joined; tokens, the cached part and the money are counted."""
    response = await answer(Say(pieces=["Hel", "lo."], usage=(1_000_000, 100_000, 500_000)))
    assert response == ModelResponse(
        text="Hello.",
        finish_reason="stop",
        usage=Usage(1_000_000, 100_000, cached_tokens=500_000, calls=1, money=0.5 + 0.05 + 1.0),
        model="gpt-5-mini",
    )


@pytest.mark.looptime
async def test_deltas_come_as_they_are_written() -> None:
    """Each piece is seen when it comes, not at the end."""
    seen: list[tuple[float, str]] = []
    async with FakeOpenAI(Say(pieces=["a", "b"], delay=2.0)) as server:
        model = server.model()
        await model.complete(ASK, on_delta=lambda text: seen.append((round(server_time(), 1), text)))
        await model.close()
    assert seen == [(2.0, "a"), (4.0, "b")]


def server_time() -> float:
    return asyncio.get_running_loop().time()


async def test_several_tool_calls_in_one_turn() -> None:
    """Calls are put together by index out of their pieces, and sent back with their answers."""
    calls = (ToolCall("c1", "search", '{"query": "bees"}'), ToolCall("c2", "search", '{"query": "wasps"}'))
    tool = ToolSpec("search", "Finds.", {"type": "object", "properties": {"query": {"type": "string"}}})
    async with FakeOpenAI(Say(tool_calls=calls), Say("Done.")) as server:
        model = server.model()
        first = await model.complete(ModelRequest(ASK.messages, tools=(tool,)))
        told = (
            Message("assistant", tool_calls=first.tool_calls),
            *(Message("tool", "found", tool_call_id=call.id) for call in first.tool_calls),
        )
        second = await model.complete(ModelRequest((*ASK.messages, *told), tools=(tool,)))
        await model.close()
    assert (first.tool_calls, first.finish_reason, second.text) == (calls, "tool_calls", "Done.")
    assert server.requests[0]["tools"] == [
        {"type": "function", "function": {"name": "search", "description": "Finds.", "parameters": tool.parameters}}
    ]
    assert server.requests[1]["messages"][2:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in calls
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "found"},
        {"role": "tool", "tool_call_id": "c2", "content": "found"},
    ]


async def test_a_whole_answer_where_a_stream_was_asked_for() -> None:
    """A server that does not stream is taken at its word, and heard in one piece."""
    heard: list[str] = []
    call = ToolCall("c1", "search", '{"query": "bees"}')
    async with FakeOpenAI(Say("Hello.", as_json=True), Say(tool_calls=(call, call), as_json=True)) as server:
        model = server.model(prices=PRICES)
        response = await model.complete(ASK, on_delta=heard.append)
        asked = await model.complete(ASK)
        await model.close()
    assert (response.text, heard, response.usage.tokens, response.finish_reason) == ("Hello.", ["Hello."], 15, "stop")
    assert (asked.tool_calls, asked.finish_reason) == ((call, call), "tool_calls")


@pytest.mark.parametrize("arguments", ['{"a": 1, "b": ', "[1]", "", "[" * 5_000])
async def test_malformed_arguments_are_not_sent_back(arguments: str) -> None:
    """Servers that read the history as JSON would refuse every further turn: an object stands in it."""
    told = (Message("assistant", tool_calls=(ToolCall("c1", "add", arguments),)), Message("tool", "error: no JSON"))
    async with FakeOpenAI(Say("Done.")) as server:
        model = server.model()
        await model.complete(ModelRequest((*ASK.messages, *told)))
        await model.close()
    assert server.requests[0]["messages"][2]["tool_calls"][0]["function"]["arguments"] == "{}"


async def test_a_refusal_is_a_response() -> None:
    """The model's no is an answer that was paid for."""
    response = await answer(Say(refusal="I cannot help with that."))
    assert (response.finish_reason, response.refusal, response.usage.output_tokens) == (
        "refusal",
        "I cannot help with that.",
        5,
    )


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_a_cut_answer_says_why(reason: str) -> None:
    """What came before the cut is kept, with the reason."""
    response = await answer(Say("half an ans", finish_reason=reason))
    assert (response.text, response.finish_reason) == ("half an ans", reason)


async def test_missing_usage_is_estimated() -> None:
    """A server that counts nothing is counted for, and the count is marked."""
    tokens.load("gpt-5-mini")
    response = await answer(Say("Hello, hello.", usage=None), count=tokens.count)
    assert (response.usage.input_tokens, response.usage.output_tokens) == (5, 4)
    assert response.usage.approximate


async def test_an_unknown_price_is_not_zero() -> None:
    """A call that nobody can price is counted as such."""
    async with FakeOpenAI(Say("Hello.")) as server:
        model = server.model("house-model")
        response = await model.complete(ASK)
        await model.close()
    assert (response.usage.unpriced, response.usage.money, model.priced) == (1, 0.0, False)


@pytest.mark.looptime
async def test_a_server_that_never_hangs_up_is_left() -> None:
    """After the finish reason only usage can come: silence then ends the call, and is no failure."""
    response = await answer(Say("Hello.", never_hangs_up=True))
    assert (response.text, response.usage.approximate) == ("Hello.", True)


async def test_two_models_share_a_client_until_the_last_closes() -> None:
    """Closing one model leaves the other its connection."""
    async with FakeOpenAI(Say("one"), Say("two"), Say("three")) as server:
        first, second = server.model("a"), server.model("b")
        await first.complete(ASK)
        await second.complete(ASK)
        await first.close()
        assert (await second.complete(ASK)).text == "three"
        await second.close()
    assert server.authorizations == ["Bearer sk-fake-key"] * 3


async def test_a_client_of_ones_own() -> None:
    """A client that the caller made is used with its base URL, and left open."""
    async with (
        FakeOpenAI(Say("one"), Say("two")) as server,
        openai.AsyncOpenAI(api_key="sk-own", base_url=server.base_url, max_retries=0) as client,
    ):
        model = OpenAIModel("house-model", client=client)
        await model.complete(ASK)
        await model.close()
        assert (await model.complete(ASK)).text == "two"
    assert server.authorizations == ["Bearer sk-own"] * 2


async def test_a_client_of_ones_own_does_not_retry_either() -> None:
    """One call is one request, whatever the client would do by itself."""
    async with (
        FakeOpenAI(otherwise=Fail(500)) as server,
        openai.AsyncOpenAI(api_key="sk-own", base_url=server.base_url) as client,
    ):
        with pytest.raises(ModelError):
            await OpenAIModel("house-model", client=client).complete(ASK)
    assert len(server.requests) == 1


async def test_a_client_is_made_for_each_event_loop() -> None:
    """A model used in one loop works in the next, though the first was never closed."""
    async with FakeOpenAI(Say("one"), Say("two")) as server:
        model = server.model(api_key=None)
        answers = [await asyncio.to_thread(asyncio.run, model.complete(ASK)) for _ in range(2)]
        await model.close()
    assert [response.text for response in answers] == ["one", "two"]
