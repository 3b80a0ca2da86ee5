"""Typed functions as agents."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import FunctionType
from typing import Any, cast

import pytest
from dirty_equals import IsStr
from pydantic import BaseModel

from agentorch.agents import Context, FunctionAgent, MalformedInput, agent
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError


class Report(BaseModel):
    title: str
    day: date | None = None


class Colour(StrEnum):
    RED = "red"


@dataclass
class Row:
    name: str
    price: float = 0.0


class Database:
    """Something that has no JSON form."""


class Postgres(Database):
    pass


@agent(description="Finds facts.", capabilities="search", fallback="other", timeout=5, effects="idempotent")
async def researcher(topic: str, limit: int = 3, *, exact: bool = False) -> list[str]:
    return [topic] * limit if not exact else []


async def test_a_call_is_just_a_call():
    """Calling the decorated function calls it, sync or async."""

    @agent(description="Doubles.")
    def double(number: int) -> int:
        return 2 * number

    assert double(4) == 8
    assert await researcher("x", limit=2) == ["x", "x"]
    assert (double.is_async, researcher.is_async) == (False, True)


def test_the_card_says_what_the_function_says():
    """Parameters are the input schema, the return annotation the output schema; settings land on the card."""
    card = researcher.card.model_dump()
    assert card == {
        "name": "researcher",
        "description": "Finds facts.",
        "input": {
            "type": "object",
            "properties": {
                "topic": {"type": "string"},
                "limit": {"type": "integer", "default": 3},
                "exact": {"type": "boolean", "default": False},
            },
            "required": ["topic"],
            "additionalProperties": False,
        },
        "output": {"type": "array", "items": {"type": "string"}},
        "capabilities": ("search",),
        "effects": "idempotent",
        "tracked": False,
        "asks_model": False,
        "call_money": 0.0,
        "needs_model": False,
        "repairable": False,
        "models": 1,
        "unpriced": "",
        "fallback": ("other",),
        "policy": {"timeout": 5.0},
        "version": IsStr(min_length=32, max_length=32),
    }


def test_the_docstring_describes_when_nothing_else_does():
    """`@agent` alone takes the docstring's first paragraph."""

    @agent
    def plain() -> None:
        """Does
        nothing.

        At all.
        """

    assert plain.card.description == "Does nothing."
    assert plain.bind({}) == {}


def test_inputs_come_in_their_types():
    """JSON becomes models, dataclasses, enums and dates; what is left out keeps its default."""

    @agent(description="d")
    def typed(report: Report, rows: list[Row], colour: Colour, day: date, note: str = "n") -> None:
        del report, rows, colour, day, note

    bound = typed.bind(
        {"report": {"title": "t"}, "rows": [{"name": "a", "price": 1}], "colour": "red", "day": "2026-01-02"}
    )
    assert bound == {
        "report": Report(title="t"),
        "rows": [Row("a", 1.0)],
        "colour": Colour.RED,
        "day": date(2026, 1, 2),
    }


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "agent 'researcher': topic: is missing"),
        ({"topic": 3}, "agent 'researcher': topic: input should be a valid string; got 3"),
        (
            {"topic": "x", "limt": 3},
            "agent 'researcher': limt: is not a known name; did you mean 'limit'?",
        ),
    ],
)
def test_wrong_inputs_are_told_in_words(inputs: dict[str, Any], message: str):
    """The parameter, the value and what is wanted."""
    with pytest.raises(MalformedInput) as caught:
        researcher.bind(inputs)
    assert str(caught.value) == message


def test_nested_dataclasses_stay_open_as_they_were():
    """That unknown parameters are refused does not reach into the types of the known ones."""

    @agent(description="d")
    def typed(row: Row) -> Row:
        return row

    assert "additionalProperties" not in typed.card.input["$defs"]["Row"]
    assert typed.bind({"row": {"name": "a", "more": 1}}) == {"row": Row("a")}


def test_task_and_context_are_given():
    """Parameters annotated Task or Context are no inputs."""

    @agent(description="d")
    def aware(topic: str, task: Task, context: Context) -> str:
        return f"{topic}{task}{context}"

    asked: list[type] = []

    def give(kind: type) -> str:
        asked.append(kind)
        return kind.__name__

    assert aware.card.input["properties"].keys() == {"topic"}
    assert aware.bind({"topic": "x"}, give) == {"topic": "x", "task": "Task", "context": "Context"}
    assert asked == [Task, Context]
    assert aware.bind({"topic": "x"}, {Task: 1, Context: 2})["context"] == 2


def test_resources_are_given_by_type():
    """A parameter of a type that is no JSON is a resource; a subclass fits; a missing one is told in words."""

    @agent(description="d")
    def reader(query: str, database: Database) -> str:
        return query

    with pytest.raises(ConfigurationError, match=r"'database: Database' is no JSON input.*Orchestrator\(resources="):
        reader.with_resources([])
    database = Postgres()
    ready = reader.with_resources(["text", database])
    assert ready.bind({"query": "q"}) == {"query": "q", "database": database}
    assert ready.card.input["properties"].keys() == {"query"}


def test_a_resource_of_a_json_type_is_no_input_any_more():
    """A pydantic model given as a resource is injected."""

    @agent(description="d")
    def reader(query: str, settings: Report) -> str:
        return query

    settings = Report(title="x")
    ready = reader.with_resources([settings])
    assert reader.card.input["required"] == ["query", "settings"]
    assert ready.card.input["required"] == ["query"]
    assert ready.bind({"query": "q"})["settings"] is settings
    assert ready.check is not None
    assert researcher.with_resources([settings]) is researcher


def test_problems_make_it_repairable():
    """`problems: list[str]` is given: empty at first, then what was wrong."""

    @agent(description="d")
    def mending(topic: str, problems: list[str]) -> str:
        return topic + str(problems)

    assert mending.card.repairable
    assert mending.card.input["properties"].keys() == {"topic"}
    assert mending.bind({"topic": "x"}) == {"topic": "x", "problems": []}
    assert mending.bind({"topic": "x"}, problems=("too short",))["problems"] == ["too short"]


def test_further_names_are_taken_by_keywords():
    """`**inputs: Any` makes the input schema open."""

    @agent(description="d")
    def anything(topic: str, **more: Any) -> str:
        return topic + str(more)

    assert anything.card.input["additionalProperties"] is True
    assert anything.bind({"topic": "x", "rows": [1]}) == {"topic": "x", "rows": [1]}


def test_local_types_and_string_annotations_are_found():
    """As in a module with `from __future__ import annotations`, inside a function."""

    @dataclass
    class Local:
        number: int

    def body(item: "Local") -> "list[Local]":
        return [item]

    def inner() -> FunctionAgent[..., Any]:
        return agent(description="d")(body)

    made = inner()
    assert made.bind({"item": {"number": 1}}) == {"item": Local(1)}
    assert made.encode([Local(2)]) == [{"number": 2}]


def _unannotated(topic: Any, limit: int = 1) -> str: ...


del _unannotated.__annotations__["topic"]


def _unreturning(topic: str): ...
def _starred(*topics: str) -> str: ...
def _unknown(topic: str) -> str: ...


_unknown.__annotations__["topic"] = "Nowhere"


def _yielding() -> Any:
    yield 1


def _settled() -> None: ...
def _connected() -> Database: ...
def _nested(databases: list[Database]) -> str: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_unannotated, "agent 'x': parameter 'topic' has no annotation; add 'topic: type', which is its input schema"),
        (_unreturning, "agent 'x': it has no return annotation; add '-> type', which is its output schema"),
        (_starred, "agent 'x': parameter 'topics' has no name to be given by; make it an ordinary one"),
        (_unknown, "agent 'x': an annotation names 'Nowhere', which is not known here; define or import it above"),
        (_yielding, "agent 'x': it yields; return the whole output instead"),
        (_connected, IsStr(regex=r"agent 'x': its output type .*Database.* has no JSON form; return a str.*")),
        (_nested, IsStr(regex=r"agent 'x': parameter 'databases: list\[.*Database\]' has no JSON form.*")),
        (Database, "agent 'x': @agent goes on a function"),
    ],
)
def test_a_function_that_cannot_be_an_agent_is_refused(function: Any, message: Any):
    """One clear line that names the remedy."""
    with pytest.raises(ConfigurationError) as caught:
        agent(description="d", name="x")(function)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timout": 1}, "agent 'f': unknown setting 'timout'; did you mean 'timeout'?"),
        ({"timeout": -1}, "agent 'f': timeout: input should be greater than 0; got -1"),
        ({"name": "Big"}, IsStr(regex="agent 'Big': name: .*")),
        ({"description": " "}, "agent 'f': it has no description; say in a sentence what it does"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: Any):
    """Unknown ones with what was probably meant."""

    def f() -> None: ...

    with pytest.raises(ConfigurationError) as caught:
        agent(**cast("Any", {"description": "d", **settings}))(f)
    assert str(caught.value) == message


def test_an_unheard_of_setting_lists_the_settings():
    """When nothing is near."""
    with pytest.raises(ConfigurationError, match=r"the settings are .*attempts.*timeout"):
        agent(description="d", zzzz=1)(_settled)


def test_the_version_follows_the_source():
    """The same source is the same version; another body is another."""

    def one() -> int:
        return 1

    def two() -> int:
        return 2

    first, again, other = (agent(description="d", name="x")(body).card.version for body in (one, one, two))
    assert first == again != other


def test_a_function_without_source_has_a_version():
    """Made of code that stands in no file, as at a prompt."""
    made = FunctionType(compile("1", "<prompt>", "eval"), {}, "made")
    made.__annotations__ = {"return": int}
    assert len(agent(description="d")(made).card.version) == 32


def test_checks_are_kept_in_order():
    """`@x.check` adds to `checks` and leaves the function as it is."""

    @agent(description="d")
    def one() -> int:
        return 1

    @one.check
    def positive(output: int) -> str | None:
        return None if output > 0 else "not positive"

    assert one.checks == [positive]
    assert positive(-1) == "not positive"


def test_the_policy_of_an_agent_sets_only_what_was_said():
    """So that the run's policy holds for the rest."""
    assert researcher.card.policy == Policy(timeout=5)
