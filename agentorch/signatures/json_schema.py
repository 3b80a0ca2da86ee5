"""Checks a JSON value against a JSON Schema: the part of it that agent files and models use.

Known: type, enum, const, properties, required, additionalProperties, items, prefixItems, anyOf, oneOf, allOf, not,
$ref into `$defs`, the bounds of numbers, strings, arrays and objects, pattern. Other keywords are notes.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from agentorch.signatures.words import path_text, shown

Path = tuple[str | int, ...]
Schema = Mapping[str, Any]
DEEPEST: Final = 60
"""Levels of nesting that are followed."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def schema_problems(value: Any, schema: Schema) -> tuple[str, ...]:
    """Return what `value` breaks, one line each; none when it fits."""
    return tuple(_check(value, schema, (), schema))


def _check(value: Any, schema: Any, path: Path, root: Schema) -> Iterator[str]:
    if schema is True or len(path) > DEEPEST:
        return
    if schema is False:
        yield _line(path, "is not allowed", value)
        return
    schema = _resolve(cast("Schema", schema), root)
    wrong = _wrong_kind(value, schema)
    if wrong:
        yield _line(path, wrong, value)
        return
    yield from _alternatives(value, schema, path, root)
    yield from _bounds(value, schema, path)
    if isinstance(value, Mapping):
        yield from _object(cast("Mapping[str, Any]", value), schema, path, root)
    elif isinstance(value, list):
        yield from _array(cast("list[Any]", value), schema, path, root)


def _wrong_kind(value: Any, schema: Schema) -> str | None:
    if "const" in schema and value != schema["const"]:
        return f"must be {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"must be one of {', '.join(repr(item) for item in schema['enum'])}"
    wanted = schema.get("type")
    if wanted is None:
        return None
    kinds = cast("list[str]", [wanted] if isinstance(wanted, str) else wanted)
    if any(_TYPES.get(kind, lambda _: True)(value) for kind in kinds):
        return None
    return f"must be of type {' or '.join(kinds)}"


def _alternatives(value: Any, schema: Schema, path: Path, root: Schema) -> Iterator[str]:
    for part in schema.get("allOf", ()):
        yield from _check(value, part, path, root)
    for word in ("anyOf", "oneOf"):
        if word not in schema:
            continue
        failures = [list(_check(value, part, path, root)) for part in schema[word]]
        if all(failures):
            # The alternative with the fewest complaints is most likely the one that was meant.
            yield from min(failures, key=len)
        elif word == "oneOf" and sum(not failure for failure in failures) > 1:
            yield _line(path, "fits more than one of the alternatives", value)
    if "not" in schema and not any(_check(value, schema["not"], path, root)):
        yield _line(path, "is of a form that is ruled out", value)


def _object(value: Mapping[str, Any], schema: Schema, path: Path, root: Schema) -> Iterator[str]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{path_text((*path, name))}: is missing"
    rest = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in properties:
            yield from _check(item, properties[name], (*path, name), root)
        elif rest is False:
            yield f"{path_text((*path, name))}: is not a known name; known are {', '.join(properties) or 'none'}"
        elif rest is not True:
            yield from _check(item, rest, (*path, name), root)


def _array(value: list[Any], schema: Schema, path: Path, root: Schema) -> Iterator[str]:
    prefix: list[Any] = schema.get("prefixItems", [])
    for index, item in enumerate(value):
        part = prefix[index] if index < len(prefix) else schema.get("items", True)
        yield from _check(item, part, (*path, index), root)
    if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
        yield _line(path, "holds an item twice", value)


_LIMITS: Final[tuple[tuple[str, str, Callable[[Any, Any], bool], str], ...]] = (
    ("minimum", "number", lambda value, limit: value >= limit, "must be at least {}"),
    ("maximum", "number", lambda value, limit: value <= limit, "must be at most {}"),
    ("exclusiveMinimum", "number", lambda value, limit: value > limit, "must be more than {}"),
    ("exclusiveMaximum", "number", lambda value, limit: value < limit, "must be less than {}"),
    ("minLength", "string", lambda value, limit: len(value) >= limit, "must have at least {} characters"),
    ("maxLength", "string", lambda value, limit: len(value) <= limit, "must have at most {} characters"),
    ("pattern", "string", lambda value, limit: re.search(limit, value) is not None, "must match {}"),
    ("minItems", "array", lambda value, limit: len(value) >= limit, "must have at least {} items"),
    ("maxItems", "array", lambda value, limit: len(value) <= limit, "must have at most {} items"),
    ("minProperties", "object", lambda value, limit: len(value) >= limit, "must have at least {} entries"),
    ("maxProperties", "object", lambda value, limit: len(value) <= limit, "must have at most {} entries"),
)


def _bounds(value: Any, schema: Schema, path: Path) -> Iterator[str]:
    for word, kind, holds, message in _LIMITS:
        if word in schema and _TYPES[kind](value) and not holds(value, schema[word]):
            yield _line(path, message.format(schema[word]), value)


def _resolve(schema: Schema, root: Schema) -> Schema:
    for _ in range(DEEPEST):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        target: Any = root
        for part in reference.removeprefix("#").strip("/").split("/"):
            target = target.get(part, {}) if part else target
        schema = cast("Schema", target)
    return {}


def _line(path: Path, message: str, value: Any) -> str:
    where = path_text(path)
    return f"{where}: {message}; got {shown(value)}" if where else f"{message}; got {shown(value)}"
