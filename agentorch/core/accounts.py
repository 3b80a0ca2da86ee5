"""Accounts: what a run, its tasks and what they delegate may use, hold, and have used.

1. Every account but the run's stands within another: what is used in it is used there, what it holds is held there.
2. An account holds the greater of what was set aside for it and what is under way in it: a model call, or a delegated
   task, takes first from what was set aside.
3. Amounts are whole numbers, money in billionths of a dollar: what is taken and given back comes out at nothing.
4. Each movement costs O(depth of delegation).
"""

from dataclasses import dataclass, field
from typing import Final, Self

from agentorch.core.usage import Budget, Usage

DOLLAR: Final = 1_000_000_000
"""What a dollar is in an amount."""
_UNLIMITED: Final = 2**62


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of what budgets limit."""

    calls: int = 0
    tokens: int = 0
    money: int = 0
    """In billionths of a US dollar."""

    @classmethod
    def of(cls, usage: Usage) -> Self:
        """Return what a budget counts of `usage`."""
        return cls(usage.calls, usage.tokens, round(usage.money * DOLLAR))

    @classmethod
    def allowed_by(cls, budget: Budget) -> Self:
        """Return what a budget allows; more than anybody can use, where it sets no limit."""
        calls, tokens, money = budget.max_calls, budget.max_tokens, budget.max_money
        return cls(
            _UNLIMITED if calls is None else calls,
            _UNLIMITED if tokens is None else tokens,
            _UNLIMITED if money is None else min(_UNLIMITED, round(min(money, 1e9) * DOLLAR)),
        )

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.calls + other.calls, self.tokens + other.tokens, self.money + other.money)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.calls - other.calls, self.tokens - other.tokens, self.money - other.money)

    def most(self, other: "Amount") -> "Amount":
        """Return the greater of each."""
        return Amount(max(self.calls, other.calls), max(self.tokens, other.tokens), max(self.money, other.money))

    def least(self, other: "Amount") -> "Amount":
        """Return the lesser of each."""
        return Amount(min(self.calls, other.calls), min(self.tokens, other.tokens), min(self.money, other.money))

    def covers(self, other: "Amount") -> bool:
        """Whether there is as much of each as in `other`."""
        return self.calls >= other.calls and self.tokens >= other.tokens and self.money >= other.money

    @property
    def used_up(self) -> bool:
        """Whether something of it is not there any more."""
        return self.calls <= 0 or self.tokens <= 0 or self.money <= 0

    def shared(self, count: int) -> "Amount":
        """Return one of `count` equal parts, rounded up."""
        return Amount(-(-self.calls // count), -(-self.tokens // count), -(-self.money // count))

    def as_usage(self) -> Usage:
        """Return it as an event says it: tokens in one sum, as estimates are."""
        return Usage(self.tokens, calls=self.calls, money=self.money / DOLLAR, approximate=True)


ZERO: Final = Amount()
"""Nothing."""


@dataclass(slots=True)
class Account:
    """One account of the tree."""

    budget: Budget
    """Its own limits; those of the accounts that it stands within hold as well."""
    task: str | None = None
    """Whose it is; None is the run."""
    within: "Account | None" = None
    allowed: Amount = field(init=False)
    spent: Amount = ZERO
    """Used and settled, here and in what stands within it."""
    under_way: Amount = ZERO
    """The estimates of its open calls, and what the accounts within it hold."""
    aside: Amount = ZERO
    """Set aside at its admission, and not used yet."""
    used: Amount = ZERO
    """Its own use since it was admitted last, without that of others within it."""
    admitted: bool = False
    """Whether something was set aside for a dispatch that is running."""
    since: float | None = None
    """When its task was first started."""
    ran: float = 0.0
    """Seconds of its task's running time up to `mark`, or up to when it began to stand still; see `task_time`."""
    mark: float = 0.0
    """What the run's running time was when its own went on last."""
    stands: bool = False
    """Whether its task's time stands still."""
    tasks: int = 0
    """Tasks that were delegated within it."""

    def __post_init__(self) -> None:
        self.allowed = Amount.allowed_by(self.budget)

    @property
    def held(self) -> Amount:
        """What others cannot have while it does."""
        return self.aside.most(self.under_way)

    def left(self, kept: Amount = ZERO) -> Amount:
        """Return what may still be taken in it while the run keeps `kept` free; below nothing after an overshoot."""
        left = self.allowed - self.spent - self.under_way
        within = self.within
        if within is None:
            return left - kept.least(left.most(ZERO))  # what is set aside already is nobody else's any more
        return left.least(within.left(kept) + self.held - self.under_way)

    def set_aside(self, amount: Amount) -> None:
        """Begin a dispatch with `amount` set aside for it."""
        self.admitted, self.used = True, ZERO
        self._move(ZERO, amount - self.aside, ZERO)

    def give_back(self) -> None:
        """End a dispatch: what was set aside and not used is free again."""
        self.admitted = False
        self._move(ZERO, ZERO - self.aside, ZERO)

    def open(self, estimate: Amount) -> None:
        """Count a call in that is about to be made."""
        self._move(estimate, ZERO, ZERO)

    def settle(self, estimate: Amount, used: Amount) -> None:
        """Put what was used in the place of the estimate of an open call, or of nothing."""
        self.used += used
        self._move(ZERO - estimate, ZERO, used)

    def _move(self, under_way: Amount, aside: Amount, spent: Amount) -> None:
        """Change an account, and with it every one that it stands within."""
        account: Account | None = self
        while account is not None:
            before = account.held
            account.under_way += under_way
            account.aside = (account.aside + aside - spent).most(ZERO)
            account.spent += spent
            under_way, aside = account.held - before, ZERO
            account = account.within


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A model call that was made, or is about to be, and of whose use nobody has told yet."""

    account: Account
    estimate: Amount
    expected: Usage
    """What is charged when nobody ever tells."""
    purpose: str
