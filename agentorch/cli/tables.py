"""Columns of text on stdout: as wide as they are, the last one cut to the terminal's width."""

import shutil
import sys
from collections.abc import Sequence

from agentorch.cli.screen import Screen
from agentorch.cli.words import one_line

_GAP = "  "


def columns(screen: Screen, rows: Sequence[Sequence[str]], *, head: Sequence[str]) -> None:
    """Write rows under a head; on a terminal each takes one line."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns
        screen.out.print(_line(head, _widths([head, *clean]), room), style="dim")
    else:
        room = None
    widths = _widths([head, *clean] if room else clean)
    for row in clean:
        screen.data(_line(row, widths, room))


def spoken(screen: Screen, rows: Sequence[Sequence[str]], *, head: Sequence[str] = ()) -> None:
    """Write rows as words, on stderr, a line each on a terminal."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    room = screen.words.width if screen.draws else None
    widths = _widths([head, *clean] if head else clean)
    if head:
        screen.say(_line(head, widths, room), "dim", whole=True)
    for row in clean:
        screen.say(_line(row, widths, room), whole=True)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]


def _line(row: Sequence[str], widths: Sequence[int], room: int | None) -> str:
    *first, last = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
    line = _GAP.join([*first, last.rstrip()]).rstrip()
    return line if room is None or len(line) <= room else line[: room - 1] + "…"
