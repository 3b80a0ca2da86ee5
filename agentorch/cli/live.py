"""A table that lives on the terminal: a line a task, drawn again as things happen."""

import importlib
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from agentorch.cli.progress import Progress, Row
from agentorch.cli.screen import Screen
from agentorch.cli.words import harmless, seconds
from agentorch.core.events import Event
from agentorch.core.state import FINAL, Status

termios: Any = importlib.import_module("termios") if find_spec("termios") else None  # not on Windows
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


class LiveTable:
    """Draws on stderr; what is drawn last stays."""

    def __init__(self, screen: Screen, progress: Progress, *, clock: Callable[[], float]) -> None:
        self._screen = screen
        self._console: Console = screen.words
        self._progress = progress
        self._clock = clock
        self._unicode = (self._console.encoding or "").lower().startswith("utf")
        self._live: Live | None = None
        """None while somebody else writes on the terminal."""
        self._terminal: list[Any] | None = None

    def __enter__(self) -> Self:
        self.go_on()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()
        if self._screen.shows_data:
            self._console.print()

    def pause(self) -> None:
        """Leave the table as it is; draw no more."""
        if self._live is None:
            return
        live, self._live = self._live, None
        live.update(self._table(last=True), refresh=True)
        live.stop()
        if self._terminal is not None:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self._terminal)

    def go_on(self) -> None:
        """Draw below what stands there now."""
        self._terminal = _without_echo_of_controls()
        self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=True)
        self._live.start()

    def show(self, event: Event) -> None:
        """Take the event in; it is seen at the next tick."""
        self._progress.see(event)

    def tick(self) -> None:
        """Draw."""
        if self._live is not None:
            self._live.update(self._table(last=False), refresh=True)

    def _table(self, *, last: bool) -> RenderableType:
        now = self._clock()
        rows = list(self._progress.rows(now))
        narrow = self._console.width < _NARROW
        room = max(3, (self._console.height - _SPARE_LINES) // (2 if narrow else 1))
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


def _without_echo_of_controls() -> list[Any] | None:
    """Keep Ctrl-C from writing ^C into the table; return the terminal's settings, to be put back."""
    if termios is None or not sys.stdin.isatty():
        return None
    kept = termios.tcgetattr(sys.stdin)
    quiet = termios.tcgetattr(sys.stdin)
    quiet[3] &= ~termios.ECHOCTL
    termios.tcsetattr(sys.stdin, termios.TCSANOW, quiet)
    return kept


def _most_telling(rows: list[Row], room: int) -> list[Row]:
    """Return the rows that fit, in plan order: what runs or waits first, then what went wrong, then what comes."""
    if len(rows) <= room:
        return rows
    order = {Status.RUNNING: 0, Status.WAITING: 0, Status.FAILED: 1, Status.READY: 2, Status.PENDING: 3}
    ranked = sorted(range(len(rows)), key=lambda index: (order.get(rows[index].status, 4), index))
    finals = [index for index in ranked if rows[index].status in FINAL]
    chosen = ranked[:room] if len(finals) < len(rows) else ranked[-room:]
    return [rows[index] for index in sorted(chosen)]
