"""The answer as it is being written: its Markdown, a screenful of its end."""

from collections.abc import Callable
from typing import Final

from agentorch.cli.words import harmless

_FENCE: Final = "```"

Render = Callable[[str], list[str]]
"""Returns Markdown as the lines of a terminal."""


class Draft:
    """Text that grows; what is whole in it is rendered once."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self._key = ""
        self._open = ""
        """What is not whole yet: the last block."""
        self._closed: list[str] = []
        """Lines of what is."""

    def add(self, key: str, text: str) -> None:
        """Take in a piece of what the dispatch `key` says; another one's begins anew."""
        if key != self._key:
            self.clear()
            self._key = key
        self._open += harmless(text)
        whole, self._open = _split(self._open)
        if whole:
            self._closed += [*self._render(whole), ""]

    def clear(self) -> None:
        """Forget it all."""
        self._key, self._open, self._closed = "", "", []

    def lines(self, most: int) -> list[str]:
        """Return at most so many lines, those of the end."""
        if not self._key:
            return []
        return [*self._closed, *(self._render(self._open) if self._open.strip() else [])][-most:]


def _split(text: str) -> tuple[str, str]:
    """Return the blocks that are whole, and what comes after them: a blank line ends a block, but not in a fence."""
    end = 0
    inside = False
    at = 0
    for line in text.splitlines(keepends=True):
        at += len(line)
        if line.lstrip().startswith(_FENCE):
            inside = not inside
        if not line.strip() and line.endswith("\n") and not inside:
            end = at
    return text[:end], text[end:]
