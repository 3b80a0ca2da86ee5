"""Structured output and parameters that not every server understands, through the real client."""

import json
import logging
from typing import Any

import pytest

from agentorch.errors import FailureKind, ModelError
from agentorch.models import Form, Quirks
from agentorch.ports.model import Message, ModelRequest, OutputSchema, ToolSpec
from agentorch.testing.fake_openai import Answer, Fail, FakeOpenAI, Say

POINT = OutputSchema("point", {"type": "object", "properties": {"x": {"type": "integer"}}})
OPEN = OutputSchema("open", {"type": "object", "additionalProperties": {"type": "string"}})
NUMBERS = OutputSchema("numbers", {"type": "array", "items": {"type": "integer"}})
ASK = ModelRequest((Message("user", "Where?"),), output=POINT)


def form_of(body: dict[str, Any]) -> str:
    asked = body.get("response_format")
    if asked is None:
        return "prompt"
    return "strict" if asked.get("json_schema", {}).get("strict") else asked["type"]


def only(*forms: str, status: int = 400, message: str = "response_format is not supported") -> Any:
    def answering(body: dict[str, Any]) -> Answer:
        return Say('{"x": 1}') if form_of(body) in forms else Fail(status, message, param="response_format")

    return answering


async def asked(server: FakeOpenAI, *requests: ModelRequest, **settings: Any) -> list[str]:
    async with server:
        model = server.model(**settings)
        for request in requests:
            assert (await model.complete(request)).text
        await model.close()
    return [form_of(body) for body in server.requests]


async def test_strict_when_the_schema_can_be() -> None:
    """A closed schema is sent strictly, every field required; an open one without `strict`."""
    server = FakeOpenAI(otherwise=Say("{}"))
    assert await asked(server, ASK, ModelRequest(ASK.messages, output=OPEN)) == ["strict", "json_schema"]
    assert server.requests[0]["response_format"]["json_schema"] == {
        "name": "point",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"x": {"type": "integer"}},
            "required": ["x"],
            "additionalProperties": False,
        },
    }


@pytest.mark.parametrize("last", ["json_schema", "json_object", "prompt"])
async def test_the_form_falls_once_and_is_remembered(last: str, caplog: pytest.LogCaptureFixture) -> None:
    """A form that the server refuses by name is left for the next; the second call knows; one line is logged."""
    fall = ["strict", "json_schema", "json_object", "prompt"]
    server = FakeOpenAI(otherwise=only(last))
    with caplog.at_level(logging.WARNING):
        forms = await asked(server, ASK, ASK)
    assert forms == [*fall[: fall.index(last) + 1], last]
    assert len(caplog.records) == 1


async def test_a_server_that_falls_over_schemas() -> None:
    """500 to a response format is met with the next one, down to none, and remembered once that worked."""
    server = FakeOpenAI(otherwise=only("prompt", status=500, message="Internal Server Error"))
    assert await asked(server, ASK, ASK) == ["strict", "json_schema", "json_object", "prompt", "prompt"]


async def test_an_outage_teaches_nothing() -> None:
    """500 to every form is a transient failure, and the best form is tried again afterwards."""
    server = FakeOpenAI(*[Fail(500)] * 4, otherwise=Say("{}"))
    async with server:
        model = server.model()
        with pytest.raises(ModelError) as raised:
            await model.complete(ASK)
        await model.complete(ASK)
        await model.close()
    assert raised.value.kind is FailureKind.TRANSIENT
    assert [form_of(body) for body in server.requests] == ["strict", "json_schema", "json_object", "prompt", "strict"]


@pytest.mark.parametrize(
    "words",
    [
        "Invalid schema for response_format 'point'",
        "The provided JSON schema contains features not supported by xgrammar.",
        "JSON schema conversion failed:\nUnrecognized schema",
        "Failed to convert the grammar",
    ],
)
async def test_one_bad_schema_does_not_lower_the_others(words: str) -> None:
    """A server that refuses this schema, and not schemas, goes on to get the other ones strictly."""

    def picky(body: dict[str, Any]) -> Answer:
        if body.get("response_format", {}).get("json_schema", {}).get("name") == "point":
            return Fail(400, words)
        return Say("{}")

    other = ModelRequest(ASK.messages, output=OutputSchema("other", POINT.schema | {"description": "Another."}))
    server = FakeOpenAI(otherwise=picky)
    assert await asked(server, ASK, ASK, other) == ["strict", "json_schema", "json_object", "json_object", "strict"]


async def test_a_list_is_wrapped_and_unwrapped() -> None:
    """Servers want an object at the root: a list goes out and comes back inside one, unseen."""
    async with FakeOpenAI(Say('{"value": [1, 2]}')) as server:
        model = server.model()
        response = await model.complete(ModelRequest(ASK.messages, output=NUMBERS))
        await model.close()
    sent = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert (json.loads(response.text), sent["properties"]) == ([1, 2], {"value": NUMBERS.schema})


@pytest.mark.parametrize(
    ("complaint", "before", "after"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
         {"max_tokens": 9}, {"max_completion_tokens": 9}),
        ("Unsupported value: 'temperature' does not support 0.5", {"temperature": 0.5}, {}),
        ("Extra inputs are not permitted: stream_options", {"stream_options": {"include_usage": True}}, {}),
        ("tool_choice is not supported", {"tool_choice": "auto"}, {}),
    ],
)  # fmt: skip
async def test_a_refused_parameter_is_left_out(complaint: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    """What the server refuses by name is not sent again, now or later."""
    tool = ToolSpec("search", "Finds.", {"type": "object", "properties": {}})
    request = ModelRequest(ASK.messages, tools=(tool,), max_output_tokens=9, temperature=0.5)
    async with FakeOpenAI(Fail(400, complaint), Say("one"), Say("two")) as server:
        model = server.model("house-model")
        assert (await model.complete(request)).text == "one"
        assert (await model.complete(request)).text == "two"
        await model.close()
    first, *rest = server.requests
    removed = {key: value for key, value in first.items() if rest[0].get(key) != value}
    added = {key: value for key, value in rest[0].items() if first.get(key) != value}
    assert (removed, added, rest[0]) == (before, after, rest[1])


async def test_a_limit_that_is_too_large_is_no_quirk() -> None:
    """A complaint about a value is the caller's to hear."""
    async with FakeOpenAI(Fail(400, "max_tokens is too large: 999999", param="max_tokens")) as server:
        model = server.model("house-model")
        with pytest.raises(ModelError, match="too large"):
            await model.complete(ModelRequest(ASK.messages, max_output_tokens=999_999))
        await model.close()


async def test_the_users_word_goes_first() -> None:
    """Quirks given by the user are what is sent."""
    server = FakeOpenAI(otherwise=Say("{}"))
    assert await asked(server, ASK, quirks={"output": "object"}) == ["json_object"]
    server = FakeOpenAI(otherwise=Say("{}"))
    assert await asked(server, ASK, quirks=Quirks(output=Form.PROMPT)) == ["prompt"]


async def test_tools_and_a_form_at_once() -> None:
    """A server that takes only one of them gets the tools, and the form in words."""
    tool = ToolSpec("search", "Finds.", {"type": "object", "properties": {}})
    request = ModelRequest(ASK.messages, tools=(tool,), output=POINT)
    server = FakeOpenAI(otherwise=Say("{}"))
    assert await asked(server, request, quirks={"tools_with_output": False}) == ["prompt"]
    assert server.requests[0]["messages"] == [{"role": "user", "content": "Where?"}]


@pytest.mark.parametrize(("tool_choice", "sent"), [(True, "none"), (False, None)])
async def test_tools_that_may_not_be_called_any_more(tool_choice: bool, sent: str | None) -> None:
    """They stay in the request, forbidden: servers refuse calls in the history without them."""
    tool = ToolSpec("search", "Finds.", {"type": "object", "properties": {}})
    request = ModelRequest(ASK.messages, tools=(tool,), may_call=False)
    server = FakeOpenAI(otherwise=Say("{}"))
    await asked(server, request, quirks={"tool_choice": tool_choice})
    assert (server.requests[0].get("tool_choice"), "tools" in server.requests[0]) == (sent, tool_choice)


@pytest.mark.parametrize(
    "words",
    [
        "Function calling with a response mime type: 'application/json' is unsupported",
        "json mode cannot be combined with tool/function calling",
    ],
)
async def test_a_server_that_refuses_tools_with_a_form(words: str) -> None:
    """It gets the tools without the form from then on, and the form where there are no tools."""

    def picky(body: dict[str, Any]) -> Answer:
        return Fail(400, words) if body.get("tools") and body.get("response_format") else Say("{}")

    tool = ToolSpec("search", "Finds.", {"type": "object", "properties": {}})
    both = ModelRequest(ASK.messages, tools=(tool,), output=POINT)
    assert await asked(FakeOpenAI(otherwise=picky), both, both, ASK) == ["strict", "prompt", "prompt", "strict"]


async def test_a_server_that_knows_no_limit_is_asked_a_few_times() -> None:
    """One name of the limit is refused, then the other: it is left out, and no name is returned to."""

    def picky(body: dict[str, Any]) -> Answer:
        if "max_tokens" in body:
            return Fail(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return (
            Fail(400, "Unrecognized argument: max_completion_tokens") if "max_completion_tokens" in body else Say("ok")
        )

    server = FakeOpenAI(otherwise=picky)
    await asked(server, ModelRequest(ASK.messages, max_output_tokens=9))
    assert len(server.requests) == 3


async def test_what_is_refused_beside_a_form_does_not_lower_it() -> None:
    """A request that had to go without a form says nothing about forms."""

    def picky(body: dict[str, Any]) -> Answer:
        return Fail(400, "temperature is not supported") if "temperature" in body else Say("{}")

    tool = ToolSpec("search", "Finds.", {"type": "object", "properties": {}})
    with_tools = ModelRequest(ASK.messages, tools=(tool,), output=POINT, temperature=0.5)
    server = FakeOpenAI(otherwise=picky)
    model = {"name": "house-model", "quirks": {"tools_with_output": False}}
    assert await asked(server, with_tools, ASK, **model) == ["prompt", "prompt", "strict"]


async def test_a_list_is_not_asked_for_as_an_object() -> None:
    """Where a server knows no schemas, "some object" would contradict the words that ask for a list."""
    server = FakeOpenAI(otherwise=Say("[1, 2]"))
    request = ModelRequest(ASK.messages, output=NUMBERS)
    assert await asked(server, request, ASK, quirks={"output": "object"}) == ["prompt", "json_object"]
