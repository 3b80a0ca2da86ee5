"""From a model's text to a JSON value that can be a plan: the outermost object, or list of objects.

A text that stops inside its value gives what was closed before, and `E_TRUNCATED`.
"""

from dataclasses import dataclass
from typing import Any, Final

from agentorch.core.failures import Code, Problem
from agentorch.documents import json_values, spoken

_TRUNCATED: Final = Problem(
    Code.TRUNCATED,
    "the answer stops before its JSON is closed",
    None,
    "continue it, or answer with fewer tasks",
)


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
    body = spoken(text)
    if not body:
        return Extracted(problem=Problem(Code.EMPTY, "the answer is empty", None, "answer with a JSON object"))
    for found in json_values(text):
        # A list without objects is an empty plan when it stands alone, and a citation in prose.
        if found.alone or _holds_objects(found.value):
            note = "took out trailing commas" if found.mended else None
            return Extracted(found.value, _TRUNCATED if found.cut_off else None, note)
    line = " ".join(body.split())
    words = f"no JSON value can be read in the answer {line[:80]!r}"
    return Extracted(problem=Problem(Code.SYNTAX, words, None, "answer with JSON only"))


def _holds_objects(value: Any) -> bool:
    """Whether a value can be a plan: an object, or a list with one; `[1]` in prose is neither."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))  # pyright: ignore[reportUnknownVariableType]
