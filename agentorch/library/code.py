"""Code within a document, or a file of it: quoted as it stands, in pieces that a person reads at a glance."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import dedent
from typing import Final

from agentorch.library.passage import Unit
from agentorch.library.sentences import Line

_MOST_LINES: Final = 12
_MOST_CHARACTERS: Final = 560
"""Of a piece that has more than one line."""
_LONGEST_LINE: Final = 2_000
_ONE_EMPTY: Final = 2
"""From a line to the next but one."""


def code_units(lines: Iterable[Line]) -> list[Unit]:
    """Return a block of code, given as its lines, in pieces: cut at empty lines where it is long, else anywhere."""
    pieces: list[list[Line]] = []
    for part in _parts(lines):
        if pieces and _belongs(pieces[-1], part) and _fits([*pieces[-1], *part]):
            pieces[-1] += part
        else:
            pieces += _cut(part)
    return [_unit(piece) for piece in pieces]


def _parts(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the lines between empty ones; lines that are not given count as empty."""
    part: list[Line] = []
    for number, line in _shorter(lines):
        if part and (not line.strip() or number > part[-1][0] + 1):
            yield part
            part = []
        if line.strip():
            part.append((number, line.rstrip()))
    if part:
        yield part


def _shorter(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines, long ones in parts that can be looked through: a minified file is one line."""
    for number, line in lines:
        for at in range(0, len(line), _LONGEST_LINE):
            yield number, line[at : at + _LONGEST_LINE]


def _belongs(piece: Sequence[Line], part: Sequence[Line]) -> bool:
    """Whether a part goes on with what is before it: after one empty line, and set in as far at least."""
    return part[0][0] - piece[-1][0] <= _ONE_EMPTY and depth(part[0][1]) >= depth(piece[0][1])


def depth(line: str) -> int:
    """Return how far a line is set in."""
    return len(line) - len(line.lstrip())


def _cut(part: Sequence[Line]) -> list[list[Line]]:
    pieces: list[list[Line]] = []
    for line in part:
        if pieces and _fits([*pieces[-1], line]):
            pieces[-1].append(line)
        else:
            pieces.append([line])
    return pieces


def _fits(lines: Sequence[Line]) -> bool:
    height = lines[-1][0] - lines[0][0] + 1
    return height <= _MOST_LINES and sum(len(line) + 1 for _, line in lines) <= _MOST_CHARACTERS


def _unit(piece: Sequence[Line]) -> Unit:
    first, last = piece[0][0], piece[-1][0]
    known: dict[int, str] = {}
    for number, line in piece:  # of a line in parts, several may be here
        known[number] = known.get(number, "") + line
    text = dedent("\n".join(known.get(number, "") for number in range(first, last + 1)))
    return Unit(first, last, text, is_code=True)
