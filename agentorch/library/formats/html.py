"""HTML: what a reader sees, by the lines of the source."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

from agentorch.library.code import code_units
from agentorch.library.formats.table import record
from agentorch.library.passage import Outline, Section, Unit
from agentorch.library.sentences import Line, sentences

_UNSEEN: Final = frozenset({"script", "style", "template", "noscript", "svg", "head"})
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "div", "dl", "dt",
        "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "li", "main", "nav", "ol",
        "option", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "title", "tr", "ul",
    }
)  # fmt: skip


def read_html(text: str) -> Iterator[Section]:
    """Yield a section for each heading that has something under it; the title leads them all."""
    page = _Page()
    page.feed(text)
    page.close()
    page.finish()
    yield from page.sections


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections: list[Section] = []
        self.outline = Outline()
        self.units: list[Unit] = []
        self.lines: dict[int, str] = {}
        """Text of the current block, by line."""
        self.unseen = 0
        self.in_title = False
        self.in_code = False
        self.cells: list[str] | None = None
        """Cells of the current row."""
        self.columns: list[str] = []
        self.row_line = 1
        self.is_header = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _UNSEEN:
            self.unseen += 1
        elif tag == "title":
            self.in_title = True
        elif tag in _HEADINGS:
            self.end_section()
        elif tag == "pre":
            self.end_block()
            self.in_code = True
        elif tag == "table":
            self.end_block()
            self.columns = []
        elif tag == "tr":
            self.end_block()
            self.cells, self.row_line, self.is_header = [], self.getpos()[0], False
        elif tag in {"td", "th"} and self.cells is not None:
            self.cells.append("")
            self.is_header = tag == "th"
        elif tag in _BLOCKS and self.cells is None:
            self.end_block()

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self.unseen = max(0, self.unseen - 1)
        elif tag == "title":
            self.in_title = False
        elif tag in _HEADINGS:
            title = " ".join(self.lines.values())
            self.lines = {}
            self.outline.enter(_HEADINGS[tag], " ".join(title.split()))
        elif tag == "pre":
            self.end_block()
            self.in_code = False
        elif tag in {"tr", "table"} and self.cells is not None:
            self.end_row()
        elif tag in _BLOCKS and self.cells is None:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if self.in_title:
            self.outline.enter(0, " ".join(data.split()))
        elif self.unseen:
            return
        elif self.cells:
            self.cells[-1] += data
        else:
            first = self.getpos()[0]
            for offset, line in enumerate(data.split("\n")):
                if line.strip():
                    self.lines[first + offset] = self.lines.get(first + offset, "") + line

    def end_row(self) -> None:
        cells = [" ".join(cell.split()) for cell in self.cells or []]
        self.cells = None
        if self.is_header and not self.columns:
            self.columns = cells
        elif any(cells):
            self.units.append(record(self.columns, cells, self.row_line, self.getpos()[0]))

    def end_block(self) -> None:
        lines: list[Line] = sorted(self.lines.items())
        self.lines = {}
        if self.in_code:
            self.units += code_units(lines)
        else:
            self.units += sentences([(number, " ".join(line.split())) for number, line in lines])

    def end_section(self) -> None:
        self.end_block()
        if self.units:
            self.sections.append(Section(self.outline.trail, self.units))
        self.units = []

    def finish(self) -> None:
        """Take what an unclosed document leaves."""
        if self.cells is not None:
            self.end_row()
        self.end_section()
