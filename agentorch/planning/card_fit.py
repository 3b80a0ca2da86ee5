"""How a card's parameters can be filled: from the goal, from the run's inputs, or from another card's output.

1. Types speak where they say something: a bare `str` or an untyped value fits everything and proves nothing.
2. Names speak always: `facts` is met by a `fact_finder` and by an output titled `Facts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any, Final, cast

from agentorch.core.card import AgentCard, JsonSchema
from agentorch.core.schema import assignable, is_anything
from agentorch.core.shapes import branches
from agentorch.planning.card_words import parts

GOAL_NAMES: Final = frozenset(
    {
        "goal",
        "question",
        "query",
        "topic",
        "task",
        "text",
        "prompt",
        "objective",
        "request",
        "instruction",
        "instructions",
        "subject",
    }
)
"""Parameters of these names take the goal, or one item of it."""
ITEM_LIST_NAMES: Final = frozenset(
    {"goals", "questions", "queries", "topics", "tasks", "requests", "subjects", "items"}
)
"""Lists of text of these names take all items of the goal."""
LOOSE_ENDS: Final = "parts"
"""A mapping of this name takes every output that nothing else takes, by task id; null for one that is missing."""


class Evidence(IntEnum):
    """How sure it is that an output is meant for a parameter."""

    NONE = 0
    TEXTS = 1
    """A list of text, of which one text can be an element."""
    TYPE = 2
    NAME = 3
    NAME_AND_TYPE = 4


@dataclass(frozen=True)
class Parameter:
    """One parameter of an agent."""

    agent: str
    name: str
    schema: JsonSchema
    """Its own schema, with the definitions that it may refer to."""
    required: bool

    @cached_property
    def is_text(self) -> bool:
        """Whether any text will do."""
        return _takes_text(self.schema)

    @cached_property
    def element(self) -> JsonSchema | None:
        """The schema of its elements when it is a list of something, else None."""
        lists = [branch for branch in _values(self.schema) if branch.get("type") == "array"]
        items: Any = lists[0].get("items") if len(lists) == 1 else None
        return {"$defs": self.schema.get("$defs", {}), **items} if isinstance(items, dict) else None

    @cached_property
    def is_structured(self) -> bool:
        """Whether it takes an object with named fields, or a list of such."""
        schemas = [self.schema] if self.element is None else [self.schema, self.element]
        return any("properties" in branch for schema in schemas for branch in _values(schema))

    @property
    def takes_goal(self) -> bool:
        """Whether its name says that it takes the goal."""
        return self.name in GOAL_NAMES and self.is_text

    @property
    def takes_items(self) -> bool:
        """Whether it takes all items of the goal as a list."""
        return self.name in ITEM_LIST_NAMES and self.element is not None and _takes_text(self.element)

    @property
    def takes_loose_ends(self) -> bool:
        """Whether it takes whatever the others leave, by task id."""
        return self.name == LOOSE_ENDS and any(branch.get("type") == "object" for branch in _values(self.schema))


@dataclass(frozen=True, slots=True)
class Feed:
    """What an output can be to a parameter."""

    evidence: Evidence
    gathered: bool = False
    """Whether it becomes one element of a list."""


NO_FEED: Final = Feed(Evidence.NONE)


def parameters(card: AgentCard) -> tuple[Parameter, ...]:
    """Return the parameters of `card`, in the order of its schema."""
    schema = card.input
    definitions = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    required = frozenset[str](schema.get("required", ()))
    properties: Mapping[str, Any] = schema.get("properties", {})
    return tuple(
        Parameter(card.name, name, {**(inner if isinstance(inner, dict) else {}), **definitions}, name in required)
        for name, inner in properties.items()
    )


def feed(producer: AgentCard, parameter: Parameter) -> Feed:
    """Return what `producer`'s output can be to `parameter`."""
    output = producer.output
    named = _names_match(parameter.name, producer)
    whole = _compare(output, parameter.schema, named=named)
    if parameter.element is None:
        return Feed(whole)
    element = _compare(output, parameter.element, named=named)
    if element is Evidence.NONE and _is_bare_text(output) and _is_bare_text(parameter.element):
        element = Evidence.TEXTS
    return Feed(element, gathered=True) if element > whole else Feed(whole)


def can_be(output: JsonSchema, wanted: JsonSchema) -> bool:
    """Whether nothing in the schemas speaks against `output` where `wanted` is asked for."""
    return assignable(output, wanted) is not False


def value_fits(value: Any, parameter: Parameter) -> bool:
    """Whether a given value can fill `parameter`, as far as its type tells."""
    kinds: dict[type[Any], str] = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    kind = kinds.get(cast("type[Any]", type(value)), "null")
    return can_be({"type": kind}, parameter.schema) or kind in {"array", "object"}


def _compare(output: JsonSchema, wanted: JsonSchema, *, named: bool) -> Evidence:
    fits = assignable(output, wanted)
    if fits is False:
        return Evidence.NONE
    typed = fits is True and _says_something(output) and _says_something(wanted)
    if named:
        return Evidence.NAME_AND_TYPE if typed else Evidence.NAME
    return Evidence.TYPE if typed else Evidence.NONE


def _says_something(schema: JsonSchema) -> bool:
    return not is_anything(schema) and not _is_bare_text(schema)


def _is_bare_text(schema: JsonSchema) -> bool:
    return all(_is_any_text(branch) for branch in _values(schema))


def _takes_text(schema: JsonSchema) -> bool:
    return any(is_anything(branch) or _is_any_text(branch) for branch in _values(schema))


def _is_any_text(branch: JsonSchema) -> bool:
    return branch.get("type") == "string" and not branch.keys() & {"enum", "const", "format", "pattern"}


def _values(schema: JsonSchema) -> list[JsonSchema]:
    """The kinds of value that `schema` allows, null left out."""
    return [branch for branch in branches(schema, schema) if branch.get("type") != "null"]


def _names_match(name: str, producer: AgentCard) -> bool:
    if name in GOAL_NAMES:
        return False
    titles = [str(branch.get("title", "")) for branch in branches(producer.output, producer.output)]
    wanted = parts(name)
    offered = [parts(text) for text in (producer.name, *titles)]
    if not wanted:
        return False
    return any(wanted == words or wanted[-1] in words for words in offered)
