"""Schemas in short: a type in a word or two, and a mapping of names to types; written out as JSON Schemas.

1. Wherever a schema stands, a type in words may stand: `string`, `list[number]`.
2. A mapping of names to such types, without any keyword of JSON Schema, is an object with just these properties, all
   of them required: `{answer: string, score: number}`.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, cast

TYPES: Final = {
    "str": "string",
    "string": "string",
    "text": "string",
    "int": "integer",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "bool": "boolean",
    "boolean": "boolean",
    "dict": "object",
    "object": "object",
    "list": "array",
    "array": "array",
    "null": "null",
}
"""Words for types, and the JSON types that they mean."""
ONE: Final = ("items", "additionalProperties")
SEVERAL: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
NAMED: Final = ("properties", "patternProperties", "$defs")
NUMBERS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
COUNTS: Final = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_SAYS_WHAT: Final = frozenset({
    "type", "enum", "const", "required", "$ref", "not", "if", "contains", "propertyNames", "unevaluatedProperties",
    "definitions", "$id", "$schema", *ONE, *SEVERAL, *NAMED,
})  # fmt: skip
"""Keywords that tell a schema from a mapping of names to types; `title` or `format` may well be such a name."""
_ALSO: Final = frozenset({
    "title", "description", "default", "examples", "example", "format", "pattern", "deprecated", "readOnly",
    "writeOnly", "nullable", "discriminator", "uniqueItems", "contentEncoding", "contentMediaType",
    "dependentRequired", "then", "else", "minContains", "maxContains", "$comment", "$anchor", *NUMBERS, *COUNTS,
})  # fmt: skip
KEYWORDS: Final = _SAYS_WHAT | _ALSO
DEEPEST: Final = 50
"""Levels of nesting that are read."""
_LIST: Final = re.compile(r"(?:list|array)\[(.+)\]")


def schema_of_words(words: str) -> dict[str, Any] | None:
    """Return the JSON Schema of a type in words, or None when it is none."""
    plain = words.strip().lower().replace(" ", "")
    if plain in TYPES:
        return {"type": TYPES[plain]}
    match = _LIST.fullmatch(plain)
    items = schema_of_words(match[1]) if match else None
    return None if items is None else {"type": "array", "items": items}


def long_form(given: Any, depth: int = 0) -> Any:
    """Return a schema with its short forms written out; what is no schema stays as it is."""
    if isinstance(given, str):
        words = schema_of_words(given)
        return given if words is None else words
    if not isinstance(given, dict) or depth > DEEPEST:
        return cast("Any", given)
    written = cast("dict[str, Any]", given)
    if _is_short(written):
        return {
            "type": "object",
            "properties": {name: long_form(value, depth + 1) for name, value in written.items()},
            "required": list(written),
        }
    return {keyword: _long_part(keyword, value, depth + 1) for keyword, value in written.items()}


def _long_part(keyword: str, value: Any, depth: int) -> Any:
    if keyword in ONE:
        return long_form(value, depth)
    if keyword in SEVERAL and isinstance(value, list):
        return [long_form(item, depth) for item in cast("list[Any]", value)]
    if keyword in NAMED and isinstance(value, dict):
        return {name: long_form(item, depth) for name, item in cast("dict[str, Any]", value).items()}
    return value


def _is_short(written: Mapping[str, Any]) -> bool:
    """Whether a mapping is one of names to types."""
    names = [name for name in written if name not in _ALSO and not name.startswith("x-")]
    if not _SAYS_WHAT.isdisjoint(names):
        return False
    if any(isinstance(written[name], dict) and get_close_matches(name, NAMED, n=1, cutoff=0.8) for name in names):
        return False  # `propertes` with a mapping in it is a keyword, misspelled
    if names:
        return all(isinstance(value, str | dict) for value in written.values())
    # `{title: Text}` is how pydantic writes "anything": where all names are keywords, types are in small letters.
    return bool(written) and all(
        isinstance(value, str) and value.islower() and schema_of_words(value) for value in written.values()
    )
