"""The file library: passages of the user's own files, found by words and cited by line."""

from agentorch.library.extraction import extract, extractive_answer
from agentorch.library.files import Library
from agentorch.library.findings import NO_MODEL, Findings, FoundPassage
from agentorch.library.tools import file_tools
from agentorch.library.watching import Watch, each_second

__all__ = [
    "NO_MODEL",
    "Findings",
    "FoundPassage",
    "Library",
    "Watch",
    "each_second",
    "extract",
    "extractive_answer",
    "file_tools",
]
