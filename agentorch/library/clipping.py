"""Long texts cut to what speaks of the question: a line without end is not quoted whole."""

from collections.abc import Mapping
from typing import Final

from agentorch.library.words import stems

_LONGEST: Final = 600
"""Characters that are quoted at most; a sentence is seldom longer."""
_STEP: Final = 120
"""Characters from one part that is tried to the next."""


def clipped(text: str, weights: Mapping[str, float]) -> str:
    """Return `text`, or the part of it that holds most of the weight of these stems, with "…" where it is cut."""
    if len(text) <= _LONGEST:
        return text
    held = {start: _weight(text[start : start + _LONGEST], weights) for start in range(0, len(text), _STEP)}
    most = max(held.values())
    fullest = [start for start, weight in held.items() if weight == most]
    best = fullest[len(fullest) // 2]  # the one with the words in its middle
    first = best and _after_space(text, best)
    last = min(len(text), best + _LONGEST)
    head, tail = "…" if first else "", "…" if last < len(text) else ""
    return f"{head}{text[first:last].strip()}{tail}"


def _weight(text: str, weights: Mapping[str, float]) -> float:
    return sum(weights.get(word, 0.0) for word in stems(text))


def _after_space(text: str, start: int) -> int:
    """Return the beginning of the next word, if one begins soon."""
    space = text.find(" ", start, start + _STEP)
    return start if space < 0 else space + 1
