"""What an agent wrote as Markdown, drawn for a terminal: nothing that it holds is obeyed, no link hides its address."""

from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Heading, Markdown, MarkdownElement

from agentorch.cli.words import harmless


class _Heading(Heading):
    """A heading at the left: in a stream of answers nothing is the title of a page."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console, options
        self.text.justify = "left"
        yield self.text


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "heading_open": _Heading}


def rendered(text: str) -> Markdown:
    """Return `text` as rich draws it."""
    return _Markdown(harmless(text), hyperlinks=False)
