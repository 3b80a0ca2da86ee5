"""Tables: each row is a record, "column: value; column: value", at its line."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from agentorch.library.passage import Section, Unit

_SNIFFED: Final = 4_096
_DELIMITERS: Final = ",;\t|"


def record(columns: Sequence[str], cells: Sequence[str], line: int, end: int | None = None) -> Unit:
    """Return a row as a unit; cells without a column stand alone, empty ones are left out."""
    names = [*columns, *[""] * (len(cells) - len(columns))]
    pairs = [(name.strip(), cell.strip()) for name, cell in zip(names, cells, strict=False) if cell.strip()]
    text = "; ".join(f"{name}: {cell}" if name else cell for name, cell in pairs)
    return Unit(line, end or line, text)


def read_csv(text: str) -> Iterator[Section]:
    """Yield a section for each row of a table with commas or what it uses instead, so that each row is a passage."""
    try:
        delimiter = csv.Sniffer().sniff(text[:_SNIFFED], _DELIMITERS).delimiter
    except csv.Error:
        delimiter = ","
    return _rows(text, delimiter)


def read_tsv(text: str) -> Iterator[Section]:
    """Yield a section for each row of a table with tabs."""
    return _rows(text, "\t")


def _rows(text: str, delimiter: str) -> Iterator[Section]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns: list[str] = []
    line = 1
    try:
        for row in reader:
            if not columns:
                columns = row
            elif any(cell.strip() for cell in row):
                yield Section("", [record(columns, row, line, reader.line_num)])
            line = reader.line_num + 1
    except csv.Error:  # an unclosed quote, or a field as large as the file: what was read so far counts
        return
