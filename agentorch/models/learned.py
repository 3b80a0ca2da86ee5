"""A limit that nobody stated, learned from refusals.

1. A refusal says what the limit is: what was taken in the minute before it, and a part of what was refused. It falls to
   no less than half of what was believed before, for the minute may have been another's; and to less than was believed
   when the last refusal is only seconds old, for the minute may have lived on what an idle one had left.
2. What was learned is taken evenly, not in bursts: then one refusal, not a burst of them, says that it is too much.
   The pace is a quarter faster than the limit, so that what a pause has kept back can be made up for.
3. Without a refusal it rises, by three hundredths in the first minute and twice as much in each that follows: what was
   learned in a bad minute does not stay.
"""

from typing import Final

from agentorch.models.window import MINUTE

_FIRST_RISE: Final = 0.03
_LONGEST_QUIET: Final = 20.0
_BURST: Final = 2.0
"""Seconds whose amount may be taken at once."""
_FASTER: Final = 1.25
_SOON: Final = 6.0
_LESS: Final = 0.95


class Learned:
    """What refusals say that may be taken in a minute."""

    def __init__(self) -> None:
        self._base: float | None = None
        self._since = 0.0
        self._next = 0.0
        """When the even pace has made up for all that was taken."""

    def limit(self, now: float) -> float:
        """Return what is believed now; infinity before any refusal."""
        if self._base is None:
            return float("inf")
        quiet = min(_LONGEST_QUIET, (now - self._since) / MINUTE)
        return self._base * (1 + _FIRST_RISE * (2.0**quiet - 1))

    def refused(self, now: float, *, taken: float, amount: float) -> None:
        """Take note that `amount` was refused when `taken` had been taken in the last minute."""
        limit = taken + amount / 2
        if self._base is not None:
            believed = self.limit(now)
            limit = max(limit, believed / 2)
            if now - self._since < _SOON:
                limit = min(limit, believed * _LESS)
        self._base = max(amount, limit)
        self._since = now
        self._next = max(self._next, now)

    def refused_too(self, *, taken: float, amount: float) -> None:
        """Correct the last refusal: another was under way with it, and had been counted as taken."""
        if self._base is not None:
            self._base = max(amount, min(self._base, taken + amount / 2))

    def wait(self, now: float) -> float:
        """Return the seconds until the even pace allows more."""
        return 0.0 if self._base is None else max(0.0, self._next - _BURST - now)

    def take(self, now: float, amount: float) -> None:
        """Take `amount`."""
        if self._base is not None:
            self._next = max(self._next, now) + amount * MINUTE / (self.limit(now) * _FASTER)
