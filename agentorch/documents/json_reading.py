"""JSON as people write it: strict, each key once, with the place of what is wrong."""

import json
from typing import Any, Final, NoReturn

from agentorch.documents.mark import DocumentError, clean_text

MOST_BYTES: Final = 16 * 1024 * 1024
"""The longest JSON document that is read: reading is fast, and programs write long ones."""


def read_json(data: bytes | str) -> Any:
    """Return the value of a JSON document; DocumentError with line and column."""
    text = clean_text(data, most=MOST_BYTES)
    try:
        return json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise DocumentError(error.msg, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise DocumentError(f"key {twice!r} appears twice in one object")
    return result


def _refuse(word: str) -> NoReturn:
    raise DocumentError(f"{word} is no JSON number")
