"""The library as tools for a language model: search the files, read one."""

from typing import Any, Final

from agentorch.errors import FileAccessError
from agentorch.library.files import Library
from agentorch.library.findings import cited
from agentorch.tools import Tool, tool

_MOST: Final = 8
"""Passages that one search shows."""


def file_tools(library: Library) -> tuple[Tool[..., Any], ...]:
    """Return the tools `search_files` and `read_file` over `library`; neither has effects."""

    @tool
    def search_files(query: str) -> str:
        """Find passages in the user's files by words. Each comes with its place, as [path:line]."""
        passages = library.find(query, _MOST)
        return "\n\n".join(map(cited, passages)) or f"the files say nothing about: {query}"

    @tool
    def read_file(path: str, start: int = 1, lines: int = 200) -> str:
        """Read lines of one of the user's files, each with its number. `path` as search_files gives it."""
        try:
            return library.read(path, start, lines)
        except FileAccessError as error:
            return f"error: {error}"

    return (search_files, read_file)
