"""What a turn sees of the turns before it: within a budget of tokens, never the whole transcript.

1. The newest turn is seen, cut to half of the budget if need be. The rest goes to the turns that share words with what
   is said now, best first, and then to the newest.
2. A turn that does not fit whole is cut, if more than a few words of it would be left.
3. Turns stand in their order. What was stopped, or is not whole, is marked so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from agentorch.cli.chat.turn import Turn
from agentorch.library.ranking import ranked

BUDGET: Final = 2_000
"""Tokens, when nothing else is said."""
_LEAST: Final = 40
"""Tokens below which the rest of a turn is not worth showing."""
_CUT: Final = " […]"
_SPARE: Final = 0.9
"""What a cut aims at, of what there is room for: tokens are not spread evenly."""

Count = Callable[[str], int]
"""Returns how many tokens a text is."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A turn as a later one sees it."""

    number: int
    """From 1."""
    text: str
    tokens: int
    is_cut: bool = False


def recalled(turns: Sequence[Turn], message: str, *, budget: int, count: Count) -> tuple[Recalled, ...]:
    """Return what is seen of `turns` when `message` is said, in their order; `budget` tokens at most."""
    left = budget
    chosen: dict[int, Recalled] = {}
    for index in _by_worth(turns, message):
        room = budget // 2 if not chosen and len(turns) > 1 else left
        shown = _fitted(index + 1, turns[index], room, count)
        if shown is not None:
            chosen[index] = shown
            left -= shown.tokens
    return tuple(chosen[index] for index in sorted(chosen))


def as_text(turns: Sequence[Recalled]) -> str:
    """Return what is handed to planner and agents; empty when nothing is."""
    return "\n\n".join(turn.text for turn in turns)


def _by_worth(turns: Sequence[Turn], message: str) -> list[int]:
    """Return the indices of the turns, those first that are to be seen first."""
    if not turns:
        return []
    newest = len(turns) - 1
    scores = ranked([(turn.message, turn.answer) for turn in turns], message, weights=(1.0, 1.0))
    return sorted(range(len(turns)), key=lambda index: (index != newest, -scores.get(index, 0.0), -index))


def _fitted(number: int, turn: Turn, room: int, count: Count) -> Recalled | None:
    text = _said(number, turn)
    tokens = count(text)
    if tokens <= room:
        return Recalled(number, text, tokens)
    while tokens > room >= _LEAST:
        text = text.removesuffix(_CUT)
        text = text[: int(len(text) * room / tokens * _SPARE)].rstrip() + _CUT
        tokens = count(text)
    return Recalled(number, text, tokens, is_cut=True) if room >= _LEAST else None


def _said(number: int, turn: Turn) -> str:
    mark = f" ({turn.mark})" if turn.mark else ""
    return f"{number}. They said: {turn.message}\nThe answer{mark}: {turn.answer or 'none'}"
