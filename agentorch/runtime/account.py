"""A run's account: what its model calls have used, those under way included.

`max_calls=3` makes exactly three: a call is counted when it is made, not when it is answered. Tokens and money are
checked before each call against what is known by then, so a run overshoots by at most the calls in flight.
"""

from agentorch.core.failures import FailureKind
from agentorch.core.usage import NOTHING, Budget, Usage
from agentorch.errors import ModelError


class Account:
    """One run's model use against its budget."""

    def __init__(self, budget: Budget, spent: Usage = NOTHING) -> None:
        self.budget = budget
        self.spent = spent
        """Settled use, and one call for each under way."""

    def reserve(self) -> None:
        """Count one call in; raise ModelError of kind BUDGET when a limit is reached."""
        lack = self.budget.exhausted_by(self.spent)
        if lack is not None:
            raise ModelError(f"the budget is used up: {lack}", kind=FailureKind.BUDGET)
        self.spent += Usage(calls=1)

    def settle(self, usage: Usage) -> None:
        """Add what a reserved call used; its own call is counted already."""
        self.spent += usage + Usage(calls=-1)
