"""The fakes that agentorch ships for tests do what they say."""

from contextlib import suppress
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel

from agentorch.core.usage import Usage
from agentorch.errors import FailureKind, ModelError
from agentorch.ports.model import Message, ModelRequest, ModelResponse, OutputSchema, ToolCall, ToolSpec
from agentorch.testing.fake_openai import Fail, FakeOpenAI, Say
from agentorch.testing.scripted_model import Reply, ScriptedModel, ScriptMiss


def ask(text: str = "Hello?", **labels: str) -> ModelRequest:
    return ModelRequest((Message("user", text),), labels=labels)


async def test_a_list_is_used_in_order() -> None:
    """Each answer once; the requests are kept; nothing may be left."""
    model = ScriptedModel(["one", "two"])
    assert (await model.complete(ask("a"))).text == "one"
    with pytest.raises(AssertionError, match="used 1 times"):
        model.assert_all_used()
    assert (await model.complete(ask("b"))).text == "two"
    model.assert_all_used()
    assert [request.messages[0].content for request in model.requests] == ["a", "b"]


async def test_keys_are_tasks_agents_purposes_or_words() -> None:
    """A key fits a label, else a part of the text."""
    model = ScriptedModel({"t1": "task", "writer": "agent", "repair": "purpose", "bees": ["words"]})
    asked = [ask(task="t1"), ask(agent="writer"), ask(purpose="repair"), ask("about bees")]
    assert [(await model.complete(request)).text for request in asked] == ["task", "agent", "purpose", "words"]
    model.assert_all_used()


async def test_conditions() -> None:
    """`on` demands all that it names; the first rule that fits answers."""
    model = (
        ScriptedModel()
        .on("both", agent="a", containing="bees")
        .on("one", agent="a")
        .on("long", when=lambda request: len(request.messages[0].content) > 20)
    )
    asked = [ask("bees", agent="a"), ask("wasps", agent="a"), ask("w" * 30)]
    assert [(await model.complete(request)).text for request in asked] == ["both", "one", "long"]


class Point(BaseModel):
    x: int


def echo(request: ModelRequest) -> str:
    return request.messages[0].content


@pytest.mark.parametrize(
    ("scripted", "text"),
    [(Point(x=1), '{"x":1}'), ({"x": 1}, '{"x": 1}'), (echo, "Hello?")],
)
async def test_values_are_sent_as_json(scripted: Any, text: str) -> None:
    """Models and dicts are JSON text; a callable sees the request."""
    assert (await ScriptedModel([scripted]).complete(ask())).text == text


async def test_replies_in_detail() -> None:
    """Tool calls, refusals, reasons, usage and whole responses."""
    called = ToolCall("1", "search", "{}")
    whole = ModelResponse("whole", "stop")
    model = ScriptedModel([called, Reply(refusal="No."), Reply("ha", finish_reason="length", usage=Usage(1, 2)), whole])
    first, second, third, fourth = [await model.complete(ask()) for _ in range(4)]
    assert (first.tool_calls, first.finish_reason) == ((called,), "tool_calls")
    assert (second.refusal, second.finish_reason) == ("No.", "refusal")
    assert (third.finish_reason, third.usage, fourth) == ("length", Usage(1, 2), whole)


@pytest.mark.looptime
async def test_pieces_and_errors() -> None:
    """Pieces come with their delays; an error comes after them."""
    error = ModelError("overloaded", kind=FailureKind.TRANSIENT)
    model, seen = ScriptedModel([Reply(pieces=["a", "b"], delay=10, error=error), error]), list[str]()
    for _ in range(2):
        with pytest.raises(ModelError, match="overloaded"):
            await model.complete(ask(), on_delta=seen.append)
    assert seen == ["a", "b"]


async def test_a_miss_is_loud() -> None:
    """What the script does not foresee shows the request and the nearest rule, then and at the end."""
    model = ScriptedModel({"writer": "x", "researcher": ["once"]})
    await model.complete(ask(agent="researcher"))
    with pytest.raises(ScriptMiss) as raised:
        await model.complete(ask("about wasps", agent="reseacher"))
    assert "[user] about wasps" in str(raised.value)
    assert "the nearest rule is 'researcher'" in str(raised.value)
    with pytest.raises(AssertionError, match="about wasps"):
        model.assert_all_used()


def test_what_the_fake_server_was_not_asked_for_is_said_in_short() -> None:
    """As somebody would write it: without what is so by default."""
    two = FakeOpenAI(Fail(429, retry_after=2), lambda _: Say("two"))
    assert two.unused() == ["2 answers of the fake server, the next is Fail(status=429, retry_after=2)"]
    assert FakeOpenAI(lambda _: Say("two")).unused() == ["an answer of the fake server, a function"]
    assert FakeOpenAI().unused() == []


async def test_the_fake_server_demands_that_all_is_used() -> None:
    """An answer that nobody asked for, and a question without an answer, both show."""
    async with FakeOpenAI(Say("one")) as server:
        with pytest.raises(AssertionError, match=r"never asked for: an answer of the fake server, Say\(text='one'\)"):
            server.assert_all_used()
        model = server.model()
        await model.complete(ask())
        server.assert_all_used()
        with pytest.raises(AssertionError, match="no answer left"):
            await model.complete(ask())
        await model.close()


async def test_what_the_fake_server_has_no_answer_for_is_shown_as_by_a_script() -> None:
    """Who says what, which calls were made, which tools and which form there are; and how to go on."""
    called = Message("assistant", tool_calls=(ToolCall("1", "search", '{"q": "ö"}'),))
    request = ModelRequest(
        (Message("system", "Be brief.\nAnd kind."), Message("user", "Hello ö?"), called, Message("tool", "", (), "1")),
        tools=(ToolSpec("search", "Searches.", {"type": "object", "properties": {}}),),
        output=OutputSchema("verdict", {"type": "object", "properties": {"good": {"type": "boolean"}}}),
    )
    async with FakeOpenAI(Say("one"), Say("two")) as server:
        model = server.model()
        for _ in range(3):
            with suppress(AssertionError):
                await model.complete(request)
        await model.close()
    (said,) = server.misses
    assert said.splitlines() == [
        "the fake server has no answer left for request 3 (model 'gpt-5-mini'):",
        "    [system] Be brief.",
        "    And kind.",
        "    [user] Hello ö?",
        "    [assistant] ",
        "    [tool] ",
        '    [asks] search({"q": "ö"})',
        "    [tool] search: Searches.",
        "    [output] verdict",
        "its 2 answers are used up: give it another: server.then(Say('...'))",
    ]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ({}, ["(model None):", "it has none: give it one: server.then(Say('...'))"]),
        (
            {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "ö"}]}]},
            ["(model 'm'):", '    [user] [{"type": "text", "text": "ö"}]'],
        ),
    ],
)
async def test_whatever_the_fake_server_is_sent_can_be_shown(body: dict[str, Any], lines: list[str]) -> None:
    """By a client of one's own, too."""
    async with FakeOpenAI() as server, httpx2.AsyncClient() as client:
        with pytest.raises(AssertionError) as caught:
            await client.post(f"{server.base_url}/chat/completions", json=body)
    assert [line for line in lines if line not in str(caught.value)] == []
