"""Reads a drawing of rails back: which row needs which, told from its characters alone."""

from collections.abc import Iterator, Sequence
from typing import Final

_BEADS: Final = "○●o*"
_FROM_ABOVE: Final = "│|├┤┼+╰╯┴'" + _BEADS
"""What a rail goes on into."""
_TAKING: Final = "├┤┼+╰╯┴'"
_ENDING: Final = "╰╯┴'"
_LINES: Final = "─-"


def edges(rows: Sequence[str]) -> set[tuple[int, int]]:
    """Return the pairs of rows, from the one that gives to the one that needs."""
    wide = max((len(row) for row in rows), default=0) + 2
    grid = [row.ljust(wide) for row in rows]
    beads = [_bead(row) for row in grid]
    return {(index, taker) for index, bead in enumerate(beads) for taker in _takers(grid, beads, index, bead)}


def _bead(row: str) -> int:
    (found,) = [column for column, letter in enumerate(row) if letter in _BEADS]
    assert found % 2 == 0
    return found


def _takers(grid: Sequence[str], beads: Sequence[int], index: int, column: int) -> Iterator[int]:
    for below in range(index + 1, len(grid)):
        letter = grid[below][column]
        if letter not in _FROM_ABOVE:
            return
        if letter in _TAKING:
            _assert_connected(grid[below], column, beads[below])
            yield below
        if letter in _ENDING:
            return


def _assert_connected(row: str, column: int, bead: int) -> None:
    low, high = sorted((column, bead))
    assert {row[between] for between in range(low + 1, high, 2)} <= set(_LINES), f"no line to the bead: {row!r}"
    assert " " not in row[low:high], f"a gap in the line: {row!r}"
