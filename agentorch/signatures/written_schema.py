"""A schema that a person wrote: a JSON Schema, or its short form, checked before anything is held to it.

What the checker of values would pass over or trip over is refused: a schema that cannot be read must not accept
everything, nor reject answers that were paid for.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, cast

from agentorch.core.card import JsonSchema
from agentorch.core.literals import literal_problems
from agentorch.core.shapes import branches, kind_of
from agentorch.errors import ConfigurationError
from agentorch.signatures.short_schema import (
    COUNTS,
    DEEPEST,
    KEYWORDS,
    NAMED,
    NUMBERS,
    ONE,
    SEVERAL,
    TYPES,
    long_form,
)
from agentorch.signatures.words import path_text, shown

_KINDS: Final = ("string", "integer", "number", "boolean", "object", "array", "null")
Where = tuple[str | int, ...]


def written_schema(given: Any, *, what: str) -> JsonSchema:
    """Return the JSON Schema that was written, its short forms written out.

    Raises:
        ConfigurationError: it is none; the message begins with `what` and names the place, the value and the remedy.
    """
    schema: JsonSchema = long_form(given)
    problem = next(_problems(schema, schema, ()), None)
    if problem is not None:
        where, words = problem
        place = f"{path_text(where)}: " if where else ""
        raise ConfigurationError(f"{what}: {place}{words}")
    return schema


def written_inputs(given: Any, *, what: str) -> JsonSchema:
    """Return the JSON Schema of inputs: as `written_schema`, and of an object, for inputs have names."""
    schema = written_schema(given, what=what)
    if any(kind_of(branch) not in {None, "object"} for branch in branches(schema, schema)):
        raise ConfigurationError(f"{what}: inputs have names; write {{topic: string}}, not {shown(given)}")
    return schema


def _problems(schema: Any, root: Any, where: Where) -> Iterator[tuple[Where, str]]:
    if schema is True:
        return
    if not isinstance(schema, dict):
        near = get_close_matches(str(schema), TYPES, n=1) if isinstance(schema, str) else ()
        remedy = f"did you mean {near[0]!r}?" if near else "use string, number, list[string] or a JSON Schema"
        yield where, f"{shown(schema)} is no type; {remedy}"
        return
    node = cast("dict[str, Any]", schema)
    if len(where) > DEEPEST:
        yield where, f"it is nested more than {DEEPEST} levels deep"
        return
    yield from ((where, words) for words in _own_problems(node, root))
    for step, part in _parts(node):
        yield from _problems(part, root, (*where, *step))


def _parts(node: Mapping[str, Any]) -> Iterator[tuple[Where, Any]]:
    """Go through the schemas that a schema is made of; `properties` and `items` are no steps that a reader misses."""
    for keyword in ONE:
        if keyword in node and node[keyword] is not False:
            yield (keyword,), node[keyword]
    for keyword in SEVERAL:
        yield from (((keyword, index), part) for index, part in enumerate(_listed(node.get(keyword))))
    for keyword in NAMED:
        steps = () if keyword == "properties" else (keyword,)
        yield from (((*steps, str(name)), part) for name, part in _mapped(node.get(keyword)).items())


def _own_problems(node: Mapping[str, Any], root: Any) -> Iterator[str]:
    yield from _unknown_keywords(node)
    yield from _wrong_type(node)
    yield from _wrong_forms(node)
    yield from _wrong_required(node)
    if "$ref" in node:
        target = node["$ref"]
        known = _mapped(cast("dict[str, Any]", root).get("$defs"))
        if not isinstance(target, str) or target.removeprefix("#/$defs/") not in known or "/$defs/" not in target:
            yield f"$ref {shown(target)} leads nowhere; refer to '#/$defs/name', and define it under '$defs' at the top"


def _unknown_keywords(node: Mapping[str, Any]) -> Iterator[str]:
    for keyword in node:
        near = () if keyword in KEYWORDS else get_close_matches(keyword, sorted(KEYWORDS), n=1, cutoff=0.8)
        if near:
            yield f"unknown keyword {keyword!r}; did you mean {near[0]!r}?"
    if node and KEYWORDS.isdisjoint(node):
        yield (
            f"{shown(dict(node))} is neither a JSON Schema nor a list of names and types; write "
            "{answer: string}, or {type: object, properties: ...}"
        )


def _wrong_type(node: Mapping[str, Any]) -> Iterator[str]:
    if "type" not in node:
        return
    kinds = cast("list[Any]", node["type"] if isinstance(node["type"], list) else [node["type"]])
    for kind in kinds or [[]]:
        if kind not in _KINDS:
            near = get_close_matches(TYPES.get(str(kind).lower(), str(kind)), _KINDS, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(_KINDS)}"
            yield f"type {shown(kind)} is no JSON type; {remedy}"
            return
    alone: JsonSchema = {"type": node["type"]}
    listed = _listed(node.get("enum"))
    if listed and all(literal_problems(item, alone) for item in listed):
        yield f"enum {shown(listed)} holds nothing of type {shown(node['type'])}"


def _wrong_forms(node: Mapping[str, Any]) -> Iterator[str]:
    """What is of another form than the keyword wants."""
    for keyword in (*SEVERAL, "enum"):
        if keyword in node and not (isinstance(node[keyword], list) and node[keyword]):
            yield f"{keyword} is a list; got {shown(node[keyword])}"
    for keyword in NAMED:
        if keyword in node and not isinstance(node[keyword], dict):
            yield f"{keyword} maps names to schemas; got {shown(node[keyword])}"
    for keyword in NUMBERS:
        if keyword in node and (isinstance(node[keyword], bool) or not isinstance(node[keyword], int | float)):
            yield f"{keyword} is a number; got {shown(node[keyword])}"
    for keyword in COUNTS:
        if keyword in node and not (type(node[keyword]) is int and node[keyword] >= 0):
            yield f"{keyword} is a whole number from 0; got {shown(node[keyword])}"


def _wrong_required(node: Mapping[str, Any]) -> Iterator[str]:
    required = node.get("required", [])
    names = _listed(required)
    if not isinstance(required, list) or any(not isinstance(name, str) for name in names):
        yield f"required is a list of names; got {shown(required)}"
        return
    properties = _mapped(node.get("properties"))
    if properties and {"patternProperties", "allOf", "anyOf", "oneOf", "$ref"}.isdisjoint(node):
        for name in names:
            if name not in properties:
                near = get_close_matches(name, sorted(properties), n=1)
                remedy = f"did you mean {near[0]!r}?" if near else "describe it, or take it out of 'required'"
                yield f"required names {name!r}, which is no property; {remedy}"


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _mapped(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
