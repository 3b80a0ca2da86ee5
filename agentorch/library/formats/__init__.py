"""Readers, one for each format: text in, sections of units with their lines out."""

from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Final

from agentorch.library.formats.html import read_html
from agentorch.library.formats.json import read_json
from agentorch.library.formats.markdown import read_markdown
from agentorch.library.formats.plain import read_plain
from agentorch.library.formats.rst import read_rst
from agentorch.library.formats.source import NAMES, SUFFIXES, read_source
from agentorch.library.formats.table import read_csv, read_tsv
from agentorch.library.passage import Section

Reader = Callable[[str], Iterable[Section]]

_READERS: Final[dict[str, Reader]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".rst": read_rst,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".json": read_json,
    ".jsonl": read_json,
    ".ndjson": read_json,
}


def reader_for(path: str) -> Reader:
    """Return the reader for a text file of this name; what has no reader of its own is plain text."""
    name = PurePath(path).name.lower()
    suffix = PurePath(name).suffix
    if name in NAMES or suffix in SUFFIXES:
        return read_source
    return _READERS.get(suffix, read_plain)
