"""The tasks of a run as a table for a terminal: a line each, two on a narrow one."""

from collections.abc import Callable, Collection
from typing import Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from agentorch.cli.progress import Progress, Row
from agentorch.cli.words import harmless, seconds
from agentorch.core.state import FINAL, Status

_SPIN: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MARKS: Final = {
    Status.PENDING: ("·", "dim"),
    Status.READY: ("·", ""),
    Status.WAITING: ("◦", "yellow"),
    Status.SUCCEEDED: ("✓", "green"),
    Status.FAILED: ("✗", "red"),
    Status.SKIPPED: ("-", "dim"),
    Status.CANCELLED: ("✗", "dim"),
}
_PLAIN: Final = str.maketrans({"·": ".", "◦": "o", "✓": "+", "✗": "x", "↳": "<", "…": "."})
_NARROW: Final = 60
"""Columns below which what a task waits for stands on a line of its own."""
_TASK, _AGENT = 15, 12
"""Letters of a task and of its agent that are shown on such a terminal."""
_SPARE_LINES: Final = 4
_FRAMES_A_SECOND: Final = 8


class TaskTable:
    """Draws what a `Progress` knows, as wide as `console` is."""

    def __init__(self, console: Console, progress: Progress, *, clock: Callable[[], float]) -> None:
        self._console = console
        self._progress = progress
        self._clock = clock
        self._unicode = (console.encoding or "").lower().startswith("utf")

    def drawn(self, *, last: bool, only: Collection[Status] = frozenset(Status), below: int = 0) -> RenderableType:
        """Return the table as it stands, with tasks of the statuses `only`; the last one has no line on the run.

        It leaves `below` lines of the terminal free.
        """
        now = self._clock()
        rows = [row for row in self._progress.rows(now) if row.status in only]
        narrow = self._console.width < _NARROW
        room = max(3, (self._console.height - _SPARE_LINES - below) // (2 if narrow else 1))
        kept = _most_telling(rows, room)
        outer = Table.grid()
        if narrow:
            for row in kept:
                self._add_narrow(outer, row, now)
        else:
            outer.add_row(self._wide(kept, now))
        left = len(rows) - len(kept)
        if left:
            outer.add_row(Text(f"  and {left} more", style="dim"))
        if not last:
            outer.add_row(self._foot(now))
        return outer

    def _wide(self, rows: list[Row], now: float) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, width=1)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=28)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=20, style="dim")
        table.add_column(no_wrap=True, justify="right", min_width=5)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1, style="dim")
        table.expand = True
        for row in rows:
            mark, task, agent, elapsed, note = self._cells(row, now)
            table.add_row(mark, task, agent, elapsed, note)
        return table

    def _add_narrow(self, table: Table, row: Row, now: float) -> None:
        """Add a line with state, task, agent and time, and one with what there is to say."""
        mark, task, agent, elapsed, note = self._cells(row, now)
        for cell, width in ((task, _TASK), (agent, _AGENT)):
            cell.truncate(width, overflow="ellipsis", pad=True)
        agent.stylize("dim")
        table.add_row(Text.assemble(mark, " ", task, " ", agent, " ", elapsed))
        if note:
            note.stylize("dim")
            line = Text.assemble("  ", note)
            line.truncate(self._console.width - 1, overflow="ellipsis")
            table.add_row(line)

    def _cells(self, row: Row, now: float) -> tuple[Text, Text, Text, Text, Text]:
        mark, style = _MARKS.get(row.status, (self._spin(now), "cyan"))
        elapsed = "" if row.elapsed is None else seconds(row.elapsed)
        note_style = "red" if row.status is Status.FAILED else ""
        return (
            self._text(mark, style),
            self._text(row.task),
            self._text(row.agent),
            self._text(elapsed),
            self._text(row.note, note_style),
        )

    def _foot(self, now: float) -> Text:
        progress = self._progress
        total = len(progress.state.tasks)
        done = f" {progress.done}/{total} tasks" if total else ""
        since = f" {seconds(max(0.0, now - progress.state.started))}" if progress.state.started else ""
        return self._text(f"{self._spin(now)} {progress.phase}{done}{since}", "dim")

    def _spin(self, now: float) -> str:
        return _SPIN[int(now * _FRAMES_A_SECOND) % len(_SPIN)] if self._unicode else "*"

    def _text(self, text: str, style: str = "") -> Text:
        plain = harmless(text)
        return Text(plain if self._unicode else plain.translate(_PLAIN), style=style)


def _most_telling(rows: list[Row], room: int) -> list[Row]:
    """Return the rows that fit, in plan order: what runs or waits first, then what went wrong, then what comes."""
    if len(rows) <= room:
        return rows
    order = {Status.RUNNING: 0, Status.WAITING: 0, Status.FAILED: 1, Status.READY: 2, Status.PENDING: 3}
    ranked = sorted(range(len(rows)), key=lambda index: (order.get(rows[index].status, 4), index))
    finals = [index for index in ranked if rows[index].status in FINAL]
    chosen = ranked[:room] if len(finals) < len(rows) else ranked[-room:]
    return [rows[index] for index in sorted(chosen)]
