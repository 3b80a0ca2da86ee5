"""Reservations: what a task needs set aside before it starts, whether there is room for it, and what is left.

1. An estimate is what the agent's tasks have used in this run on average, else one call of DEFAULT_TOKENS. It is
   decided once and stands in the event: replay does not depend on cards.
2. What the written answer is expected to use is kept free for it from the start, as long as there may be something to
   answer from.
3. A task that finds no room waits, as long as somebody could give something back; else it takes what is left, and only
   where nothing is left it fails.
4. Those that wait are called up one at a time, when something is given back in the account in which they found no room:
   O(depth of delegation) for each event. Nobody waits behind those that wait for another account.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Final

from agentorch.core.accounts import DOLLAR, ZERO, Account, Amount
from agentorch.core.commands import Dispatch
from agentorch.core.failures import Problem
from agentorch.core.running_time import end_of_run
from agentorch.core.state import ANSWERER, FINAL, RunState, Status, TaskState
from agentorch.core.task_count import tasks_counted
from agentorch.core.task_time import end_of_time
from agentorch.core.usage import Budget

DEFAULT_TOKENS: Final = 2_000
"""Tokens that a task is taken to need while nothing is known of its agent: a page in, a page out."""
_NO_LIMITS: Final = Budget(max_depth=None)
_GIVEN: Final = ("goal", "inputs")
"""Values that are there before any task has succeeded."""
_SMALLEST: Final = Amount(calls=1, tokens=1)
Fits = Callable[[Amount], bool]
"""Whether there is room in so much."""


@dataclass(frozen=True, slots=True)
class Queued:
    """There is no room now, and somebody may make some."""

    reason: str
    account: str | None = None
    """The task in whose account there is none; None is the run's."""


def estimate(state: RunState, agent: str) -> Amount:
    """Return what a task of the agent is expected to use."""
    known = state.usual.get(agent)
    if known is not None:
        return known[1].shared(known[0]).most(_SMALLEST)
    return Amount(1, DEFAULT_TOKENS, round(state.catalog[agent].call_money * DOLLAR))


def kept_for_answer(state: RunState) -> Amount:
    """Return what is kept free for the task that writes the answer; while the plan is not whole there may be one."""
    card = state.catalog.get(ANSWERER)
    if card is None or not card.asks_model or state.account is None:
        return ZERO
    if state.complete:
        answer = state.tasks.get(state.answer_root)
        if answer is None or answer.task.agent != ANSWERER or answer.status in FINAL | {Status.RUNNING}:
            return ZERO
    return estimate(state, ANSWERER)


def account_of(state: RunState, task: TaskState) -> Account | None:
    """Return the account of a task, or what one would be that is not made yet; None where nothing limits models."""
    if task.account is not None:
        return task.account
    around = state.account if task.caller is None else account_of(state, state.tasks[task.caller.split("/", 2)[1]])
    budget = task.task.budget
    if budget is None and around is None:
        return None
    return Account(budget or _NO_LIMITS, task.task.id, around)


def left_for(state: RunState, task: TaskState | None) -> Amount | None:
    """Return what is left for a task, or for planning; None where nothing limits models."""
    account = state.account if task is None else account_of(state, task)
    if account is None:
        return None
    return account.left(_kept_from(state, task))


def _kept_from(state: RunState, task: TaskState | None) -> Amount:
    """Return what a task may not take because it is kept for the answer: nothing, where there would be none."""
    if task is not None and (task.task.id == state.answer_root or _nothing_to_answer_from(state, task)):
        return ZERO
    return kept_for_answer(state)


def _nothing_to_answer_from(state: RunState, task: TaskState) -> bool:
    """Whether no task has an output, and none but `task` is about to have one."""
    return len(state.outputs) <= len(_GIVEN) and not could_give_back(state, but=task)


def reserve(state: RunState, task: TaskState) -> Amount | Queued | Problem | None:
    """Return what is to be set aside for a task that wants to start, or why it cannot; None is nothing."""
    card = state.catalog[task.agent]
    if not (card.needs_model or card.asks_model):
        return None
    left = left_for(state, task)
    if left is None:
        return None
    wanted = estimate(state, task.agent)
    if not card.needs_model:
        return wanted.least(left).most(ZERO)
    most = _at_most(state, task)
    if not most.used_up:
        if task.caller is None and _is_behind(state, task):
            return Queued("others wait for the budget before it")
        wanted = wanted.least(most)
        if _covers(left, wanted):
            return wanted
        fits = partial(_covers, wanted=wanted)
        narrow = next((one for one in narrow_accounts(state, task, fits) if _may_come_back(state, one)), None)
        if narrow is not None:
            return Queued(f"{lack_of(state, task)}; it waits for what others give back", narrow.task)
    if left.used_up:
        return Problem("budget", lack_of(state, task), task.task.id, "raise the budget and start again")
    return wanted.least(left)


def _covers(room: Amount, wanted: Amount) -> bool:
    return room.covers(wanted) and not room.used_up


def _chain_of(state: RunState, task: TaskState | None) -> Iterator[Account]:
    """Yield the accounts that a task, or planning, draws on."""
    return chain(state.account if task is None else account_of(state, task))


def _at_most(state: RunState, task: TaskState | None) -> Amount:
    """Return what there would be for a task if everybody gave back what is not used: no waiting brings more."""
    return reduce(Amount.least, [one.allowed - one.spent for one in _chain_of(state, task)])


def narrow_accounts(state: RunState, task: TaskState | None, fits: Fits, *, alone: Fits | None = None) -> list[Account]:
    """Return the accounts in which there is no room now for what `fits`, the narrowest first.

    There is none where no wait can help: it does not fit (`alone`, where that is another question) into what there
    would be if everybody gave back what is not used.
    """
    found: list[Account] = []
    if not (alone or fits)(_at_most(state, task)):
        return found
    below = ZERO
    for one in _chain_of(state, task):
        left = one.allowed - one.spent - one.under_way + below
        if one.task is None:
            left -= _kept_from(state, task)
        if not fits(left):
            found.append(one)
        below += one.held - one.under_way
    return found


def calls_within(state: RunState, accounts: Sequence[Account]) -> bool:
    """Whether a call is under way in one of the accounts: when it is settled there may be more."""
    return any(one is account for call in state.calls.values() for one in chain(call.account) for account in accounts)


def lines_of(state: RunState, task: TaskState | None) -> list[str]:
    """Return where a call of a task, or of planning, may have to stand in line: its accounts, by their tasks."""
    return [one.task or "" for one in _chain_of(state, task) if one.budget.limits_models]


def waits_for(state: RunState, task: TaskState) -> Account | None:
    """Return where others may give back what a running task that found no room could have; None is nowhere.

    What it found too little of nobody says: of what is less than a task of its agent is expected to use.
    """
    left = left_for(state, task)
    if left is None:
        return None
    wanted, budget = estimate(state, task.agent), budget_over(state, task)
    limited = [name for name in ("calls", "tokens", "money") if getattr(budget, f"max_{name}") is not None]
    lacking = [name for name in limited if getattr(left, name) < getattr(wanted, name)] or limited

    def is_more(room: Amount) -> bool:
        return any(getattr(room, name) > getattr(left, name) for name in lacking)

    return next((one for one in narrow_accounts(state, task, is_more) if _may_come_back(state, one, but=task)), None)


def _may_come_back(state: RunState, account: Account, but: TaskState | None = None) -> bool:
    """Whether something may be given back in an account, by others than `but`: in a task's by what is within it."""
    if account.task is None:
        return could_give_back(state, but=but)
    running = (state.tasks[one.task] for one in state.pending.values() if isinstance(one, Dispatch))
    holding = [
        one.account
        for one in running
        if one is not but and one.account is not None and one.account.admitted and not one.open_children
    ]
    holding += [call.account for call in state.calls.values()]
    return any(one is account for holder in holding for one in chain(holder))


def _is_behind(state: RunState, task: TaskState) -> bool:
    """Whether another one's turn comes first: tasks that have no account in common wait for each other never."""
    if state.account is None or task.task.id in (state.called_up, state.answer_root):
        return False
    return state.called_up is not None or (bool(state.queued) and could_give_back(state))


def could_give_back(state: RunState, but: TaskState | None = None) -> bool:
    """Whether something may be given back without anybody from outside; `but` is left out.

    A dispatch that waits for what it delegated gives nothing back: its child may be the very one that asks.
    """
    account = but.account if but is not None else None
    itself = account is not None and account.admitted and but is not None and not but.open_children
    return state.admitted > itself or bool(state.calls)


def lack_of(state: RunState, task: TaskState | None) -> str:
    """Say in words which limit leaves too little for a task, or for planning: the narrowest one first."""
    account = state.account if task is None else account_of(state, task)
    kept = _kept_from(state, task)
    for one in chain(account):
        for name, things, limit, spent, open_, kept_free in _limits(one, kept):
            whose = f" of '{one.task}'" if one.task is not None else ""
            if spent >= limit:
                return f"all of {name} {things}{whose} are {'spent' if things == 'dollars' else 'used'}"
            if spent + open_ >= limit:
                return f"what is left of {name}{whose} is set aside for others"
            if one.within is None and spent + open_ + kept_free >= limit:
                return f"what is left of {name} is kept for the answer"
    return "too little of the budget is left"


def budget_over(state: RunState, task: TaskState | None) -> Budget:
    """Return a budget that limits what is limited for a task, or for planning; how much is left `left_for` says."""
    budgets = [one.budget for one in chain(state.account if task is None else account_of(state, task))]
    limits: dict[str, int | float | None] = {
        name: next((limit for one in budgets if (limit := getattr(one, name)) is not None), None)
        for name in ("max_calls", "max_tokens", "max_money")
    }
    return Budget.model_validate(limits)


def chain(account: Account | None) -> Iterator[Account]:
    """Yield an account and those that it stands within, the run's last."""
    while account is not None:
        yield account
        account = account.within


def _limits(account: Account, kept: Amount) -> Iterator[tuple[str, str, int, int, int, int]]:
    budget, allowed, spent, open_ = account.budget, account.allowed, account.spent, account.under_way
    if budget.max_calls is not None:
        name = f"max_calls={budget.max_calls}"
        yield name, "model calls", allowed.calls, spent.calls, open_.calls, kept.calls
    if budget.max_tokens is not None:
        name = f"max_tokens={budget.max_tokens}"
        yield name, "tokens", allowed.tokens, spent.tokens, open_.tokens, kept.tokens
    if budget.max_money is not None:
        name = f"max_money={budget.max_money}"
        yield name, "dollars", allowed.money, spent.money, open_.money, kept.money


def remaining(state: RunState, task: TaskState, at: float) -> Budget:
    """Return what is left for a task now, as a budget: of its own limits and of those that it stands within."""
    run, left = state.budget, left_for(state, task)
    update: dict[str, int | float] = {}
    if run.max_depth is not None:
        update["max_depth"] = max(0, run.max_depth - task.depth)
    if run.max_tasks is not None:
        update["max_tasks"] = max(0, run.max_tasks - tasks_counted(state))
    end = end_of(state, task)
    if end is not None or state.last_words:
        update["max_seconds"] = max(0.0, end - at) if end is not None else 0.0
    if left is not None:
        limited, left = budget_over(state, task), left.most(ZERO)
        amounts = {"max_calls": left.calls, "max_tokens": left.tokens, "max_money": left.money / DOLLAR}
        update |= {name: amount for name, amount in amounts.items() if getattr(limited, name) is not None}
    return run.model_copy(update=update) if update else run


def end_of(state: RunState, task: TaskState) -> float | None:
    """Return when the time of a task, of those that it works for, or of the run is up; seconds since the epoch."""
    end = end_of_run(state)
    if task.account is None and task.caller is None:
        return end
    ends = [] if end is None else [end]
    account = account_of(state, task)
    ends += [end for one in chain(account) if (end := end_of_time(state, one)) is not None]
    return min(ends, default=None)
