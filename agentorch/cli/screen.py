"""Where a command's data and words go: data on stdout, words on stderr, styled only on terminals."""

import os
import shutil
import sys
import textwrap
from contextlib import suppress
from functools import cached_property
from typing import Any, Final, NamedTuple, TextIO

from agentorch.cli.words import harmless, json_text, one_line

_SET_IN: Final = 2
"""Columns before somebody else's words."""


class Sheet(NamedTuple):
    """What text is laid out on."""

    width: int | None = None
    """Columns of the terminal; None where lines may be as long as they are."""
    unicode: bool = True
    """Whether it takes more than ASCII."""


class Screen:
    """stdout and stderr of one command."""

    def __init__(self) -> None:
        # Kept from now on: what agents print while they run must not come between the data.
        self._data = sys.stdout

    @cached_property
    def out(self) -> Any:
        """A rich `Console` for styled data on stdout; loading it takes longer than what most commands do."""
        from rich.console import Console

        return Console(file=self._data, highlight=False, soft_wrap=True, markup=False, emoji=False)

    @cached_property
    def words(self) -> Any:
        """A rich `Console` for styled words on stderr."""
        from rich.console import Console

        return Console(stderr=True, highlight=False, markup=False, emoji=False)

    @property
    def draws(self) -> bool:
        """Whether words can be drawn over: stderr is a terminal that moves its cursor."""
        return sys.stderr.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}

    @property
    def asks(self) -> bool:
        """Whether a person is there to be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def data_sheet(self) -> Sheet:
        """What `data` writes on."""
        width = shutil.get_terminal_size().columns if self.shows_data else None
        return Sheet(width, _takes_unicode(self._data))

    @property
    def words_sheet(self) -> Sheet:
        """What `say` and `lines` write on."""
        return Sheet(self.words.width if self.draws else None, _takes_unicode(sys.stderr))

    def data(self, text: str) -> None:
        """Write a line, or several, on stdout."""
        self._data.write(_in(self._data, harmless(text)) + "\n")

    def fact(self, head: str, text: str) -> None:
        """Write `head` and a line of text on stdout; on a terminal the text is wrapped beside the head."""
        line = head + one_line(text)
        width = shutil.get_terminal_size().columns
        if self._data.isatty() and len(line) > width > 2 * len(head):
            indent = " " * len(head)
            line = textwrap.fill(line, width, subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True)
        self.data(line.rstrip())

    @property
    def shows_data(self) -> bool:
        """Whether stdout is a terminal."""
        return self._data.isatty()

    def json(self, value: Any, *, indent: int | None = 2) -> None:
        """Write a JSON value on stdout, at once."""
        self._data.write(_in(self._data, json_text(value, indent=indent)) + "\n")
        self._data.flush()

    def prose(self, text: str) -> None:
        """Write what an agent wrote on stdout: on a terminal Markdown is rendered and words are kept whole."""
        if self._data.isatty() and _is_markdown(text):
            from agentorch.cli.markdown import rendered  # 0.1 s: only when there is Markdown

            self.out.print(rendered(text), soft_wrap=False)
        elif self._data.isatty():
            from rich.text import Text

            self.out.print(Text(_in(self._data, harmless(text))), soft_wrap=False)
        else:
            self.data(text)

    def say(self, text: str, style: str = "", *, whole: bool = False) -> None:
        """Write a line of words on stderr; what is to be copied is written `whole`, without line breaks of ours.

        It is one line whatever stands in it: nobody's text can say a line of ours. Words that cannot be written, on a
        full disk, are lost, and nothing ends for it.
        """
        from rich.text import Text

        line = " ".join(harmless(text).splitlines())
        with suppress(OSError):
            self.words.print(Text(_in(sys.stderr, line), style=style), soft_wrap=whole or not self.draws)

    def lines(self, text: str, style: str = "") -> None:
        """Write several lines of words on stderr."""
        for line in text.splitlines():
            self.say(line, style)

    def quote(self, text: str) -> None:
        """Write what somebody else says, set in from our own words, however many lines it has."""
        from rich.padding import Padding
        from rich.text import Text

        for line in harmless(text).splitlines() or [""]:
            shown = Text(_in(sys.stderr, line))
            with suppress(OSError):
                if self.draws:
                    self.words.print(Padding(shown, (0, 0, 0, _SET_IN), expand=False))
                else:
                    self.words.print(Text(" " * _SET_IN) + shown, soft_wrap=True)

    def dim(self, text: str) -> None:
        """Write a line of small print on stderr."""
        self.say(text, "dim")


def _in(stream: TextIO, text: str) -> str:
    """Return the text with "?" for what the encoding lacks: a word that cannot be shown is no reason to end."""
    return text if _takes_unicode(stream) else text.encode(stream.encoding, "replace").decode(stream.encoding)


def _takes_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "utf-8").lower().startswith("utf")


def _is_markdown(text: str) -> bool:
    """Whether rendering changes more than line breaks: plain lines, as of a poem, are better left alone."""
    marks = ("#", "- ", "* ", "> ", "```", "|", "1. ")
    return "**" in text or "`" in text or any(line.lstrip().startswith(marks) for line in text.splitlines())
