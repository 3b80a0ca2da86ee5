"""The tree of accounts: what is taken comes back, nobody takes more than is left, a parent holds what children do."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agentorch.core.accounts import DOLLAR, ZERO, Account, Amount
from agentorch.core.usage import Budget, Usage

AMOUNTS = st.builds(Amount, st.integers(0, 3), st.integers(0, 400), st.integers(0, 10**9))


@dataclass
class Open:
    """A call under way."""

    account: Account
    estimate: Amount


class Tree(RuleBasedStateMachine):
    """Accounts that open, set aside, call, settle and end in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts: list[Account] = []
        self.calls: list[Open] = []
        self.too_low = ZERO
        """By how much settled calls were estimated too low, all together."""
        self.told = ZERO

    @initialize(calls=st.integers(0, 20), tokens=st.integers(0, 4000), money=st.floats(0, 5))
    def begin(self, calls: int, tokens: int, money: float) -> None:
        self.accounts = [Account(Budget(max_calls=calls, max_tokens=tokens, max_money=money))]

    @precondition(lambda self: len(self.accounts) < 8)
    @rule(data=st.data(), limit=st.none() | st.integers(0, 5))
    def a_child(self, data: st.DataObject, limit: int | None) -> None:
        parent = data.draw(st.sampled_from(self.accounts))
        self.accounts.append(Account(Budget(max_calls=limit), f"t{len(self.accounts)}", parent))

    @rule(data=st.data(), wanted=AMOUNTS)
    def admit(self, data: st.DataObject, wanted: Amount) -> None:
        account = data.draw(st.sampled_from(self.accounts))
        if account.within is not None and not account.admitted and account.left().covers(wanted):
            account.set_aside(wanted)

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        account = data.draw(st.sampled_from(self.accounts))
        if account.within is not None:
            account.give_back()

    @rule(data=st.data(), wanted=AMOUNTS)
    def call(self, data: st.DataObject, wanted: Amount) -> None:
        account = data.draw(st.sampled_from(self.accounts))
        if account.left().covers(wanted):
            account.open(wanted)
            self.calls.append(Open(account, wanted))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), used=AMOUNTS)
    def settle(self, data: st.DataObject, used: Amount) -> None:
        call = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        call.account.settle(call.estimate, used)
        self.too_low += (used - call.estimate).most(ZERO)
        self.told += used

    @invariant()
    def sound(self) -> None:
        for account in self.accounts:
            children = [one for one in self.accounts if one.within is account]
            calls = [call.estimate for call in self.calls if call.account is account]
            assert account.under_way == sum([*(one.held for one in children), *calls], ZERO)
            assert account.spent.covers(sum((one.spent for one in children), ZERO))
            assert (account.allowed + self.too_low).covers(account.spent + account.under_way)
            if account.within is not None:
                assert account.within.left().covers(account.left() - account.held)
        assert not self.accounts or self.accounts[0].spent == self.told

    def teardown(self) -> None:
        for call in self.calls:
            call.account.settle(call.estimate, ZERO)
        for account in self.accounts:
            account.give_back()
        assert all((one.under_way, one.aside, one.held) == (ZERO, ZERO, ZERO) for one in self.accounts)


Tree.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestTree = Tree.TestCase


def test_a_child_takes_from_what_its_parent_set_aside() -> None:
    """What a delegated task sets aside is not taken twice, and goes back to its parent."""
    run = Account(Budget(max_calls=3))
    caller = Account(Budget(), "caller", run)
    caller.set_aside(Amount(2))
    child = Account(Budget(), "child", caller)
    child.set_aside(Amount(2))
    assert (run.left().calls, child.left().calls, caller.left().calls) == (1, 3, 1)
    child.open(Amount(1))
    child.settle(Amount(1), Amount(1))
    child.give_back()
    assert (run.left().calls, caller.left().calls, caller.aside, caller.used) == (1, 2, Amount(1), ZERO)


def test_what_is_kept_never_eats_what_is_set_aside() -> None:
    """Who was admitted has what was set aside, whatever is kept for the answer since."""
    run = Account(Budget(max_calls=2))
    task = Account(Budget(), "a", run)
    task.set_aside(Amount(2))
    assert (run.left(Amount(1)).calls, task.left(Amount(1)).calls) == (0, 2)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**12))
def test_an_amount_survives_the_journal(calls: int, tokens: int, money: int) -> None:
    """As an event says it, it is read back to the last billionth of a dollar."""
    amount = Amount(calls, tokens, money)
    assert Amount.of(amount.as_usage()) == amount


def test_amounts_are_counted_up() -> None:
    """Shares are rounded up; a budget of more money than there is stays a number."""
    assert Amount(3, 10, 1).shared(2) == Amount(2, 5, 1)
    assert Amount.of(Usage(1, 2, calls=1, money=0.5)) == Amount(1, 3, DOLLAR // 2)
    assert Amount.allowed_by(Budget(max_money=float("inf"))).money == 10**9 * DOLLAR
    assert not Amount(1, 1, 1).used_up
    assert Amount(1, 0, 1).used_up
