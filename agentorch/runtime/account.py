"""Accounts of whoever calls models for a run: a dispatch, or a planner.

1. The books are the core's: what is open and what is spent stands in the state, and in the journal.
2. A call is journaled before it leaves, so that it counts even when nobody lives to see its answer.
3. A call that does not fit waits for those under way that may leave more for it, in turn; with none it is refused in
   words. It stands behind those that wait for the same account, and behind no others.
4. Where nothing limits models there is nothing of all this.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

from agentorch.core import inbox
from agentorch.core.accounts import Account as CoreAccount
from agentorch.core.accounts import Amount
from agentorch.core.empties import own
from agentorch.core.events import Event
from agentorch.core.failures import FailureKind
from agentorch.core.reservations import budget_over, calls_within, lack_of, left_for, lines_of, narrow_accounts
from agentorch.core.state import TaskState
from agentorch.core.usage import NOTHING, Usage
from agentorch.errors import ModelError
from agentorch.models import WAITING
from agentorch.planning.model_planner import Complete
from agentorch.ports.model import Model, ModelRequest, ModelResponse, OnDelta, is_priced, used_by, wasted_by
from agentorch.runtime.call_terms import Asked, Terms, asked_by, price_at, terms_of
from agentorch.runtime.hosted import HostedRun

PLANNING_FOR: Final[ContextVar["Account | None"]] = ContextVar("planning_for", default=None)
"""The account of the run that a planner is working for, in the planner's own task."""


class Books(Protocol):
    """Who writes the journal: the supervisor."""

    def send(self, run: HostedRun, message: inbox.Message) -> list[Event]:
        """Decide on a message; return what was decided."""
        ...

    def now(self) -> float:
        """Return the time of the next decision."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may be made."""

    name: str
    """What it is called in the journal; empty where nothing limits it."""
    request: ModelRequest
    """What is to be asked: it may say no more than there is room for."""


class Account:
    """One dispatch's, or one planner's, use of models."""

    def __init__(
        self, books: Books, run: HostedRun, *, key: str | None = None, heard: Callable[[], None] = lambda: None
    ) -> None:
        self._books = books
        self._run = run
        self._key = key
        self.heard = heard
        """To be called at each word of a model that is charged to it."""
        self.untold = NOTHING
        """What was used and is not charged yet: where nothing limits models, whoever asked has to say it."""
        self.told = NOTHING
        """What was used and is charged."""

    async def open(self, request: ModelRequest, model: Model) -> Call:
        """Count a call in and say what it may ask; raise ModelError of kind BUDGET when there is no room for it."""
        if self._left() is None:
            return Call("", request)
        if not is_priced(model):
            self._no_limit_of_money(model)
        asked = asked_by(request, model) if self._counts else Asked(0, None)
        name, terms = await self._opened(asked, model)
        try:
            await self._run.durable()
        except BaseException:
            self.settle(Call(name, request), NOTHING)
            raise
        return Call(name, request if terms.output is None else replace(request, max_output_tokens=terms.output))

    async def _opened(self, asked: Asked, model: Model) -> tuple[str, Terms]:
        """Open the call when there is room for it; until then it waits in line."""
        line = self._line()
        if line is None and (terms := self._terms(asked, model)) is not None:
            return self._open(terms, model), terms
        waiting = WAITING.get() or _nobody
        waiting(True)
        try:
            async with line or self._line_for(asked, model):
                while (terms := self._terms(asked, model)) is None:
                    await self._run.next_settlement()
                return self._open(terms, model), terms
        finally:
            waiting(False)

    def settle(self, call: Call, used: Usage) -> None:
        """Charge a call with what it used, unless that is done already."""
        if not call.name:
            self.untold += used
            return
        self.told += used
        if self._run.lost is None:
            purpose = "planning" if self._key is None else f"a call of {self._key}"
            self._books.send(self._run, inbox.Spend(self._books.now(), purpose, used, call.name))

    def _open(self, terms: Terms, model: Model) -> str:
        name = f"{self._key or 'planning'}#{self._run.state.seq + 1}"
        expected = terms.expected if is_priced(model) else replace(terms.expected, unpriced=1)
        message = inbox.CallModel(
            self._books.now(), name, terms.reserved, expected, self._key, "" if self._key else "planning"
        )
        if not self._books.send(self._run, message):
            raise asyncio.CancelledError(f"{self._key or 'the planner'} is no longer carried out")
        return name

    def _terms(self, asked: Asked, model: Model) -> Terms | None:
        """Return the terms of a call; None while it has to wait; raise ModelError when waiting would be in vain."""
        state, left = self._run.state, self._left()
        if left is None:
            raise asyncio.CancelledError(f"{self._key} is no longer carried out")
        budget = budget_over(state, self._task())
        terms_in = partial(terms_of, asked, budget=budget, price=price_at(model, state.spent))
        terms = terms_in(left, alone=not state.calls)
        if terms is None and not calls_within(state, self._narrow(terms_in)):
            terms = terms_in(left, alone=True)
            if terms is not None:
                return terms
            raise ModelError(f"the budget is used up: {self._lack(asked)}", kind=FailureKind.BUDGET)
        return terms

    @property
    def _counts(self) -> bool:
        """Whether it matters how long a request is."""
        budget = budget_over(self._run.state, self._task())
        return budget.max_tokens is not None or budget.max_money is not None

    def _no_limit_of_money(self, model: Model) -> None:
        limit = budget_over(self._run.state, self._task()).max_money
        if limit is not None:
            words = f"the price of model {model.name!r} is unknown, so max_money={limit:g} could not be held"
            raise ModelError(words, kind=FailureKind.BUDGET)

    def _narrow(self, terms_in: Callable[..., Terms | None]) -> list[CoreAccount]:
        """Return the accounts in which there is no room for a call, if there could be any."""
        state = self._run.state

        def fits(room: Amount, *, alone: bool) -> bool:
            return terms_in(room, alone=alone) is not None

        now = partial(fits, alone=not state.calls)
        return narrow_accounts(state, self._task(), now, alone=partial(fits, alone=True))

    def _line(self) -> asyncio.Lock | None:
        """Return the line in which others wait already for an account that the call draws on, if there is one."""
        lines = self._run.lines
        names = lines_of(self._run.state, self._task()) if lines else ()
        return next((lines[name] for name in names if name in lines and lines[name].locked()), None)

    def _line_for(self, asked: Asked, model: Model) -> asyncio.Lock:
        """Return the line of the account in which there is no room for a call."""
        state = self._run.state
        budget = budget_over(state, self._task())
        narrow = self._narrow(partial(terms_of, asked, budget=budget, price=price_at(model, state.spent)))
        return own(self._run, "lines").setdefault(narrow[0].task or "" if narrow else "", asyncio.Lock())

    def _task(self) -> TaskState | None:
        return None if self._key is None else self._run.state.of_key(self._key)

    def _left(self) -> Amount | None:
        task = self._task()
        return None if task is None and self._key is not None else left_for(self._run.state, task)

    def _lack(self, asked: Asked) -> str:
        left = self._left()
        words = lack_of(self._run.state, self._task())
        if left is None or left.used_up or not asked.input:
            return words
        return f"a call that asks {asked.input} tokens does not fit into what is left"


def _nobody(begins: bool) -> None:
    """Nobody minds how long it waits."""


def charged(model: Model, *, silence: float | None) -> Complete:
    """Return the model's `complete` for planners: counted against the run that is being planned.

    A planner's call is lost after `silence` seconds without a word, as a task's is.
    """

    async def complete(request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        if request.silence is None:
            request = replace(request, silence=silence)
        account = PLANNING_FOR.get()
        if account is None:
            return await model.complete(request, on_delta=on_delta)
        call = await account.open(request, model)
        try:
            response = await model.complete(call.request, on_delta=on_delta and _heard(on_delta, account))
        except BaseException as error:
            account.settle(call, wasted_by(error, model))
            raise
        account.settle(call, used_by(model, response.usage))
        return response

    return complete


def _heard(on_delta: OnDelta, account: Account) -> OnDelta:
    def heard(piece: str) -> None:
        account.heard()
        on_delta(piece)

    return heard
