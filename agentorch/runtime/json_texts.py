"""JSON in texts: where a text is JSON, so that its strings can be changed and all else stays as it is spelt.

1. JSON is what is wholly an object, a list or a string; also what a model put in a fence, or behind its thoughts.
2. Nothing here recurses: what is nested too deeply to be parsed is taken for JSON when it consists of its words.
3. Two names of one object that are changed to the same are told apart by a number: no member is lost.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Final, cast

from agentorch.documents import spoken

Spot = tuple[int, int]
_BRACKETS: Final = {"{": "}", "[": "]", '"': '"'}
_STRING: Final = re.compile(r'("(?:[^"\\]|\\.)*+")(\s*+:)?', re.DOTALL)
"""A string, and whether it is the name of a member."""
_TOKEN: Final = re.compile(rf"[{{}}]|{_STRING.pattern}", re.DOTALL)
_WORDS: Final = re.compile(r'(?:[\s\[\]{},:]|"(?:[^"\\]|\\.)*+"|-?[0-9][0-9.eE+-]*+|true|false|null|NaN|-?Infinity)*+')
_BYTE_ORDER_MARK: Final = "\ufeff"
_FENCE: Final = "```"
_HALF: Final = re.compile("[\ud800-\udfff]")


class Apart:
    """Gives the changed names of one object a number where they are no longer different; the others are kept."""

    __slots__ = ("_numbers", "_taken")

    def __init__(self, kept: Iterable[str]) -> None:
        self._taken = set(kept)
        self._numbers: dict[str, int] = {}

    def name(self, name: str) -> str:
        """Return a changed name, with a number behind it when there is one like it."""
        one, number = name, self._numbers.get(name, 1)
        while one in self._taken:
            number += 1
            one = f"{name} ({number})"
        self._numbers[name] = number
        self._taken.add(one)
        return one


def json_spots(text: str) -> list[Spot]:
    """Return the beginnings and ends of the JSON in a text; none when it has none."""
    mark = text.startswith(_BYTE_ORDER_MARK)
    if _is_json(text[mark:]):
        return [(int(mark), len(text))]
    said = spoken(text)
    start = text.rfind(said)
    if 0 < len(said) < len(text) and start >= 0 and _is_json(said):
        return [(start, start + len(said))]
    return [spot for spot in _fenced(text) if _is_json(text[slice(*spot)])] if _FENCE in text else []


def not_crossed(spots: list[Spot], others: Iterable[Spot]) -> list[Spot]:
    """Return those of some ascending spots whose beginning and end lie inside none of the others."""
    edges = [edge for spot in spots for edge in spot]
    crossed: set[int] = set()
    for begin, end in others:
        inside = range(bisect_right(edges, begin), bisect_left(edges, end))
        crossed.update(edge // 2 for edge in inside)
    return [spot for place, spot in enumerate(spots) if place not in crossed]


def outside_strings(text: str, spots: Iterable[Spot]) -> Iterator[Spot]:
    """Yield those of some ascending spots in JSON that lie not wholly in a string."""
    strings = _STRING.finditer(text)
    begin = end = 0
    for spot in spots:
        while end <= spot[0]:
            found = next(strings, None)
            begin, end = found.span(1) if found is not None else (len(text), len(text) + 1)
        if not begin < spot[0] < spot[1] < end:
            yield spot


def with_strings(
    text: str, changed: Callable[[str, str], str], *, marks: re.Pattern[str], spelt: Callable[[str], str]
) -> str:
    """Return JSON in which each string is what `changed` makes of it and of its name, which is empty without one.

    What then stands between its quotation marks is given to `spelt`, for what only looks like JSON, unless there is
    JSON in it; what that returns is taken when it is a string still. Only strings with a mark in them, and those whose
    name has one, are read. What is not changed is the same object.
    """
    pieces: list[str] = []
    renamed: dict[int, tuple[int, str]] = {}
    copied = last = mark = 0
    name = ""
    for found in _STRING.finditer(text):
        start, end = found.span(1)
        mark = _next(marks, text, start) if mark <= start else mark
        named = name if name and not text[last:start].strip() else ""
        name, last = "", found.end()
        if mark >= end and not named:
            continue
        string = _read(found[1])
        clean = changed(string, named)
        piece = found[1] if clean == string else _spelt(clean, like=found[1])
        if (other := _as_it_stands(piece, spelt)) != piece:
            clean, piece = _read(other), other
        name = clean if last > end else ""
        if clean != string:
            pieces += (text[copied:start], piece)
            copied = end
            if name:
                renamed[start] = len(pieces) - 1, clean
    for start, one in _told_apart(text, {start: clean for start, (_, clean) in renamed.items()}):
        index, clean = renamed[start]
        if one != clean:
            pieces[index] = _spelt(one, like=pieces[index])
    return "".join([*pieces, text[copied:]]) if pieces else text


def _as_it_stands(string: str, spelt: Callable[[str], str]) -> str:
    """Return a string of JSON with its spelling changed; as it is when it would be none then, or has JSON in it."""
    clean = f'"{spelt(string[1:-1])}"' if "\\" in string else string
    return clean if clean != string and not json_spots(_read(string)) and _is_json(clean) else string


def _told_apart(text: str, renamed: dict[int, str]) -> Iterator[tuple[int, str]]:
    """Yield what the changed names become, each by the place at which it stood in the JSON."""
    if not renamed:
        return
    kept: dict[int, list[str]] = {}
    changed: dict[int, list[int]] = {}
    objects: list[int] = []
    for found in _TOKEN.finditer(text):
        start = found.start()
        if found[0] == "{":
            objects.append(start)
        elif found[0] == "}":
            del objects[-1:]
        elif found[2] is not None and objects:
            if start in renamed:
                changed.setdefault(objects[-1], []).append(start)
            else:
                kept.setdefault(objects[-1], []).append(found[1])
    for place, starts in changed.items():
        apart = Apart(map(_read, kept.get(place, ())))
        yield from ((start, apart.name(renamed[start])) for start in starts)


def _next(marks: re.Pattern[str], text: str, start: int) -> int:
    found = marks.search(text, start)
    return len(text) if found is None else found.start()


def _fenced(text: str) -> Iterator[Spot]:
    start = 0
    for index, part in enumerate(text.split(_FENCE)):
        end = start + len(part)
        if index % 2:
            yield start + len(part.partition("\n")[0]), end
        start = end + len(_FENCE)


def _is_json(text: str) -> bool:
    inner = text.strip()
    if not inner or _BRACKETS.get(inner[0]) != inner[-1]:
        return False
    try:
        json.loads(text, parse_int=str, parse_float=str)  # no number is too long for that
    except RecursionError:
        return _WORDS.fullmatch(text) is not None
    except ValueError:
        return False
    return True


def _read(spelt: str) -> str:
    return cast("str", json.loads(spelt)) if "\\" in spelt else spelt[1:-1]


def _spelt(string: str, *, like: str) -> str:
    return json.dumps(string, ensure_ascii=like.isascii() or _HALF.search(string) is not None)
