"""How far a long command is, on stderr: one line that is drawn over on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import Final

from agentorch.cli.screen import Screen

_OFTEN: Final = 0.2
"""Seconds between two drawings on a terminal."""
_SELDOM: Final = 5.0
"""Seconds between two lines elsewhere; what ends sooner says nothing."""


class Meter:
    """Says "checked 12,000 of 90,000 events"."""

    def __init__(self, screen: Screen, what: str, *, noun: str = "events") -> None:
        self._screen = screen
        self._what = what
        self._noun = noun
        self._draws = screen.draws
        self._last = time.monotonic()
        self._drawn = False

    def __call__(self, done: int, of: int) -> None:
        """Say it, if it is time; `of` is 0 when nobody knows."""
        now = time.monotonic()
        if now - self._last < (_OFTEN if self._draws else _SELDOM):
            return
        self._last = now
        words = f"{self._what} {done:,}" + (f" of {of:,}" if of else "") + f" {self._noun}"
        if self._draws:
            sys.stderr.write(f"\r\x1b[2K{words}")
            sys.stderr.flush()
            self._drawn = True
        else:
            self._screen.say(words)

    def end(self) -> None:
        """Take the line away."""
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
