"""The entries of front matter as lines of text: `key: value`, and what stands below it up to the next known key.

It is how a value that is no YAML can still be read: prose with a colon in it, as generators of agent files write it.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_KEY: Final = re.compile(r"([A-Za-z_][\w-]*):(?:\s+|$)")
_MARKED: Final = tuple("'\"[]{}|>&*!%@`#")
"""What a value begins with that is more than plain text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and its value, as they stand in the lines."""

    key: str
    value: str
    """Without the key, in one line."""
    start: int
    """Index of its first line."""
    end: int
    """Index after its last line."""

    @property
    def plain(self) -> bool:
        """Whether the value is written without quotes or other marks."""
        return not self.value.startswith(_MARKED)

    def quoted(self) -> list[str]:
        """Return as many lines with the same key, whose value is the text itself."""
        line = f"{self.key}: {json.dumps(self.value, ensure_ascii=False)}"
        return [line, *[""] * (self.end - self.start - 1)]


def entries_of(lines: Sequence[str], is_key: Callable[[str], bool]) -> list[Entry]:
    """Return the entries that begin with a key for which `is_key` holds."""
    starts = [(index, match) for index, line in enumerate(lines) if (match := _KEY.match(line)) and is_key(match[1])]
    ends = [*[index for index, _ in starts[1:]], len(lines)][: len(starts)]  # there may be no such key at all
    return [
        Entry(match[1], " ".join(" ".join([lines[start][match.end() :], *lines[start + 1 : end]]).split()), start, end)
        for (start, match), end in zip(starts, ends, strict=True)
    ]
