"""The file library: passages of the user's own files, found by words and cited by line."""

from agentorch.library.files import Library
from agentorch.library.findings import Findings, FoundPassage

__all__ = ["Findings", "FoundPassage", "Library"]
