"""Prompt agents: their cards, inputs and outputs."""

from datetime import date

import pytest
from pydantic import BaseModel, Field

from agentorch.agents import Agent, MalformedInput, agent
from agentorch.errors import ConfigurationError, MalformedOutput


class Report(BaseModel):
    title: str
    day: date | None = None


@agent(description="Finds facts.")
def researcher(topic: str) -> list[str]:
    return [topic]


def test_a_prompt_agent_is_described():
    """Its card says that it needs a model and can repair; settings are policies."""
    critic = Agent(
        "critic",
        description="d",
        prompt="List what is weak.",
        model=["a", "b"],
        output=list[str],
        fallback=[researcher],
        timeout=3,
    )
    assert (critic.kind, critic.models, critic.prompt) == ("prompt", ("a", "b"), "List what is weak.")
    assert critic.card.model_dump(exclude={"version"}) == {
        "name": "critic",
        "description": "d",
        "input": {"type": "object", "additionalProperties": True},
        "output": {"items": {"type": "string"}, "type": "array"},
        "capabilities": (),
        "effects": "none",
        "tracked": True,
        "asks_model": False,
        "call_money": 0.0,
        "needs_model": True,
        "repairable": True,
        "models": 2,
        "unpriced": "",
        "fallback": ("researcher",),
        "policy": {"timeout": 3.0},
    }
    with pytest.raises(TypeError, match="prompt agent 'critic' is no function"):
        critic()


def test_a_prompt_agents_inputs_are_held_to_their_schema():
    """A pydantic model, a JSON Schema, or anything."""
    by_model = Agent("a", description="d", prompt="p", input=Report)
    by_schema = Agent("b", description="d", prompt="p", input={"type": "object", "required": ["x"]})
    by_nothing = Agent("c", description="d", prompt="p")
    assert by_model.bind({"title": "t"}) == {"title": "t", "day": None}
    assert by_nothing.bind({"whatever": 1}) == {"whatever": 1}
    with pytest.raises(MalformedInput, match="'x' is missing"):
        by_schema.bind({})
    with pytest.raises(MalformedInput, match="title: is missing"):
        by_model.bind({})


def test_a_prompt_agents_output_may_be_a_json_schema():
    """Outputs are held to it."""
    made = Agent("a", description="d", prompt="p", output={"type": "object", "required": ["x"]})
    assert made.encode({"x": 1}) == made.revive({"x": 1}) == {"x": 1}
    with pytest.raises(MalformedOutput, match="'x' is missing"):
        made.encode({})


def test_an_empty_prompt_is_refused():
    """It says nothing to do."""
    with pytest.raises(ConfigurationError, match="its prompt is empty"):
        Agent("a", description="d", prompt=" ")


class Strict(BaseModel, extra="forbid"):
    title: str


class Shelf(BaseModel, extra="forbid"):
    books: list[Strict]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"books": [], "boks": 1}, "boks: is not a known name; did you mean 'books'?"),
        ({"books": [{"title": "t", "titel": 1}]}, "books[0].titel: is not a known name"),
    ],
)
def test_a_name_that_a_model_forbids_is_told(inputs: dict[str, object], message: str):
    """At the top with what was probably meant, deeper with its path."""
    with pytest.raises(MalformedInput) as caught:
        Agent("a", description="d", prompt="p", input=Shelf).bind(inputs)
    assert str(caught.value) == message


def test_inputs_of_a_model_are_named_as_its_json_is():
    """A prompt shows them as they were sent, whatever the fields are called in Python."""

    class Aliased(BaseModel):
        topic: str = Field(alias="theTopic")

    made = Agent("a", description="d", prompt="p", input=Aliased)
    assert made.bind({"theTopic": "t"}) == {"theTopic": "t"}
    assert made.card.input["required"] == ["theTopic"]
