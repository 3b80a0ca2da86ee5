"""Schemas that a person wrote: the short forms are written out, and what is no schema is refused before it costs."""

from typing import Any

import pytest
from pydantic import BaseModel

from agentorch.agents import Agent, MalformedInput
from agentorch.errors import ConfigurationError, MalformedOutput

ANSWER = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "score": {"type": "number"}},
    "required": ["answer", "score"],
}


def _output(written: dict[str, Any]) -> Agent:
    return Agent("a", description="d", prompt="p", output=written)


def _input(written: dict[str, Any]) -> Agent:
    return Agent("a", description="d", prompt="p", input=written)


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        ({"answer": "string", "score": "number"}, ANSWER),
        ({"properties": {"a": "text", "b": "list[int]"}}, {"properties": {"a": {"type": "string"}, "b": {
            "type": "array", "items": {"type": "integer"}}}}),
        ({"type": "array", "items": {"line": "int"}}, {"type": "array", "items": {
            "type": "object", "properties": {"line": {"type": "integer"}}, "required": ["line"]}}),
        ({"title": "string", "format": "string"}, {"type": "object", "properties": {
            "title": {"type": "string"}, "format": {"type": "string"}}, "required": ["title", "format"]}),
        ({"found": {"enum": ["yes", "no"]}}, {"type": "object", "properties": {
            "found": {"enum": ["yes", "no"]}}, "required": ["found"]}),
        ({"anyOf": ["string", {"type": "null"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"$ref": "#/$defs/A", "$defs": {"A": "string"}}, {"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}}),
    ],
)  # fmt: skip
def test_short_forms_are_written_out(written: dict[str, Any], schema: dict[str, Any]):
    """A type in words wherever a schema stands; names and types are an object that has all of them."""
    assert _output(written).card.output == schema


class Inner(BaseModel):
    text: Any
    """Its schema is a title and no more."""


class Report(BaseModel):
    title: str
    rows: list[Inner]
    extra: dict[str, int | None] = {}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"title": "Text"},
        {"type": ["string", "null"]},
        {"type": "object", "required": ["x"]},
        {"type": "object", "properties": {"x": True}, "additionalProperties": False},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": False, "maxItems": 1},
        {"type": "string", "minLength": 0, "x-order": 3, "example": "a"},
        Report.model_json_schema(),
    ],
)
def test_a_json_schema_stays_as_it_is(schema: dict[str, Any]):
    """Also what pydantic writes, and keywords of others."""
    assert _output(schema).card.output == schema


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"type": "strng"}, "type 'strng' is no JSON type; did you mean 'string'?"),
    ({"type": "str"}, "type 'str' is no JSON type; did you mean 'string'?"),
    ({"type": "zzz"}, "type 'zzz' is no JSON type; use one of string, integer, number, boolean, object, array, null"),
    ({"type": []}, "type [] is no JSON type; use one of string, integer, number, boolean, object, array, null"),
    ({"answer": "strng"}, "answer: 'strng' is no type; did you mean 'string'?"),
    ({"answer": {"rows": {"type": "strng"}}}, "answer.rows: type 'strng' is no JSON type; did you mean 'string'?"),
    ({"anyOf": ["null", {"type": "strng"}]}, "anyOf[1]: type 'strng' is no JSON type; did you mean 'string'?"),
    ({"$defs": {"A": {"type": "x"}}, "items": {"$ref": "#/$defs/A"}}, ("$defs.A: type 'x' is no JSON type; use one of "
     "string, integer, number, boolean, object, array, null")),
    ({"answer": None}, ("{'answer': None} is neither a JSON Schema nor a list of names and types; write "
     "{answer: string}, or {type: object, properties: ...}")),
    ({"propertes": {}}, "unknown keyword 'propertes'; did you mean 'properties'?"),
    ({"type": "object", "requird": []}, "unknown keyword 'requird'; did you mean 'required'?"),
    ({"answer": {"type": "string", "required": True}}, "answer: required is a list of names; got True"),
    ({"properties": {"score": {}}, "required": ["scor"]},
     "required names 'scor', which is no property; did you mean 'score'?"),
    ({"properties": {"score": {}}, "required": ["other"]},
     "required names 'other', which is no property; describe it, or take it out of 'required'"),
    ({"properties": ["a"]}, "properties maps names to schemas; got ['a']"),
    ({"items": ["string"]}, "items: ['string'] is no type; use string, number, list[string] or a JSON Schema"),
    ({"enum": "a"}, "enum is a list; got 'a'"),
    ({"anyOf": []}, "anyOf is a list; got []"),
    ({"anyOf": "string"}, "anyOf is a list; got 'string'"),
    ({"type": "string", "enum": [1, 2]}, "enum [1, 2] holds nothing of type 'string'"),
    ({"minimum": "0"}, "minimum is a number; got '0'"),
    ({"maxItems": 1.5}, "maxItems is a whole number from 0; got 1.5"),
    ({"$ref": "#/definitions/A"}, ("$ref '#/definitions/A' leads nowhere; refer to '#/$defs/name', and define it under "
     "'$defs' at the top")),
]  # fmt: skip


@pytest.mark.parametrize(("written", "words"), WRONG)
def test_what_is_no_schema_is_refused(written: dict[str, Any], words: str):
    """In one line: the place, the value, the remedy; nothing is asked of a model that could not be accepted."""
    with pytest.raises(ConfigurationError) as output:
        _output(written)
    assert str(output.value) == f"agent 'a': its output schema: {words}"


def test_a_schema_without_end_is_refused():
    """It is told like any other, and breaks nothing."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(200):
        deep = {"type": "array", "items": deep}
    with pytest.raises(ConfigurationError, match="it is nested more than 50 levels deep"):
        _output(deep)


def test_outputs_are_held_to_a_short_schema():
    """It constrains as its long form does."""
    made = _output({"answer": "string", "score": "number"})
    assert made.encode({"answer": "a", "score": 1}) == {"answer": "a", "score": 1}
    with pytest.raises(MalformedOutput, match=r"^key 'score' is missing$"):
        made.encode({"answer": "a"})


def test_inputs_are_held_to_a_short_schema():
    """As outputs are."""
    made = _input({"topic": "string"})
    assert made.bind({"topic": "buses"}) == {"topic": "buses"}
    with pytest.raises(MalformedInput, match=r"^topic: 3 is not string$"):
        made.bind({"topic": 3})


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"topic": "strng"}, "topic: 'strng' is no type; did you mean 'string'?"),
        ({"type": "string"}, "inputs have names; write {topic: string}, not {'type': 'string'}"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"type": "array"}}}, ("inputs have names; write {topic: string}, not "
         "{'$ref': '#/$defs/A', '$defs': {'A': {'type': 'array'}}}")),
    ],
)  # fmt: skip
def test_what_no_inputs_can_fit_is_refused(written: dict[str, Any], words: str):
    """Inputs have names: their schema is that of an object."""
    with pytest.raises(ConfigurationError) as caught:
        _input(written)
    assert str(caught.value) == f"agent 'a': its input schema: {words}"
