"""A run's account: what its model calls have used, those under way included.

`max_calls=3` makes exactly three: a call is counted when it is made, not when it is answered. Tokens and money are
checked before each call against what is known by then, so a run overshoots by at most the calls in flight.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Final

from agentorch.core.failures import FailureKind
from agentorch.core.usage import NOTHING, Budget, Usage
from agentorch.errors import ModelError
from agentorch.planning.model_planner import Complete
from agentorch.ports.model import Model, ModelRequest, ModelResponse, OnDelta

PLANNING_FOR: Final[ContextVar["Account | None"]] = ContextVar("planning_for", default=None)
"""The account of the run that a planner is working for, in the planner's own task."""


class Account:
    """One run's model use against its budget."""

    def __init__(
        self,
        budget: Callable[[], Budget],
        *,
        within: "Account | None" = None,
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        self._budget = budget
        self.heard = heard
        """To be called at each word of a model that is charged to it."""
        self._within = within
        """The account of which this one is a part: what is used here is used there."""
        self.spent = NOTHING
        """Settled use, and one call for each under way."""

    def reserve(self) -> None:
        """Count one call in; raise ModelError of kind BUDGET when a limit is reached."""
        lack = self._budget().exhausted_by(self.spent)
        if lack is not None:
            raise ModelError(f"the budget is used up: {lack}", kind=FailureKind.BUDGET)
        if self._within is not None:
            self._within.reserve()
        self.spent += Usage(calls=1)

    def settle(self, usage: Usage) -> None:
        """Add what a reserved call used; its own call is counted already."""
        if self._within is not None:
            self._within.settle(usage)
        self.spent += usage + Usage(calls=-1)


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
        account.reserve()
        used = Usage(calls=1)
        try:
            response = await model.complete(request, on_delta=on_delta and _heard(on_delta, account))
            used = replace(response.usage, calls=1)
        finally:
            account.settle(used)
        return response

    return complete


def _heard(on_delta: OnDelta, account: Account) -> OnDelta:
    def heard(piece: str) -> None:
        account.heard()
        on_delta(piece)

    return heard
