"""The name that was probably meant: for "did you mean" and for unambiguous repairs."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

_MOST: Final = 400
"""Names beyond which looking for a near one costs more than it helps."""


def nearest(name: str, names: Collection[str]) -> str | None:
    """Return the one of `names` closest to `name`, or None when none is close or there are too many to compare."""
    if len(names) > _MOST:
        return None
    close = get_close_matches(name, sorted(names), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(name: str, names: Collection[str]) -> str | None:
    """Return the remedy "did you mean 'x'?", else the names themselves when they are few, else None."""
    if close := nearest(name, names):
        return f"did you mean {close!r}?"
    shown = sorted(names)[:12]
    return f"use one of {', '.join(shown)}" if 0 < len(names) <= len(shown) else None
