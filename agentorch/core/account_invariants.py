"""What holds of a run's accounts between any two messages, in words: part of `invariants`."""

from collections import defaultdict
from collections.abc import Iterator

from agentorch.core.accounts import ZERO, Account, Amount
from agentorch.core.reservations import chain
from agentorch.core.state import RunState, Status


def contradictions(state: RunState) -> Iterator[str]:
    """Yield what is wrong with the accounts, and with the tasks that wait for budget; nothing when all is sound."""
    everyone = (*state.tasks.values(), *(task for _, task in state.retired))
    accounts = {id(task.account): task.account for task in everyone if task.account is not None}
    for call in state.calls.values():  # a task that starts again has left one behind when it was stopped in a call
        accounts.update((id(account), account) for account in chain(call.account))
    if state.account is not None:
        accounts[id(state.account)] = state.account
        yield from _run(state, state.account)
    under_way: dict[int, Amount] = defaultdict(lambda: ZERO)
    spent: dict[int, Amount] = defaultdict(lambda: ZERO)
    for account in accounts.values():
        if account.within is not None:
            under_way[id(account.within)] += account.held
            spent[id(account.within)] += account.spent
    for call in state.calls.values():
        under_way[id(call.account)] += call.estimate
    for account in accounts.values():
        whose = account.task or "the run"
        if account.under_way != under_way[id(account)]:
            yield f"under way for {whose} is {account.under_way}, but it should be {under_way[id(account)]}"
        if not account.spent.covers(spent[id(account)]):
            yield f"{whose} has spent {account.spent}, what stands within it {spent[id(account)]}"
        if account.aside != ZERO and not account.admitted:
            yield f"{account.aside} is set aside for {whose}, which does not run"
    yield from _queue(state)


def _run(state: RunState, account: Account) -> Iterator[str]:
    counted = (account.spent.calls, account.spent.tokens)
    if counted != (state.spent.calls, state.spent.tokens):
        yield f"the run's account has {counted} calls and tokens, the run {state.spent}"
    if state.finished and account.held != ZERO:
        yield f"the run is finished and {account.held} is held"


def _queue(state: RunState) -> Iterator[str]:
    running = [task for task in state.tasks.values() if task.status is Status.RUNNING]
    admitted = sum(not task.open_children for task in running if task.account is not None and task.account.admitted)
    if state.admitted != admitted:
        yield f"admitted is {state.admitted}, but it should be {admitted}"
    waiting = {name for name, task in state.tasks.items() if task.waiting == "budget"}
    within = {name for line in state.queued_within.values() for name in line}
    if left := waiting - {*(state.queued or ()), *within}:
        yield f"{sorted(left)} wait for budget and nobody will call them up"
    if waiting - within and state.called_up is None and (state.room or not (running or state.calls)):
        yield f"{sorted(waiting)} wait for budget and nobody can give any back"
    called = state.tasks.get(state.called_up or "")
    if state.called_up is not None and (called is None or called.status is not Status.READY):
        yield f"'{state.called_up}' was called up and is not ready"
