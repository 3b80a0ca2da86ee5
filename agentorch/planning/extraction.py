"""From a model's text to a JSON value: fences, prose and wrappers are passed over, the outermost value is taken.

Quotes are never guessed. A text that stops inside its value gives what was closed before, and `E_TRUNCATED`.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

from agentorch.core.failures import Code, Problem

_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[{}\[\]]', re.DOTALL)
"""Brackets, and strings as a whole; one that never closes goes to the end, so that no character is looked at twice."""
_TRAILING_COMMA: Final = re.compile(r'("(?:[^"\\]|\\.?)*+(?:"|\Z))|,(?=\s*+[}\]])', re.DOTALL)
_THOUGHT: Final = re.compile(r"<(think|thinking|scratchpad)>.*?(?:</\1>|\Z)", re.DOTALL)
_DEEPEST: Final = 100
"""Brackets within brackets beyond which a text is no plan."""
_CANDIDATES: Final = 50
"""Opening brackets in prose that are tried before giving up; each costs a look at the text behind it."""
_MOST_LOOKED_AT: Final = 500_000
"""Characters that all these looks together may take; the first may take any number."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was found in a model's text."""

    value: Any = None
    """The JSON value; with E_TRUNCATED, as far as it came."""
    problem: Problem | None = None
    note: str | None = None
    """A repair, if one was needed."""


def extract(text: str) -> Extracted:
    """Return the outermost JSON object or list in `text`, or say in a problem why there is none."""
    body = _THOUGHT.sub("", text).lstrip("\ufeff")
    if not body.strip():
        return Extracted(problem=Problem(Code.EMPTY, "the answer is empty", None, "answer with a JSON object"))
    start = looked_at = 0
    for _ in range(_CANDIDATES):
        start = _opening(body, start)
        if start < 0 or looked_at > _MOST_LOOKED_AT:
            break
        end = _closing(body, start)
        looked_at += (len(body) if end is None else end) - start
        found = _partial(body[start:]) if end is None else _parsed(body[start:end])
        if found is not None and _holds_objects(found.value):
            return found
        start = end if end is not None and found is not None else start + 1
    return _parsed(body.strip()) or Extracted(problem=_no_json(body))


def _opening(text: str, start: int) -> int:
    places = [place for place in (text.find("{", start), text.find("[", start)) if place >= 0]
    return min(places, default=-1)


def _closing(text: str, start: int) -> int | None:
    """Return the end of the balanced value at `start`, or None when it does not close, or is too deep to be a plan."""
    depth = 0
    for match in _STRUCTURE.finditer(text, start):
        mark = match.group()
        if mark in "{[":
            depth += 1
            if depth > _DEEPEST:
                return None
        elif mark in "}]":
            depth -= 1
            if not depth:
                return match.end()
    return None


def _parsed(text: str) -> Extracted | None:
    try:
        return Extracted(from_json(text))
    except ValueError:
        pass
    mended = _TRAILING_COMMA.sub(lambda match: match.group(1) or "", text)
    try:
        return Extracted(from_json(mended), note="took out trailing commas")
    except ValueError:
        return None


def _partial(text: str) -> Extracted | None:
    try:
        value = from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return None
    remedy = "continue it, or answer with fewer tasks"
    return Extracted(value, Problem(Code.TRUNCATED, "the answer stops before its JSON is closed", None, remedy))


def _holds_objects(value: Any) -> bool:
    """Whether a value can be a plan: an object, or a list with one; `[1]` in prose is neither."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))  # pyright: ignore[reportUnknownVariableType]


def _no_json(text: str) -> Problem:
    line = " ".join(text.split())
    return Problem(Code.SYNTAX, f"no JSON value can be read in the answer {line[:80]!r}", None, "answer with JSON only")
