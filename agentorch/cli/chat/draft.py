"""The answer as it is being written: its Markdown, a screenful of its end.

What is whole is rendered once, and only the end of what is not: a piece of text costs the same however long the answer.
"""

import re
from collections import deque
from collections.abc import Callable
from typing import Final

from agentorch.cli.words import harmless

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_MOST: Final = 200
"""Lines that are kept: more than terminals show."""

Render = Callable[[str], list[str]]
"""Returns Markdown as the lines of a terminal."""


class Draft:
    """Text that grows."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self.clear()

    def clear(self) -> None:
        """Forget it all."""
        self._key = ""
        self._pieces: list[str] = []
        self._line = ""
        """What has no end yet."""
        self._block: deque[str] = deque(maxlen=_MOST)
        """Lines of the block that is not whole."""
        self._opened = ""
        """The line that opened the fence which we are in."""
        self._closed: deque[str] = deque(maxlen=_MOST)
        """Rendered lines of what is whole."""

    @property
    def text(self) -> str:
        """All that was written."""
        return "".join(self._pieces)

    def add(self, key: str, text: str) -> None:
        """Take in a piece of what the dispatch `key` says; another one's begins anew."""
        if key != self._key:
            self.clear()
            self._key = key
        self._pieces.append(text)
        *lines, self._line = (self._line + harmless(text)).split("\n")
        for line in lines:
            self._take(line)

    def lines(self, most: int) -> list[str]:
        """Return at most so many lines, those of the end."""
        if not self._key:
            return []
        is_cut = self._opened and self._opened not in self._block
        block = "\n".join([*([self._opened] if is_cut else []), *self._block, self._line])
        return [*self._closed, *(self._render(block) if block.strip() else [])][-most:]

    def _take(self, line: str) -> None:
        """Take in a line that is whole: a blank one ends a block, but not in a fence."""
        fence = _FENCE.match(line)
        if not self._opened and not line.strip():
            if any(one.strip() for one in self._block):
                self._closed.extend([*self._render("\n".join(self._block)), ""])
            self._block.clear()
            return
        self._block.append(line)
        if fence is not None and not self._opened:
            self._opened = line
        elif fence is not None and self._ends(fence[1], line):
            self._opened = ""

    def _ends(self, marks: str, line: str) -> bool:
        opened = _FENCE.match(self._opened)
        assert opened is not None
        return marks[0] == opened[1][0] and len(marks) >= len(opened[1]) and not line.strip().strip(marks[0])
