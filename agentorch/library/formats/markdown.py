"""Markdown: headings, paragraphs, list items, tables and code, without their marks."""

import re
from collections.abc import Iterator
from typing import Final

from agentorch.library.code import code_units
from agentorch.library.formats.table import record
from agentorch.library.passage import Outline, Section, Unit
from agentorch.library.sentences import Line, sentences

_HEADING: Final = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE: Final = re.compile(r"^ {0,3}(=+|-+)\s*$")
_FENCE: Final = re.compile(r"^\s*(`{3,}(?=[^`]*$)|~{3,})(.*)")
"""Not what is code within a line; behind what ends the code nothing stands."""
_ITEM: Final = re.compile(r"^\s*(?:[-*+]|\d{1,4}[.)])\s+")
_RULE: Final = re.compile(r"^\s*([-*_])(?:\s*\1){2,}\s*$")
_TABLE_RULE: Final = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_MARKS: Final = (
    (re.compile(r"<!--.*?-->"), ""),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"!?\[([^\]]*)\]\[[^\]]*\]"), r"\1"),
    (re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"^\s*(?:>\s?)+"), ""),
    (re.compile(r"</?[a-zA-Z][^<>]{0,200}>"), ""),
)


_MARKED: Final = re.compile(r"[*_`\[<>]")
_CODE: Final = re.compile(r"(`+)(.+?)\1")
_HELD: Final = "\ue000"
"""Stands for a piece of code while the marks around it go."""


def plain(line: str) -> str:
    """Return a line of Markdown without its marks; code keeps its characters."""
    if not _MARKED.search(line):
        return line.strip()
    held = [match[2] for match in _CODE.finditer(line)]
    line = _CODE.sub(_HELD, line)
    for pattern, instead in _MARKS:
        line = pattern.sub(instead, line)
    for code in held:
        line = line.replace(_HELD, code, 1)
    return line.strip()


def read_markdown(text: str) -> Iterator[Section]:
    """Yield a section for each heading that has something under it."""
    return _Markdown(text.splitlines()).sections()


class _Markdown:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.outline = Outline()
        self.units: list[Unit] = []
        self.paragraph: list[Line] = []
        self.fence = ""
        """What began the code that we are in, whose lines are `code`."""
        self.code: list[Line] = []
        self.columns: list[str] | None = None
        """Names of the columns of the table that we are in."""

    def sections(self) -> Iterator[Section]:
        for index, line in enumerate(self.lines):
            fence = _FENCE.match(line)
            if fence and (not self.fence or (fence[1].startswith(self.fence) and not fence[2].strip())):
                self.flush()
                self.fence = "" if self.fence else fence[1]
            elif self.fence:
                self.code.append((index + 1, line))
            else:
                yield from self.prose(index, line)
        yield from self.close()

    def prose(self, index: int, line: str) -> Iterator[Section]:
        heading = _HEADING.match(line)
        underline = _UNDERLINE.match(line) if len(self.paragraph) == 1 else None
        if heading:
            yield from self.close()
            self.outline.enter(len(heading[1]), plain(heading[2]))
        elif underline:
            title = plain(self.paragraph.pop()[1])
            yield from self.close()
            self.outline.enter(1 if "=" in underline[1] else 2, title)
        elif self.columns is not None and "|" in line:
            self.units.append(record(self.columns, _cells(line), index + 1))
        else:
            self.columns = None
            self.text(index, line)

    def text(self, index: int, line: str) -> None:
        if not line.strip() or _RULE.match(line):
            self.flush()
        elif _TABLE_RULE.match(line) and "|" in line and self.paragraph:
            self.columns = _cells(self.paragraph.pop()[1])
            self.flush()
        else:
            if _ITEM.match(line):
                self.flush()
            self.paragraph.append((index + 1, plain(_ITEM.sub("", line)) if "|" not in line else line))

    def flush(self) -> None:
        self.units += [*sentences(self.paragraph), *code_units(self.code)]
        self.paragraph, self.code = [], []

    def close(self) -> Iterator[Section]:
        """End the section."""
        self.flush()
        self.columns = None
        if self.units:
            yield Section(self.outline.trail, self.units)
        self.units = []


def _cells(line: str) -> list[str]:
    return [plain(cell) for cell in line.strip().strip("|").split("|")]
