"""What an agent is made of: models, tools, effects, names and its version."""

from collections.abc import Callable
from typing import Any, Protocol, cast

import pytest
from pydantic import BaseModel

from agentorch.agents import Agent, agent
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError, MalformedOutput
from agentorch.testing import ScriptedModel
from agentorch.tools import tool


@tool(effect="idempotent")
def put(text: str) -> str:
    """Puts."""
    return text


@tool(effect="once")
def send(text: str) -> str:
    """Sends."""
    return text


def search(text: str) -> str:
    return text


class Store:
    """Something that has no JSON form."""


class Topic(BaseModel):
    topic: str


def _made(**settings: Any) -> Agent:
    return Agent(**cast("Any", {"name": "critic", "description": "d", "prompt": "p", **settings}))


def test_an_agent_says_what_it_is():
    """In a debugger."""
    assert (repr(_made()), repr(agent(description="d")(search))) == (
        "<prompt agent 'critic'>",
        "<function agent 'search'>",
    )


def test_models_are_names_and_objects_in_order():
    """Each is found by its name; one alone is a list of one."""
    given = ScriptedModel([], name="given")
    several = _made(model=["first", given])
    assert (several.models, several.given_models, several.card.models) == (("first", "given"), {"given": given}, 2)
    alone: list[Any] = ["first", given, None, []]
    assert [_made(model=one).models for one in alone] == [("first",), ("given",), (), ()]
    assert _made().card.models == 1


def test_tools_are_functions_tools_names_and_agents():
    """An agent is a tool by its name."""
    made = _made(tools=[search, put, "other", _made(name="second")])
    assert [one if isinstance(one, str) else one.name for one in made.tools] == ["search", "put", "other", "second"]
    assert made.tools[1] is put


@pytest.mark.parametrize(
    ("tools", "effects"),
    [
        ([], "none"),
        (["other"], "none"),
        ([search], "none"),
        ([put, search], "idempotent"),
        ([send, put, search], "once"),
        ([put, send], "once"),
    ],
)
def test_an_agent_has_the_strongest_effect_of_its_tools(tools: list[Any], effects: str):
    """In whatever order they are listed."""
    assert _made(tools=tools).card.effects == effects


@pytest.mark.parametrize(
    ("given", "names"),
    [("one", ("one",)), (["one", "two"], ("one", "two")), ([_made()], ("critic",)), (_made(), ("critic",)), ((), ())],
)
def test_a_fallback_is_a_name_an_agent_or_several(given: Any, names: tuple[str, ...]):
    """For functions and prompts alike."""
    by_function = agent(description="d", fallback=given)(search)
    assert (_made(fallback=given).card.fallback, by_function.card.fallback) == (names, names)


def test_what_a_prompt_agent_does_is_its_version():
    """Prompt, models, tools and schemas; not what is said of it, nor how its failures are met."""
    same = [_made(), _made(description="other"), _made(timeout=3), _made(capabilities="x")]
    others = [
        _made(prompt="q"), _made(model="m"), _made(tools=["t"]), _made(input=Topic), _made(output=int),
        _made(tools=[put]), _made(input={"topic": "string"}), _made(output={"topic": "string"}),
    ]  # fmt: skip
    assert len({one.card.version for one in same}) == 1
    assert len({one.card.version for one in (same[0], *others)}) == 1 + len(others)


def test_a_prompt_agent_has_no_resources_to_be_given():
    """It stays as it is."""
    made = _made()
    assert made.with_resources([object()]) is made


def test_settings_that_a_prompt_has_not_are_refused():
    """With what was probably meant, keywords of agents included."""
    with pytest.raises(ConfigurationError) as caught:
        _made(capabilites="x")
    assert str(caught.value) == "agent 'critic': unknown setting 'capabilites'; did you mean 'capabilities'?"


@pytest.mark.parametrize("kind", [Store, Callable[..., Any]])
def test_an_output_without_a_json_form_is_refused(kind: Any):
    """When the agent is made."""
    with pytest.raises(ConfigurationError, match=r"^agent 'critic': .* has no JSON form"):
        _made(output=kind)


def test_a_value_that_has_its_type_already_is_itself():
    """Text, numbers and flags of the declared type are not copied; a flag is no number."""
    text = "x" * 100
    assert _made(output=str).encode(text) is text
    assert _made(output=bool).revive(True) is True
    with pytest.raises(MalformedOutput):
        _made(output=str).encode(3)


def test_a_rejected_text_is_kept_for_the_repair():
    """The error holds what was said, word for word."""
    with pytest.raises(MalformedOutput) as caught:
        _made(output=list[str]).encode("I will not.")
    assert caught.value.text == "I will not."


def test_what_cannot_be_revived_is_told_in_words():
    """A journal may hold what an older release wrote."""
    with pytest.raises(MalformedOutput) as caught:
        _made(output=Topic).revive({"topc": "x"})
    assert str(caught.value) == "topic: is missing"


class Closing(Protocol):
    """A protocol that cannot be asked for at run time."""

    def close(self) -> None: ...


def test_resources_are_given_to_a_copy():
    """The agent itself waits for those of another orchestrator; the first that fits is given."""

    @agent(description="d")
    def reader(query: str, store: Store) -> str:
        return f"{query}{store}"

    one, two = Store(), Store()
    first, second = reader.with_resources([one, two]), reader.with_resources([two])
    assert (first.bind({"query": "q"})["store"], second.bind({"query": "q"})["store"]) == (one, two)
    with pytest.raises(KeyError):
        reader.bind({"query": "q"}, {})
    assert first.card.version == reader.card.version


def test_plain_values_and_what_the_run_gives_are_never_resources():
    """A list of resources with a text or a task in it changes no input."""

    @agent(description="d")
    def reader(query: str, task: Task) -> str:
        return f"{query}{task}"

    assert reader.with_resources(["text", Task("t", "a")]) is reader


def test_a_resource_of_a_protocol_that_cannot_be_asked_for_is_missing():
    """In one line, not as a TypeError."""

    @agent(description="d")
    def reader(query: str, closing: Closing) -> str:
        return f"{query}{closing}"

    with pytest.raises(ConfigurationError, match="parameter 'closing: Closing' is no JSON input"):
        reader.with_resources([Store()])


def test_defaults_are_shown_where_they_are_json():
    """A model sees plain ones; others are only known to be there."""

    @agent(description="d")
    def many(a: str | None = None, b: float = 0.5, c: list[int] = [1], d: bool = False) -> str:  # noqa: B006
        return f"{a}{b}{c}{d}"

    shown = {name: part.get("default", "not shown") for name, part in many.card.input["properties"].items()}
    assert shown == {"a": None, "b": 0.5, "c": "not shown", "d": False}
    assert many.card.input.get("required", []) == []


def test_all_that_is_wrong_with_inputs_is_told_at_once():
    """Wrong values, missing ones and unknown names."""

    @agent(description="d")
    def two(first: int, second: int) -> int:
        return first + second

    with pytest.raises(ValueError, match="agent 'two': ") as caught:
        two.bind({"first": "x" * 100, "third": 3})
    shown = "'" + "x" * 56 + "..."
    assert str(caught.value) == (
        f"agent 'two': first: input should be a valid integer, unable to parse string as an integer; got {shown}; "
        "second: is missing; third: is not a known name; use one of first, second"
    )


def test_a_function_says_whether_it_can_do_without_a_model():
    """And which models it would use; planners leave it out where there is none."""
    writer = agent(description="d", needs_model=True, model=["one", "two"])(search)
    assert (writer.card.needs_model, writer.models, writer.card.models) == (True, ("one", "two"), 2)
    assert agent(description="d")(search).card.needs_model is False
