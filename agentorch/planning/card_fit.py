"""How a card's parameters can be filled: from the goal, from the run's inputs, or from another card's output.

1. Types speak where they say something: a bare `str` or an untyped value fits everything and proves nothing.
2. Names speak always: `facts` is met by a `fact_finder` and by an output titled `Facts`.
3. What a card says that its agent makes speaks next: `facts` is met by one that "finds facts about a topic".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any, Final, cast

from agentorch.core.card import AgentCard, JsonSchema
from agentorch.core.schema import assignable, is_anything
from agentorch.core.shapes import branches
from agentorch.planning.card_words import makes, parts

GOAL_NAMES: Final = frozenset(
    {
        "goal",
        "question",
        "query",
        "topic",
        "task",
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
ANY_TEXT: Final = "text"
"""A text of this name takes the goal when nobody makes a text for it: it says nothing of what it is."""
LOOSE_ENDS: Final = "parts"
"""A mapping of this name takes every output that nothing else takes, by task id; null for one that is missing."""


class Evidence(IntEnum):
    """How sure it is that an output is meant for a parameter."""

    NONE = 0
    TEXTS = 1
    """A list of text, of which one text can be an element."""
    WORDS = 2
    """The card's words say that it is made."""
    TYPE = 3
    WORDS_AND_TYPE = 4
    NAME = 5
    NAME_AND_TYPE = 6


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
    def takes_any_text(self) -> bool:
        """Whether its name says only that it takes a text."""
        return self.name == ANY_TEXT and self.is_text

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
    said = _said(parameter.name, producer)
    whole = _compare(output, parameter.schema, said)
    if parameter.element is None:
        return Feed(whole)
    element = _compare(output, parameter.element, said)
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


def _compare(output: JsonSchema, wanted: JsonSchema, said: Evidence) -> Evidence:
    """Return the evidence when names and words say `said`: WORDS, NAME or nothing."""
    fits = assignable(output, wanted)
    if fits is False:
        return Evidence.NONE
    if not (fits is True and _says_something(output) and _says_something(wanted)):
        return said
    match said:
        case Evidence.NAME:
            return Evidence.NAME_AND_TYPE
        case Evidence.WORDS:
            return Evidence.WORDS_AND_TYPE
        case _:
            return Evidence.TYPE


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


def _said(name: str, producer: AgentCard) -> Evidence:
    """Return what the producer's name, the titles of its output and its card's words say about a parameter."""
    if name in GOAL_NAMES or (name == ANY_TEXT and _is_taken(name, producer)):
        return Evidence.NONE
    if _names_match(name, producer):
        return Evidence.NAME
    return Evidence.WORDS if makes(producer, name) and not _is_taken(name, producer) else Evidence.NONE


def _names_match(name: str, producer: AgentCard) -> bool:
    titles = [str(branch.get("title", "")) for branch in branches(producer.output, producer.output)]
    wanted = parts(name)
    offered = [parts(text) for text in (producer.name, *titles)]
    return bool(wanted) and any(wanted == words or wanted[-1] in words for words in offered)


def _is_taken(name: str, producer: AgentCard) -> bool:
    """Whether the producer takes what `name` names and gives something else: who "writes from facts" makes none."""
    wanted = parts(name)[-1:]
    return any(
        parts(own.name)[-1:] == wanted and _compare(producer.output, own.schema, Evidence.NONE) is Evidence.NONE
        for own in parameters(producer)
    )
