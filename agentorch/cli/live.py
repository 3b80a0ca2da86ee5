"""A table that lives on the terminal: a line a task, drawn again as things happen."""

import importlib
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live

from agentorch.cli.progress import Progress
from agentorch.cli.screen import Screen
from agentorch.cli.task_table import TaskTable
from agentorch.core.events import Event

termios: Any = importlib.import_module("termios") if find_spec("termios") else None  # not on Windows


class LiveTable:
    """Draws on stderr; what is drawn last stays."""

    def __init__(self, screen: Screen, progress: Progress, *, clock: Callable[[], float]) -> None:
        self._screen = screen
        self._console: Console = screen.words
        self._progress = progress
        self._table = TaskTable(self._console, progress, clock=clock)
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
        live.update(self._table.drawn(last=True), refresh=True)
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
            self._live.update(self._table.drawn(last=False), refresh=True)


def _without_echo_of_controls() -> list[Any] | None:
    """Keep Ctrl-C from writing ^C into the table; return the terminal's settings, to be put back."""
    if termios is None or not sys.stdin.isatty():
        return None
    kept = termios.tcgetattr(sys.stdin)
    quiet = termios.tcgetattr(sys.stdin)
    quiet[3] &= ~termios.ECHOCTL
    termios.tcsetattr(sys.stdin, termios.TCSANOW, quiet)
    return kept
