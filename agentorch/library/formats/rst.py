"""reStructuredText: headings by their underlines, paragraphs, list items, literal text, without the marks."""

import re
from collections.abc import Iterator
from typing import Final

from agentorch.library.code import code_units, depth
from agentorch.library.passage import Outline, Section, Unit
from agentorch.library.sentences import Line, sentences

_ADORNMENT: Final = re.compile(r"^([=\-`:'\"~^_*+#<>.])\1{2,}\s*$")
_ITEM: Final = re.compile(r"^\s*(?:[-*+\u2022]|\(?(?:\d{1,4}|#)[.)])\s+")
_DIRECTIVE: Final = re.compile(r"^\s*\.\.\s+(?:[\w:-]+::\s*)?")
_CODE: Final = re.compile(r"^\s*\.\.\s+(?:code|code-block|sourcecode|highlight|prompt|doctest|parsed-literal)::")
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
    return _Rst(text.splitlines()).sections()


class _Rst:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.outline = Outline()
        self.levels: dict[str, int] = {}
        self.units: list[Unit] = []
        self.paragraph: list[Line] = []
        self.code: list[Line] = []
        self.announced: int | None = None
        """How far the line is set in that says that code follows: what is set in further is code."""

    def sections(self) -> Iterator[Section]:
        for index, line in enumerate(self.lines):
            if self.announced is not None and (not line.strip() or depth(line) > self.announced):
                if self.code or not _OPTION.match(line):
                    self.code.append((index + 1, line))
            else:
                yield from self.prose(index, line)
        yield from self.close()

    def prose(self, index: int, line: str) -> Iterator[Section]:
        if self.announced is not None:
            self.flush()
        mark = _heading_mark(self.lines, index)
        if mark:
            yield from self.close()
            self.outline.enter(self.levels.setdefault(mark, len(self.levels) + 1), _plain(line))
        elif not line.strip() or _ADORNMENT.match(line) or _OPTION.match(line):
            self.flush()
        else:
            self.text(index + 1, line)

    def text(self, number: int, line: str) -> None:
        """Add a line to the paragraph; an item or a directive begins a new one."""
        is_directive = _DIRECTIVE.match(line) is not None
        if is_directive or _ITEM.match(line):
            self.flush()
        is_code = _CODE.match(line) is not None
        text = "" if is_code else _plain(_DIRECTIVE.sub("", _ITEM.sub("", line)))
        if text:
            self.paragraph.append((number, text))
        if is_code or (not is_directive and line.rstrip().endswith("::")):
            self.announced = depth(line)

    def flush(self) -> None:
        self.units += [*sentences(self.paragraph), *code_units(self.code)]
        self.paragraph, self.code, self.announced = [], [], None

    def close(self) -> Iterator[Section]:
        """End the section."""
        self.flush()
        if self.units:
            yield Section(self.outline.trail, self.units)
        self.units = []


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
