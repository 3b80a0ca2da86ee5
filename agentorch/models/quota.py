"""What one provider key may take of one thing, requests or tokens: what we were told to keep to, what the provider says
of it, and what its refusals taught. The strictest holds.
"""

from typing import Final

from agentorch.models.headers import Allowance
from agentorch.models.learned import Learned
from agentorch.models.window import MINUTE, Entry, Told, Window

_UNLIMITED: Final = float("inf")
_NEARLY_ALL: Final = 0.9


class Quota:
    """See above; amounts are taken when a call begins and settled when it is over."""

    def __init__(self, limit: float | None) -> None:
        """`limit` is what may be taken in a minute, if that is known beforehand."""
        self._given = _UNLIMITED if limit is None else limit
        self._stated = _UNLIMITED
        self._window = Window(self._given)
        self._told = Told()
        self._learned = Learned()
        self._heard = 0.0
        """Up to which amount the provider had counted when it last said what is left."""

    def is_known(self, now: float) -> bool:
        """Whether there is any limit to keep to."""
        return min(self._given, self._stated, self._learned.limit(now)) < _UNLIMITED

    def wait(self, now: float, amount: float) -> float:
        """Return the seconds until `amount` may be taken."""
        self._window.limit = min(self._given, self._stated, self._learned.limit(now))
        return max(self._window.wait(now, amount), self._told.wait(now, amount), self._learned.wait(now))

    def held(self, now: float) -> float:
        """Return what was taken in the last minute."""
        return self._window.held(now)

    def take(self, now: float, amount: float) -> Entry:
        """Take `amount`."""
        self._told.take(now, amount)
        self._learned.take(now, amount)
        return self._window.take(now, amount)

    def settle(self, entry: Entry, amount: float) -> None:
        """Put what was really taken in the place of what was expected."""
        self._window.settle(entry, amount)

    def hear(self, now: float, allowance: Allowance, entry: Entry | None) -> None:
        """Believe what the provider says is left; `entry` is of the call that it answered.

        It had not counted what was taken after that call; a word that was overtaken by a later call's is no news.
        """
        upto = self._window.ever if entry is None else entry.upto
        if upto < self._heard:
            return
        self._heard = upto
        self._told.hear(now, allowance, under_way=self._window.ever - upto)
        if allowance.limit is not None and _is_a_minutes(allowance, allowance.limit):
            self._stated = allowance.limit

    def explains(self, now: float, amount: float) -> bool:
        """Whether a refusal of `amount` is no wonder here, by what was given or stated."""
        return self._told.missing(now, amount) > 0 or self._is_full(now, amount, min(self._given, self._stated))

    def has_taught(self, now: float, amount: float) -> bool:
        """Whether a refusal of `amount` is no wonder here, by what was learned."""
        return self._is_full(now, amount, self._learned.limit(now))

    def _is_full(self, now: float, amount: float, limit: float) -> bool:
        return self._window.held(now) + amount > _NEARLY_ALL * limit

    def refused(self, now: float, amount: float) -> None:
        """Learn from a refusal of `amount`."""
        self._learned.refused(now, taken=self._window.held(now), amount=amount)

    def refused_too(self, now: float, amount: float) -> None:
        """Learn from a refusal that came with the last one."""
        self._learned.refused_too(taken=self._window.held(now), amount=amount)


def _is_a_minutes(allowance: Allowance, limit: float) -> bool:
    """Whether a stated limit is one for a minute or more: at the rate that it comes back, all of it takes that long."""
    used = limit - allowance.remaining
    return used > 0 and allowance.reset * limit / used >= _NEARLY_ALL * MINUTE
