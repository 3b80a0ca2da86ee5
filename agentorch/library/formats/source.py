"""Source code, scripts and settings: pieces of them, as they stand."""

from collections.abc import Iterator
from typing import Final

from agentorch.library.code import code_units
from agentorch.library.passage import Section

SUFFIXES: Final = frozenset(
    {
        ".bash", ".bat", ".c", ".cc", ".cfg", ".clj", ".cmake", ".conf", ".cpp", ".cs", ".css", ".cxx", ".dart", ".el",
        ".env", ".erl", ".ex", ".exs", ".fs", ".go", ".gradle", ".graphql", ".groovy", ".h", ".hpp", ".hs", ".ini",
        ".java", ".jl", ".js", ".jsx", ".kt", ".kts", ".less", ".lisp", ".lua", ".m", ".mjs", ".ml", ".nim", ".nix",
        ".php", ".pl", ".pm", ".properties", ".proto", ".ps1", ".py", ".pyi", ".r", ".rb", ".rs", ".sass", ".scala",
        ".scss", ".sh", ".sql", ".svelte", ".swift", ".tf", ".toml", ".ts", ".tsx", ".v", ".vue", ".xml", ".yaml",
        ".yml", ".zig", ".zsh",
    }
)  # fmt: skip
NAMES: Final = frozenset({"dockerfile", "makefile", "justfile", "rakefile", "gemfile", "jenkinsfile"})
"""Files without a suffix, in lower case."""


def read_source(text: str) -> Iterator[Section]:
    """Yield one section of all pieces."""
    units = code_units(enumerate(text.splitlines(), 1))
    if units:
        yield Section("", units)
