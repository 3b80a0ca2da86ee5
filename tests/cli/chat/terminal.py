"""A chat on a real terminal: keys are sent, and the screen is read as a person sees it."""

import json
import os
import signal
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Self

import pexpect
import pyte

from tests.cli.test_processes import RUN, WAIT, run

UP, DOWN, TAB, ENTER, ESCAPE = "\x1b[A", "\x1b[B", "\t", "\r", "\x1b"
CTRL_C, CTRL_D, CTRL_J, CTRL_R = "\x03", "\x04", "\n", "\x12"


class Terminal:
    """The process, and what stands on its terminal; what has scrolled away is kept above."""

    def __init__(
        self, *arguments: str, columns: int = 90, rows: int = 40, stdout: Path | None = None, **environment: str
    ):
        command = [*RUN, "chat", *arguments]
        if stdout is not None:
            command = ["sh", "-c", 'exec "$@" >"$OUT"', "sh", *command]
        variables = {**os.environ, "TERM": "xterm-256color", "OUT": str(stdout), **environment}
        for name in ("COLUMNS", "LINES", "PYTHONUNBUFFERED"):
            variables.pop(name, None)
        self._screen: Any = _TmuxScreen(columns, rows, history=5000, ratio=0.5)
        self._screen.write_process_input = self._reply
        self._stream: Any = pyte.ByteStream(self._screen)
        self._child: Any = pexpect.spawn(
            command[0],
            command[1:],
            timeout=WAIT,
            dimensions=(rows, columns),
            env=variables,  # pyright: ignore[reportArgumentType]
        )
        self.raw = b""
        """All that was written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.close(force=True)

    def keys(self, text: str) -> Self:
        """Press keys."""
        self._child.send(text)
        return self

    def say(self, text: str) -> Self:
        """Type a line, and Enter, once it stands there whole: a person sees what they type."""
        self.keys(text)
        last = text.splitlines()[-1][-20:]
        self.wait(lambda: last in self.screen, f"{last!r} typed")
        return self.keys(ENTER)

    def expect(self, text: str, *, times: int = 1) -> Self:
        """Wait until the screen, or what scrolled away, holds `text` so often."""
        self.wait(lambda: self.text.count(text) >= times, repr(text))
        return self

    def wait(self, condition: Callable[[], bool], words: str) -> None:
        """Wait until something is so; what stands on the screen is said when it is not in time."""
        until = time.monotonic() + WAIT
        while not condition():
            if time.monotonic() > until:
                raise AssertionError(f"not seen: {words}\n{self.text}")
            self._read()

    def left(self) -> int:
        """Wait until the process has ended; return its exit code."""
        self._child.expect(pexpect.EOF)
        self._feed(self._child.before or b"")
        self._child.close()
        return int(self._child.exitstatus if self._child.exitstatus is not None else -(self._child.signalstatus or 0))

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._child.kill(signal.SIGKILL)
        self._child.wait()

    @property
    def screen(self) -> str:
        """What is seen now."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    @property
    def text(self) -> str:
        """The same below what has scrolled away."""
        above = [
            "".join(row[column].data for column in range(self._screen.columns)) for row in self._screen.history.top
        ]
        return "\n".join([*(line.rstrip() for line in above), self.screen])

    def _read(self) -> None:
        try:
            self._feed(self._child.read_nonblocking(65536, timeout=0.05))
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            time.sleep(0.05)

    def _feed(self, data: bytes) -> None:
        self.raw += data
        self._stream.feed(data)

    def _reply(self, data: str) -> None:
        self._child.send(data)


class _TmuxScreen(pyte.HistoryScreen):
    """Keeps what is erased from the first cell on, as tmux does."""

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        if how == 0 and (self.cursor.x, self.cursor.y) == (0, 0):
            used = max((row for row, line in enumerate(self.display) if line.strip()), default=-1)
            self.history.top.extend(deepcopy(self.buffer[row]) for row in range(used + 1))
        super().erase_in_display(how, *args, **kwargs)


def chat(*arguments: str, **how: object) -> Terminal:
    return Terminal(*arguments, **how).expect("/help")  # pyright: ignore[reportArgumentType]


def runs(*arguments: str) -> list[dict[str, object]]:
    """Return the runs of the journal, oldest first."""
    said = run("runs", "ls", "--json", *arguments)
    return [json.loads(line) for line in said.stdout.splitlines()][::-1]
