"""JSON as people write it: strict, each key once, with the place of what is wrong."""

import json
import math
from typing import Any, Final, NoReturn

from agentorch.documents.mark import LONGEST_INTEGER, DocumentError, clean_text

MOST_BYTES: Final = 16 * 1024 * 1024
"""The longest JSON document that is read: reading is fast, and programs write long ones."""


def read_json(data: bytes | str) -> Any:
    """Return the value of a JSON document; DocumentError with line and column."""
    text = clean_text(data, most=MOST_BYTES)
    try:
        return json.loads(
            text, object_pairs_hook=_each_key_once, parse_constant=_refuse, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise DocumentError(error.msg, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise DocumentError(f"key {twice!r:.80} appears twice in one object")
    return result


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise DocumentError(f"the number {text:.40} is too large")
    return value


def _integer(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise DocumentError(f"an integer has {len(text):,} digits; at most {LONGEST_INTEGER:,} are read")
    return int(text)


def _refuse(word: str) -> NoReturn:
    raise DocumentError(f"{word} is no JSON number")
