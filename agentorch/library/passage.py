"""What a file becomes: units of text that know their lines, in sections that know their headings, in passages."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

LONGEST_PASSAGE: Final = 110
"""Words of a passage; a longer unit is a passage by itself."""


class Field(NamedTuple):
    """One named value of a record."""

    line: int
    name: str
    value: str


class Unit(NamedTuple):
    """The least that is cited: a sentence, a list item, a row, a record, a piece of code."""

    line: int
    """Its first line, counted from 1; a page in a PDF."""
    end: int
    """Its last line."""
    text: str
    fields: tuple[Field, ...] = ()
    """The parts of a record, when it has several lines."""
    is_code: bool = False
    """Its lines mean something as they stand."""


class Section(NamedTuple):
    """Units under one heading."""

    heading: str
    """The headings that lead here, outermost first, joined by " > "; may be empty."""
    units: Sequence[Unit]


class Passage(NamedTuple):
    """A few neighbouring units."""

    heading: str
    units: tuple[Unit, ...]

    @property
    def text(self) -> str:
        """The text of all units."""
        return "\n".join(unit.text for unit in self.units)


def passages(sections: Iterable[Section]) -> Iterator[Passage]:
    """Cut sections into passages of a few lines."""
    for section in sections:
        taken: list[Unit] = []
        size = 0
        for unit in section.units:
            length = len(unit.text.split())
            if taken and size + length > LONGEST_PASSAGE:
                yield Passage(section.heading, tuple(taken))
                taken, size = [], 0
            taken.append(unit)
            size += length
        if taken:
            yield Passage(section.heading, tuple(taken))


class Outline:
    """The headings above the current place of a document."""

    def __init__(self, first: str = "") -> None:
        self._titles: list[tuple[int, str]] = [(0, first)] if first else []

    def enter(self, level: int, title: str) -> None:
        """Begin a section: headings of this level and below are over."""
        self._titles = [(other, text) for other, text in self._titles if other < level]
        self._titles.append((level, title))

    @property
    def trail(self) -> str:
        """The headings, outermost first."""
        return " > ".join(text for _, text in self._titles if text)
