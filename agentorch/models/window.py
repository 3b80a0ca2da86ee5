"""Amounts that are limited in time: our own limit a minute, and what a provider says is left."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from agentorch.models.headers import Allowance

MINUTE: Final = 60.0
_SLACK: Final = 1e-6
_LONGEST_WAIT: Final = 600.0


@dataclass(slots=True)
class Entry:
    """An amount taken at a time."""

    at: float
    amount: float
    upto: float
    """All that was ever taken, this amount included, as it was expected when it was taken."""


class Window:
    """At most `limit` in any minute, however it is cut; an amount above the limit goes alone."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.ever = 0.0
        """All that was ever taken, as it was expected."""
        self._entries: deque[Entry] = deque()
        self._sum = 0.0

    def held(self, now: float) -> float:
        """Return what was taken in the last minute."""
        self._forget(now)
        return self._sum

    def wait(self, now: float, amount: float) -> float:
        """Return the seconds until `amount` fits."""
        self._forget(now)
        excess = self._sum + min(amount, self.limit) - self.limit
        for entry in self._entries:
            if excess <= _SLACK:
                break
            excess -= entry.amount
            if excess <= _SLACK:
                return entry.at + MINUTE - now
        return 0.0

    def take(self, now: float, amount: float) -> Entry:
        """Take `amount`; the entry can be settled later."""
        self.ever += amount
        entry = Entry(now, amount, self.ever)
        self._entries.append(entry)
        self._sum += amount
        return entry

    def settle(self, entry: Entry, amount: float) -> None:
        """Put the true amount in the place of the estimate."""
        if self._entries and entry.at >= self._entries[0].at:
            self._sum += amount - entry.amount
            entry.amount = amount

    def _forget(self, now: float) -> None:
        while self._entries and self._entries[0].at + MINUTE <= now + _SLACK:
            self._sum -= self._entries.popleft().amount
        if not self._entries:
            self._sum = 0.0  # no rounding error lives longer than a burst


class Told:
    """What the provider said is left, refilling evenly until its reset."""

    def __init__(self) -> None:
        self._level: float | None = None
        self._rate = 0.0
        self._at = 0.0
        self._full = 0.0

    def hear(self, now: float, allowance: Allowance, *, under_way: float) -> None:
        """Believe the provider; `under_way` is what it may not have counted yet."""
        full = allowance.limit if allowance.limit is not None else max(allowance.remaining, 1.0)
        self._full = full
        self._level = allowance.remaining - under_way
        self._rate = max(full - allowance.remaining, 1.0) / max(allowance.reset, 0.01)
        self._at = now

    def wait(self, now: float, amount: float) -> float:
        """Return the seconds until `amount` fits."""
        missing = self.missing(now, amount)
        wait = missing / self._rate if missing > _SLACK else 0.0
        # Nobody stands in a queue for a day: let the provider refuse, in its own words.
        return wait if wait <= _LONGEST_WAIT else 0.0

    def missing(self, now: float, amount: float) -> float:
        """Return how much of `amount` is not left, by the provider's word; nothing while it has said none."""
        return 0.0 if self._level is None else max(0.0, min(amount, self._full) - self._now(now, self._level))

    def take(self, now: float, amount: float) -> None:
        """Take `amount`."""
        if self._level is not None:
            self._level = self._now(now, self._level) - amount
            self._at = now

    def _now(self, now: float, level: float) -> float:
        return min(self._full, level + (now - self._at) * self._rate)
