"""A chat in a pipe, or on a terminal that does not move its cursor: a line is something to say, an answer is text."""

import os
import sys
from types import TracebackType
from typing import Self

from agentorch.cli.carrying import Carried, Foreground, Interrupts, carry_out
from agentorch.cli.chat.front import Begin, Beside
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.runtime.orchestrator import Orchestrator


class PlainFront:
    """Reads stdin line by line; a run in the foreground is shown, stopped and asked about as `agentorch run` does."""

    def __init__(self, setup: Setup, *, json: bool, quiet: bool) -> None:
        self.screen = Screen()
        self._how = Foreground(self.screen, setup.only("--journal"), json=json, quiet=quiet)
        self._read = bytearray()
        self._is_over = False
        self._has_warned = False
        """Whether Ctrl-C was the last key at the terminal, and what a second one does has been said."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def typed(self) -> str | None:
        """Return the next line; None at the end of the input, or after Ctrl-C, which a terminal says twice."""
        while b"\n" not in self._read and not self._is_over:
            piece = await self._piece()
            self._is_over = not piece if piece is not None else not self._goes_on()
            self._read += piece or b""
        self._has_warned = False
        line, found, rest = bytes(self._read).partition(b"\n")
        self._read = bytearray(rest)
        return line.decode(errors="replace").rstrip("\r") if line or found else None

    async def _piece(self) -> bytes | None:
        """Return what is read next, nothing at the end of the input; None when it was interrupted."""
        from agentorch.cli.typed import read_in_thread, read_line

        if is_at_terminal := sys.stdin.isatty():
            sys.stderr.write("> ")
            sys.stderr.flush()
        with Interrupts() as interrupts:
            return await interrupts.unless((read_line if is_at_terminal else read_in_thread)(sys.stdin.fileno()))

    def _goes_on(self) -> bool:
        """Whether a line is awaited after Ctrl-C: the terminal has dropped what was typed of one."""
        goes_on = sys.stdin.isatty() and not self._has_warned
        if goes_on:
            self._has_warned = True
            sys.stderr.write("\n")
            self.screen.dim("Ctrl-C once more, or Ctrl-D, leaves")
        return goes_on

    def put_back(self, text: str) -> None:
        """There is no line to mend."""

    async def edit(self, text: str, *, suffix: str) -> str | None:
        """There is no editor."""
        del text, suffix
        return None

    async def carry(self, orchestrator: Orchestrator, begin: Begin, beside: Beside) -> Carried:
        """Carry it out as `agentorch run` does."""
        del beside
        return await carry_out(orchestrator, begin, self._how)


def is_lively() -> bool:
    """Whether somebody sits at a terminal on which a line can be edited."""
    return sys.stdin.isatty() and sys.stderr.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}
