"""reStructuredText: headings by their underlines, paragraphs, list items, literal text, without the marks."""

import re
from collections.abc import Iterator
from typing import Final

from agentorch.library.passage import Outline, Section, Unit
from agentorch.library.sentences import Line, sentences

_ADORNMENT: Final = re.compile(r"^([=\-`:'\"~^_*+#<>.])\1{2,}\s*$")
_ITEM: Final = re.compile(r"^\s*(?:[-*+\u2022]|\(?(?:\d{1,4}|#)[.)])\s+")
_DIRECTIVE: Final = re.compile(r"^\s*\.\.\s+(?:[\w:-]+::\s*)?")
_OPTION: Final = re.compile(r"^\s+:[\w-]+:(?:\s|$)")
_MARKS: Final = (
    (re.compile(r"``([^`]+)``"), r"\1"),
    (re.compile(r":[\w:.+-]+:`~?([^`<]+?)(?:\s*<[^>]*>)?`"), r"\1"),
    (re.compile(r"`([^`<]+?)(?:\s*<[^>]*>)?`_{0,2}"), r"\1"),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"::$"), ":"),
)


def read_rst(text: str) -> Iterator[Section]:
    """Yield a section for each heading that has something under it."""
    lines = text.splitlines()
    outline = Outline()
    levels: dict[str, int] = {}
    units: list[Unit] = []
    paragraph: list[Line] = []
    for index, line in enumerate(lines):
        mark = _heading_mark(lines, index)
        if mark:
            units.extend(sentences(paragraph))
            if units:
                yield Section(outline.trail, units)
            units, paragraph = [], []
            outline.enter(levels.setdefault(mark, len(levels) + 1), _plain(line))
        elif not line.strip() or _ADORNMENT.match(line) or _OPTION.match(line):
            units.extend(sentences(paragraph))
            paragraph = []
        else:
            paragraph = _taken(index + 1, line, paragraph, units)
    units.extend(sentences(paragraph))
    if units:
        yield Section(outline.trail, units)


def _taken(number: int, line: str, paragraph: list[Line], units: list[Unit]) -> list[Line]:
    """Add a line to the paragraph; an item or a directive begins a new one."""
    if _ITEM.match(line) or _DIRECTIVE.match(line):
        units.extend(sentences(paragraph))
        paragraph = []
    text = _plain(_DIRECTIVE.sub("", _ITEM.sub("", line)))
    return [*paragraph, (number, text)] if text else paragraph


def _heading_mark(lines: list[str], index: int) -> str:
    """Return the character that underlines the line (twice when it is overlined, too), or nothing."""
    title = lines[index].strip()
    if not title or index + 1 >= len(lines) or _ADORNMENT.match(lines[index]):
        return ""
    below = _ADORNMENT.match(lines[index + 1])
    above = _ADORNMENT.match(lines[index - 1]) if index else None
    if below is None or len(lines[index + 1].rstrip()) < min(len(title), 4):
        return ""
    if above is None and index and lines[index - 1].strip():
        return ""  # the foot of a paragraph, or a table
    return below[1] * (2 if above else 1)


def _plain(line: str) -> str:
    for pattern, instead in _MARKS:
        line = pattern.sub(instead, line)
    return line.strip()
