"""Which encoding a model uses, and how it gets into memory."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from agentorch.tokens.ranks import RANKS, cache_folder, unpacked

NEWEST: Final = "o200k_base"

# As tiktoken.model has it, without importing tiktoken; a test compares the two.
_PREFIXES: Final = (
    ("gpt-4o", "o200k_base"),
    ("gpt-4.1", "o200k_base"),
    ("gpt-4.5", "o200k_base"),
    ("gpt-5", "o200k_base"),
    ("gpt-oss", "o200k_base"),
    ("chatgpt-4o", "o200k_base"),
    ("o1", "o200k_base"),
    ("o3", "o200k_base"),
    ("o4-mini", "o200k_base"),
    ("gpt-4", "cl100k_base"),
    ("gpt-3.5", "cl100k_base"),
    ("gpt-35-turbo", "cl100k_base"),
    ("text-embedding-3", "cl100k_base"),
    ("text-embedding-ada-002", "cl100k_base"),
)


def encoding_for(model: str) -> tuple[str, bool]:
    """Return the encoding to count with, and whether it is known to be the model's own."""
    name = model.removeprefix("ft:").rpartition("/")[2]
    for prefix, encoding in _PREFIXES:
        if name == prefix or name.startswith((prefix + "-", prefix + ":")):
            return encoding, True
    return NEWEST, False


def load_encoding(name: str) -> Any:
    """Return tiktoken's encoding `name`, read from the private cache folder (0.4 s, blocking)."""
    import tiktoken  # noqa: PLC0415  # 28 ms and a native library: only when something is counted

    if name not in RANKS:
        raise ValueError(f"no rank file for {name}")
    with unpacked(name, cache_folder(os.environ)) as folder, _tiktoken_reads(folder):
        return tiktoken.get_encoding(name)


@contextmanager
def _tiktoken_reads(folder: Path) -> Generator[None]:
    # The environment is the only way to tell tiktoken its folder; it is put back at once.
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = before
