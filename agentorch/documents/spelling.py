"""Offers the nearest known name for a misspelled one."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` was most likely meant to be, or None."""
    by_form: dict[str, str] = {}
    for candidate in sorted(known):
        by_form.setdefault(_plain(candidate), candidate)
    found = get_close_matches(_plain(name), by_form, n=1, cutoff=0.6)
    return by_form[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'tools'?"`, or an empty string when nothing is near."""
    candidate = nearest(name, known)
    return f"; did you mean {candidate!r}?" if candidate else ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
