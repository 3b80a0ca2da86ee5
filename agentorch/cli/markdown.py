"""What an agent wrote as Markdown, drawn for a terminal: nothing that it holds is obeyed, and nothing is left out.

HTML, and definitions of links, are shown as they are written: `<RUN>` is a word, and what is hidden can hide anything.
"""

from typing import ClassVar

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Heading, Markdown, MarkdownElement, TableElement
from rich.table import Table

from agentorch.cli.words import harmless


class _Heading(Heading):
    """A heading at the left: in a stream of answers nothing is the title of a page."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console, options
        self.text.justify = "left"
        yield self.text


class _Table(TableElement):
    """A table of which no cell is cut: what does not fit goes on in the next line."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for drawn in super().__rich_console__(console, options):
            if isinstance(drawn, Table):
                for column in drawn.columns:
                    column.overflow = "fold"
            yield drawn


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "table_open": _Table,
    }

    def __init__(self, markup: str) -> None:
        super().__init__(markup, hyperlinks=False)
        parser = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"]).disable("reference")
        self.parsed = parser.parse(markup)


def rendered(text: str) -> Markdown:
    """Return `text` as rich draws it."""
    return _Markdown(harmless(text))
