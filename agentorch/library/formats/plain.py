"""Plain text: paragraphs between blank lines."""

from collections.abc import Iterator
from typing import Final

from agentorch.library.passage import Section, Unit
from agentorch.library.sentences import Line, sentences

_LONGEST_TITLE: Final = 80


def read_plain(text: str) -> Iterator[Section]:
    """Yield one section of all sentences; a short first line that stands alone is its heading."""
    units: list[Unit] = []
    paragraph: list[Line] = []
    title = title_of(text)
    for number, line in enumerate(text.splitlines(), 1):
        if title and not units and not paragraph and line.strip() == title:
            continue
        if line.strip() and not _starts_anew(line):
            paragraph.append((number, line))
            continue
        units.extend(sentences(paragraph))
        paragraph = [(number, line)] if line.strip() else []
    units.extend(sentences(paragraph))
    if units:
        yield Section(title, units)


def title_of(text: str) -> str:
    """Return the short first line that stands alone, or nothing."""
    first, _, rest = text.lstrip().partition("\n")
    below = rest.split("\n", 1)[0].strip()
    alone = not below or not any(character.isalnum() for character in below)
    is_title = 0 < len(first.strip()) <= _LONGEST_TITLE and not first.rstrip().endswith((".", ",", ";", "?"))
    return first.strip() if alone and is_title and rest.strip() else ""


def _starts_anew(line: str) -> bool:
    """Whether a line is an item of a list."""
    return line.lstrip().startswith(("- ", "* ", "\u2022 "))
