"""Tools: typed functions that models may call."""

from typing import Any

import pytest
from dirty_equals import IsStr

from agentorch.agents import Agent, Context, MalformedInput
from agentorch.errors import ConfigurationError, MalformedOutput
from agentorch.ports.model import ToolSpec
from agentorch.tools import as_tool, tool


@tool(effect="once", approval=True)
async def send(to: str, count: int = 1) -> dict[str, int]:
    """Sends
    letters.

    Not shown.
    """
    return {to: count}


def test_a_tool_says_what_it_is():
    """The docstring's first paragraph and the parameters are what a model sees."""
    assert send.spec == ToolSpec(
        "send",
        "Sends letters.",
        {
            "type": "object",
            "properties": {"to": {"type": "string"}, "count": {"type": "integer", "default": 1}},
            "required": ["to"],
            "additionalProperties": False,
        },
    )
    assert (send.effect, send.approval, repr(send)) == ("once", True, "Tool('send', effect='once')")


async def test_a_call_is_just_a_call():
    """No step, no check."""
    assert await send("x", 2) == {"x": 2}


async def test_a_tool_is_invoked_with_json():
    """As text or as an object; a sync function runs in a thread; a context is given."""

    @tool
    def add(first: int, second: int, context: Context) -> int:
        """Adds."""
        assert context is given
        return first + second

    given: Any = object()
    assert await send.invoke('{"to": "a"}') == {"a": 1}
    assert await add.invoke({"first": 1, "second": 2}, context=given) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{to: 1}", IsStr(regex="the arguments are not JSON: .*; send one JSON object")),
        ("[1]", "the arguments are a JSON list; send one JSON object"),
        ("", "to: is missing"),
        ('{"to": "a", "cuont": 2}', "cuont: is not a known name; did you mean 'count'?"),
    ],
)
async def test_wrong_arguments_are_told_to_the_model(arguments: str, message: Any):
    """In words that it can act on."""
    with pytest.raises(MalformedInput) as caught:
        await send.invoke(arguments)
    assert str(caught.value) == message


async def test_an_output_of_another_type_is_refused():
    """A tool is held to what it declares."""

    @tool
    def wrong() -> int:
        """Lies."""
        return "x"  # pyright: ignore[reportReturnType]

    with pytest.raises(MalformedOutput, match="valid integer"):
        await wrong.invoke({})


def test_a_tool_needs_a_name_that_providers_take():
    """Letters, digits, '_' and '-'."""
    with pytest.raises(ConfigurationError, match="give it by name="):
        tool(name="a b")(lambda: None)


def test_a_typed_function_is_taken_for_a_tool():
    """Where tools are listed."""

    def plain(text: str) -> str:
        return text

    assert as_tool(plain).name == "plain"
    assert as_tool(send) is send


def test_the_strongest_effect_of_the_tools_is_the_agents():
    """A verifier must know it."""
    made = Agent("a", description="d", prompt="p", tools=[send, "other"])
    assert made.card.effects == "once"
    assert made.tools == (send, "other")


@pytest.mark.parametrize("arguments", ['{"to": "a", "count": "2"}', {"to": "a", "count": "2"}])
def test_arguments_are_checked_and_stay_as_they_were_sent(arguments: Any):
    """What is journaled is what the model said."""
    assert send.parse(arguments) == {"to": "a", "count": "2"}
    with pytest.raises(MalformedInput, match="to: is missing"):
        send.parse("{}")


async def test_a_function_that_gives_an_awaitable_is_awaited():
    """Though it is no coroutine function itself."""

    @tool
    def sending(to: str) -> dict[str, int]:
        """Sends."""
        return send(to)  # pyright: ignore[reportReturnType]

    assert (sending.is_async, await sending.invoke({"to": "a"})) == (False, {"a": 1})


def test_what_is_said_of_a_tool_wins_over_what_it_is():
    """Name, description, effect, probe and approval; a context is no argument."""

    def probe(key: str) -> bool:
        return bool(key)

    @tool(name="post", description="Posts.", effect="idempotent", probe=probe)
    def send_it(to: str, context: Context, **more: Any) -> str:
        """Not shown."""
        return f"{to}{context}{more}"

    schema = {
        "type": "object",
        "properties": {"to": {"type": "string"}},
        "required": ["to"],
        "additionalProperties": True,
    }
    assert (send_it.spec, send_it.effect) == (ToolSpec("post", "Posts.", schema), "idempotent")
    assert (send_it.probe, send_it.approval) == (probe, False)


def test_an_empty_description_is_one():
    """It keeps the docstring to the author."""
    assert tool(description="")(send.function).spec.description == ""
