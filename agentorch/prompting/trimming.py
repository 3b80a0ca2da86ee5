"""Trimming: which values are shown whole when they do not all fit.

1. Everything that fits is shown whole.
2. Else the largest value is cut to what makes the rest fit, but not below a preview; then the next largest; names
   break ties.
3. When previews are still too much they become short, then empty: each value keeps at least its name and its reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Count = Callable[[str], int]
PREVIEWS: Final = (300, 40, 0)
"""Tokens that a preview keeps, at first and when that is too much."""
NOTE_TOKENS: Final = 70
"""What the note below a preview costs."""
FENCE_TOKENS: Final = 16
"""What the delimiters around a value cost, its name not counted."""
_CHUNK: Final = 60_000
"""Characters of a long text that are counted at a time."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One value as it stands in the prompt."""

    text: str
    tokens: int
    """Of the whole value."""
    kept: int
    """Of what is shown."""

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return self.kept == self.tokens


def at_most_tokens(text: str) -> int:
    """Return what no count of a text is above: its bytes."""
    return len(text.encode("utf-8", "replace"))


def count_long(text: str, count: Count, *, enough: int) -> int:
    """Count the tokens of a text; of a long one until there are more than `enough`: then the rest is taken to be alike.

    So what is said to be at most `enough` is so, however the text is mixed.
    """
    total = 0
    for start in range(0, len(text), _CHUNK):
        if start and total > enough:
            return round(total * len(text) / start)
        total += count(text[start : start + _CHUNK])
    return total


def cut(text: str, tokens: int, count: Count) -> str:
    """Return the beginning of a text that is at most `tokens` long."""
    if tokens <= 0:
        return ""
    length = min(len(text), tokens * 8)
    while length and (size := count(text[:length])) > tokens:
        length = min(length - 1, int(length * tokens / size))
    return text[:length]


def fit(texts: Mapping[str, str], *, room: int, count: Count) -> dict[str, Shown] | None:
    """Return how each value is shown so that all take at most `room` tokens; None when nothing helps."""
    sizes = {name: count_long(text, count, enough=room) for name, text in texts.items()}
    shown = {name: Shown(text, sizes[name], sizes[name]) for name, text in texts.items()}
    overhead = sum(FENCE_TOKENS + count(name) for name in texts)
    total = overhead + sum(sizes.values())
    by_size = sorted(texts, key=lambda name: (-sizes[name], name))
    for preview in PREVIEWS:
        for name in by_size:
            if total <= room:
                return shown
            before = shown[name]
            keep = max(preview, before.kept - (total - room) - NOTE_TOKENS * before.whole)
            if keep >= before.kept:
                continue
            text = cut(texts[name], keep, count)
            after = Shown(text, sizes[name], count(text))
            total += after.kept - before.kept + NOTE_TOKENS * before.whole
            shown[name] = after
    return shown if total <= room else None
