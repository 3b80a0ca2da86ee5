"""JSON Schemas as pydantic writes them: fit, parts, literals, words."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from agentorch.core.schema import accepts_null, assignable, at, described, literal_problems


class Person(BaseModel):
    name: str
    age: int = 0


class Named(BaseModel):
    name: str


class Strict(BaseModel, extra="forbid"):
    name: str


class Open(BaseModel, extra="allow"):
    name: str


class Tree(BaseModel):
    label: str
    children: "list[Tree]" = []


class Titled(BaseModel):
    title: str


class Loose(BaseModel):
    name: int | None = None


def schema(kind: Any) -> dict[str, Any]:
    return TypeAdapter(kind).json_schema(mode="serialization")


Short = Annotated[str, Field(max_length=3)]
Two = tuple[int, str]

FITS: Sequence[tuple[Any, Any, bool | None]] = [
    (str, str, True),
    (str, Any, True),
    (Any, str, None),
    (str, int, False),
    (int, float, True),
    (float, int, None),
    (bool, int, False),
    (str, str | None, True),
    (str | None, str, False),
    (Any, str | int, None),
    (list[int], list[float], True),
    (list[str], list[int], False),
    (list[int], str, False),
    (list, list[int], None),
    (list[str], Sequence[str], True),
    (dict[str, int], dict[str, float], True),
    (dict[str, int], dict[str, str], False),
    (Person, Named, True),
    (Named, Titled, False),
    (Person, Strict, False),
    (Strict, Strict, True),
    (Open, Strict, None),
    (Open, Titled, None),
    (Person, dict[str, Any], True),
    (Person, dict[str, str], False),
    (dict[str, str], Named, None),
    (dict[str, str], Loose, False),
    (Loose, Named, False),
    (Tree, Tree, True),
    (list[Tree], list[Named], False),
    (Literal["a"], Literal["a", "b"], True),
    (Literal["a", "c"], Literal["a", "b"], False),
    (Literal[1], str, False),
    (Literal[1], int, True),
    (str, Literal["a"], None),
    (int, Literal["a"], False),
    (date, str, True),
    (str, date, None),
    (Short, str, True),
    (str, Short, None),
    (Two, Two, True),
    (Two, tuple[int, int], False),
    (Two, tuple[int], False),
    (tuple[int], Two, False),
    (list[int], tuple[int, int], None),
    (tuple[int, int], list[int], True),
    (Two, list[int], False),
]


@pytest.mark.parametrize(("producer", "consumer", "expected"), FITS)
def test_assignable(producer: Any, consumer: Any, expected: bool | None) -> None:
    """Yes, no, or cannot tell, for types as pydantic writes them."""
    assert assignable(schema(producer), schema(consumer)) is expected


WRITTEN: Sequence[tuple[dict[str, Any], dict[str, Any], bool | None]] = [
    ({"type": ["string", "null"]}, {"type": "string"}, False),
    ({"type": "string"}, {"type": ["string", "null"]}, True),
    ({"allOf": [{"type": "string"}]}, {"type": "string"}, True),
    ({"allOf": [{"type": "string"}, {"minLength": 1}]}, {"type": "string"}, None),
    ({"items": {"type": "string"}}, {"type": "array"}, True),
    ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, {"anyOf": [{"type": "integer"}, {}]}, True),
    ({"anyOf": [{"enum": [1]}, {"not": {}}]}, {"type": "integer"}, None),
    ({"properties": {"a": {}}}, {"type": "object", "required": ["a"]}, None),
    ({"$ref": "#/$defs/Lost"}, {"type": "string"}, None),
    ({"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}}}, {"type": "string"}, None),
    ({"type": "array", "prefixItems": [{}], "items": False}, {"type": "array", "items": False}, False),
    ({"type": "object", "additionalProperties": False}, {"type": "object", "additionalProperties": False}, True),
    ({"oneOf": [], "type": "string"}, {"type": "string"}, True),
    ({"oneOf": []}, {"type": "string"}, None),
    ({"type": "string", "allOf": [{}, {}]}, {"type": "string"}, None),
]


@pytest.mark.parametrize(("producer", "consumer", "expected"), WRITTEN)
def test_assignable_as_people_write_schemas(
    producer: dict[str, Any], consumer: dict[str, Any], expected: bool | None
) -> None:
    """Lists of types, `allOf`, lost and circular references never raise."""
    assert assignable(producer, consumer) is expected


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        (Person, "name", "string"),
        (Person, "nme", None),
        (Person, "name.x", None),
        (list[Person], "3.age", "integer"),
        (list[Person], "first", None),
        (Person | None, "name", "null or string"),
        (Person | None, "nope", None),
        (Person | Titled, "name", "string"),
        (Two, "1", "string"),
        (Two, "2", None),
        (list, "4", "anything"),
        (dict[str, int], "any", "integer"),
        (dict[str, Any], "any.thing", "anything"),
        (Open, "more", "anything"),
        (Strict, "more", None),
        (Any, "a.0", "anything"),
        (Tree, "children.0.children.1.label", "string"),
        (Tree, "children", "list of Tree"),
        (str, "", "string"),
    ],
)
def test_at(kind: Any, path: str, expected: str | None) -> None:
    """A path leads to a schema that stands on its own, or is impossible."""
    part = at(schema(kind), tuple(path.split(".")) if path else ())
    names = None if part is None else " or ".join(sorted(described(part).split(" or ")))
    assert names == expected


def test_at_in_schemas_that_people_write() -> None:
    """Patterns, closed tuples and bare objects."""
    assert at({"type": "object", "patternProperties": {".*": {"type": "string"}}}, ("x",)) == {}
    assert at({"type": "array", "items": False}, ("0",)) is None
    assert at({"type": "object"}, ("x",)) == {}
    assert at({"properties": {"x": True}}, ("x",)) == {}
    assert at({"enum": ["a"]}, ("x",)) == {}


LITERALS: Sequence[tuple[Any, Any, list[str]]] = [
    ("x", str, []),
    (1, str, ["1 is not string"]),
    ("1", int, ["'1' is not integer"]),
    (True, int, ["True is not integer"]),
    (1, bool, ["1 is not boolean"]),
    (1, float, []),
    (2.0, int, []),
    (2.5, int, ["2.5 is not integer"]),
    (None, str, ["None is not string"]),
    (None, str | None, []),
    (1.5, str | int, ["1.5 is not string or integer"]),
    ("c", Literal["a", "b"], ["'c' is not one of 'a', 'b'"]),
    (True, Literal[1], ["True is not one of 1"]),
    (["a", 1], list[str], ["1: 1 is not string"]),
    ([1, "a"], Two, []),
    ([1, "a", 2], Two, ["[1, 'a', 2] has more than 2 items"]),
    ([1], Two, ["[1] has fewer than 2 items"]),
    ({"name": "x"}, Person, []),
    ({"age": "x"}, Person, ["key 'name' is missing", "age: 'x' is not integer"]),
    ({"name": "x", "more": 1}, Person, []),
    ({"name": "x", "more": 1}, Strict, ["unknown key 'more'; the keys are name"]),
    ({"name": 1}, Person | None, ["name: 1 is not string"]),
    ({"a": "x"}, dict[str, int], ["a: 'x' is not integer"]),
    ({"label": "a", "children": [{"label": 3}]}, Tree, ["children: 0: label: 3 is not string"]),
    ("long", Short, ["'long' has more than 3 characters"]),
    (0, Annotated[int, Field(ge=1)], ["0 is not at least 1"]),
    (5, Annotated[float, Field(lt=5)], ["5 is not less than 5"]),
    ("y" * 99, int, [f"'{'y' * 56}... is not integer"]),
    (date(2026, 1, 1), str, ["datetime.date(2026, 1, 1) is not string"]),
    (date(2026, 1, 1), Any, []),
    (("a",), list[str], []),
]


@pytest.mark.parametrize(("value", "kind", "expected"), LITERALS)
def test_literal_problems(value: Any, kind: Any, expected: list[str]) -> None:
    """Each problem names the place, the value and what was wanted."""
    assert literal_problems(value, TypeAdapter(kind).json_schema()) == expected


def test_literals_against_schemas_that_people_write() -> None:
    """`allOf`, mixed choices, closed arrays and patterns."""
    both = {"allOf": [{"type": "string"}, {"minLength": 2}]}
    assert literal_problems("a", both) == ["'a' has fewer than 2 characters"]
    mixed = {"anyOf": [{"enum": ["a"]}, {"enum": ["b"]}]}
    assert literal_problems("c", mixed) == ["'c' is not one of 'a' or one of 'b'"]
    assert literal_problems([1], {"type": "array", "items": False}) == ["item 0 is one too many"]
    closed: dict[str, Any] = {"type": "object", "additionalProperties": False, "patternProperties": {"^x": {}}}
    assert literal_problems({"xa": 1}, closed) == []
    assert literal_problems({"a": 1}, {"type": "object", "additionalProperties": False}) == [
        "unknown key 'a'; the keys are none"
    ]


def test_strings_that_pass_fit_anywhere() -> None:
    """References stand for values that are not there yet."""
    assert literal_problems(["$x", "y"], {"type": "array", "items": {"type": "integer"}}, passes="$x".__eq__) == [
        "1: 'y' is not integer"
    ]


@pytest.mark.parametrize(
    ("kind", "expected"), [(str, False), (str | None, True), (Any, True), (Literal["a"] | None, True), (None, True)]
)
def test_accepts_null(kind: Any, expected: bool) -> None:
    """Null is a value of unions with it, of anything and of choices that list it."""
    assert accepts_null(schema(kind)) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (list[list[int]], "list of list"),
        (list, "list"),
        (Person | None, "Person or null"),
        (list[str | int], "list of string or integer"),
        (dict[str, int], "object"),
        (Literal["a", "b"], "one of 'a', 'b'"),
        (Literal[3], "one of 3"),
    ],
)
def test_described(kind: Any, expected: str) -> None:
    """A schema in a few words."""
    assert described(schema(kind)) == expected
