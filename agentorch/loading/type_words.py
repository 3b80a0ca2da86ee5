"""Types in a word or two: `string`, `list[number]`, instead of a JSON Schema."""

import re
from typing import Any, Final

_TYPES: Final = {
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
}
_LIST: Final = re.compile(r"(?:list|array)\[(.+)\]")


def schema_of_words(words: str) -> dict[str, Any] | None:
    """Return the JSON Schema of a type in words, or None when it is none."""
    plain = words.strip().lower().replace(" ", "")
    if plain in _TYPES:
        return {"type": _TYPES[plain]}
    match = _LIST.fullmatch(plain)
    items = schema_of_words(match[1]) if match else None
    return None if items is None else {"type": "array", "items": items}
