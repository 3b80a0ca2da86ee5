"""The terms of one model call under a budget: what is set aside for it, and how much it may say.

1. The provider enforces it: `max_output_tokens` is never more than what is set aside, so an answer cannot pass it.
2. What is asked is counted by us, and the count may be off. While other calls are under way it is taken half as much
   again, so that together they stay within what is left; a call that is alone takes all that is left, and may pass it
   by what its own count was too low.
3. A call without a limit of its own gets a share of what is left, so that others may go on beside it, but never less
   than a usual answer while it could wait for more.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from agentorch.core.accounts import DOLLAR, Amount
from agentorch.core.usage import Budget, Usage
from agentorch.ports.model import Model, ModelRequest

USUAL_OUTPUT: Final = 1_000
"""Tokens of a usual answer."""
LONG_OUTPUT: Final = 32_000
"""Tokens that are set aside at most for an answer whose length nobody limited."""
SHARE: Final = 4
"""One part in so many of what is left is set aside for such an answer."""
DOUBT: Final = 1.5
"""How much more than counted the input of a call may be, while others are under way."""
_MESSAGE_TOKENS: Final = 4

Price = Callable[[Usage], float]
"""What so much use costs, in US dollars."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call wants."""

    input: int
    """Tokens, as counted."""
    output: int | None
    """The most tokens that it wants said; None is no limit of its own."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a call gets."""

    reserved: Usage
    expected: Usage
    output: int | None
    """The most tokens that may be said; None is what the request says itself."""


def terms_of(asked: Asked, left: Amount, budget: Budget, price: Price, *, alone: bool) -> Terms | None:
    """Return the terms of a call where `left` is left of what `budget` limits; None when it does not fit.

    A call that is not `alone` may fit when others have ended.
    """
    if left.calls < 1:
        return None
    if budget.max_tokens is None and budget.max_money is None:
        one = Usage(calls=1)
        return Terms(one, one, None)
    counted = asked.input if alone else math.ceil(asked.input * DOUBT)
    room = left.tokens - counted if budget.max_tokens is not None else LONG_OUTPUT
    if budget.max_money is not None:
        room = min(room, _affordable(left.money / DOLLAR, counted, price, wanted=asked.output or LONG_OUTPUT))
    usual = min(USUAL_OUTPUT, asked.output or USUAL_OUTPUT)
    if room < (1 if alone else usual):
        return None
    output = min(room, asked.output or max(_share(room, alone=alone), usual))
    expected = Usage(asked.input, min(output, usual))
    return Terms(_priced(Usage(counted, output), price), _priced(expected, price), output)


def _share(room: int, *, alone: bool) -> int:
    if alone and room <= SHARE * USUAL_OUTPUT:
        return room
    return min(LONG_OUTPUT, room // SHARE)


def _affordable(dollars: float, input: int, price: Price, *, wanted: int) -> int:
    """Return how many tokens may be said for so much money, if the input is paid for; below 1 when it is not."""
    paid = price(Usage(input))
    whole = price(Usage(input, wanted))
    if whole <= dollars:
        return wanted if dollars > 0 else 0
    return math.floor((dollars - paid) / (whole - paid) * wanted) if whole > paid else 0


def _priced(usage: Usage, price: Price) -> Usage:
    return Usage(usage.input_tokens, usage.output_tokens, calls=1, money=price(usage), approximate=True)


def asked_by(request: ModelRequest, model: Model) -> Asked:
    """Count what a request asks."""
    texts = [message.content for message in request.messages]
    texts += [call.name + call.arguments for message in request.messages for call in message.tool_calls]
    texts += [f"{tool.name} {tool.description} {tool.parameters}" for tool in request.tools]
    texts += [str(request.output.schema)] if request.output is not None else []
    counted = sum(model.count(text) for text in texts) + _MESSAGE_TOKENS * len(request.messages)
    return Asked(counted, request.max_output_tokens)


def price_at(model: Any, spent: Usage) -> Price:
    """Return what use of `model` costs; where it does not say, what the run's calls have cost so far on average."""
    cost: Any = getattr(model, "cost", None)
    usual = spent.money / spent.calls if spent.calls else 0.0

    def price(usage: Usage) -> float:
        said: float | None = cost(usage) if cost is not None else None
        return usual if said is None else said

    return price
