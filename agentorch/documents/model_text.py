"""JSON in what a model wrote: thoughts, fences, prose and wrappers are passed over.

1. The values are given in the order in which they are likely: the whole text, what is fenced, then each outermost
   object or list in its order. Whoever asks takes the first that fits.
2. Thoughts are no answer, whether as text or as JSON.
3. Trailing commas are forgiven; quotes are never guessed.
4. Where a wrong reading would be dangerous, `sole_value` forgives nothing: an object that a tag seems to cut off is
   no thought, and a key stands once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic_core import from_json

from agentorch.core.values import whole_characters
from agentorch.documents.json_reading import read_json
from agentorch.documents.mark import DocumentError

DEEPEST: Final = 100
"""Levels of nesting; what goes deeper is nobody's answer, and costs a look at all of it for each of its brackets."""
_CANDIDATES: Final = 50
"""Opening brackets in prose that are tried before giving up; each costs a look at the text behind it."""
_MOST_LOOKED_AT: Final = 500_000
"""Characters that all these looks together may take; the first may take any number."""
_TAGS: Final = "think|thinking|thought|scratchpad"
_THOUGHT: Final = rf"<(?P<tag>{_TAGS})>.*?(?:</(?P=tag)>|\Z)"
_FIRST_THOUGHTS: Final = re.compile(rf"\A\s*{_THOUGHT}\s*", re.DOTALL)
# The opening tag may stand in the model's own template: then only the end of the thought is seen.
_END_OF_THOUGHT: Final = re.compile(rf"\A.*?^[ \t]*</(?:{_TAGS})>[ \t]*$", re.DOTALL | re.MULTILINE)
_LEADING_THOUGHT: Final = re.compile(rf"\s*<(?P<tag>{_TAGS})>(?P<said>.*?)</(?P=tag)>", re.DOTALL)
_SOLE_FENCE: Final = re.compile(r"```[a-zA-Z]*\n(.*)\n```", re.DOTALL)
_FENCE: Final = re.compile(r"```[a-zA-Z0-9_-]*\n(.*?)```", re.DOTALL)
_NEXT: Final = re.compile(rf"{_THOUGHT}|[{{\[]", re.DOTALL)
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[{}\[\]]', re.DOTALL)
"""Brackets, and strings as a whole; one that never closes goes to the end, so that no character is looked at twice."""
_TRAILING_COMMA: Final = re.compile(r'("(?:[^"\\]|\\.?)*+(?:"|\Z))|,(?=\s*+[}\]])', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """A JSON value in a text."""

    value: Any
    alone: bool = False
    """Whether nothing else was said."""
    mended: bool = False
    """Whether trailing commas were taken out."""
    cut_off: bool = False
    """Whether the text stops inside it: then it is what came until then."""


def spoken(text: str) -> str:
    """Return what a model said, without the thoughts that came before and the blanks around it."""
    text = text.lstrip("\ufeff")
    while (said := _FIRST_THOUGHTS.sub("", text)) != text:
        text = said
    return _END_OF_THOUGHT.sub("", text).strip()


def json_values(text: str) -> Iterator[Found]:
    """Yield the JSON values that a model's text may stand for, the likeliest first; never raises."""
    body = spoken(whole_characters(text))
    whole = _parsed(body)
    if whole is not None:
        yield replace(whole, alone=True)
        return
    yield from filter(None, (_parsed(part.strip()) for part in _FENCE.findall(body)))
    yield from _outermost(body)


def sole_value(text: str) -> Any:
    """Return the JSON value that a model's whole reply is, but for thoughts before it and a fence around it.

    Nothing is mended or chosen. An end of thoughts counts only where a thought was begun at the start, or no object
    stands before it: what the reply quotes cannot end it.

    Raises:
        DocumentError: the reply is anything else.
    """
    said = _after_thoughts(whole_characters(text).lstrip("\ufeff")).strip()
    fence = _SOLE_FENCE.fullmatch(said)
    said = fence.group(1) if fence else said
    read_json(said)
    try:
        return from_json(said, allow_inf_nan=False)  # the stricter one about characters
    except ValueError as error:
        raise DocumentError(str(error)) from None


def _after_thoughts(text: str) -> str:
    place = 0
    while (thought := _LEADING_THOUGHT.match(text, place)) is not None:
        if _is_cut_off(thought["said"]):
            return text
        place = thought.end()
    ended = None if place else _END_OF_THOUGHT.match(text)
    return text[place:] if ended is None or "{" in ended.group() else text[ended.end() :]


def _is_cut_off(text: str) -> bool:
    """Whether an object stands in the text that does not end there."""
    place = 0
    while (start := text.find("{", place)) >= 0:
        end = _closing(text, start)
        if not end:
            return True
        place = end
    return False


def _outermost(text: str) -> Iterator[Found]:
    place = looked_at = 0
    for _ in range(_CANDIDATES):
        start, place = _opening(text, place)
        if start < 0 or looked_at > _MOST_LOOKED_AT:
            return
        end = _closing(text, start)
        looked_at += (end or len(text)) - start
        found = _cut_off(text[start:]) if end is None else _parsed(text[start:end]) if end else None
        if found is not None:
            yield found
            place = end or place


def _opening(text: str, start: int) -> tuple[int, int]:
    """Return the place of the next bracket outside thoughts, -1 when there is none, and where to go on."""
    while (match := _NEXT.search(text, start)) is not None:
        if match["tag"] is None:
            return match.start(), match.end()
        start = match.end()
    return -1, len(text)


def _closing(text: str, start: int) -> int | None:
    """Return the end of the balanced value at `start`; None when it does not close, 0 when it is too deep."""
    depth = 0
    for match in _STRUCTURE.finditer(text, start):
        mark = match.group()
        if mark in "{[":
            depth += 1
            if depth > DEEPEST:
                return 0
        elif mark in "}]":
            depth -= 1
            if not depth:
                return match.end()
    return None


def _parsed(text: str) -> Found | None:
    try:
        return Found(from_json(text))
    except ValueError:
        pass
    mended = _TRAILING_COMMA.sub(lambda match: match.group(1) or "", text)
    try:
        return Found(from_json(mended), mended=True)
    except ValueError:
        return None


def _cut_off(text: str) -> Found | None:
    try:
        return Found(from_json(text, allow_partial="trailing-strings"), cut_off=True)
    except ValueError:
        return None
