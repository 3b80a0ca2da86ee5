"""A user's own class as a model: what it does not say of money is unknown, never nothing."""

from typing import Any

import pytest

from agentorch import Agent, Budget, Context, Orchestrator, Plan, Policy, agent
from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError, FailureKind, ModelError
from agentorch.models import GovernedModel, Governor
from agentorch.ports.model import ModelRequest, ModelResponse, OnDelta, is_priced, used_by, wasted, wasted_by

SAID = Usage(1_000_000, 1_000_000, calls=1)


class Own:
    """What the protocol asks for, and no more."""

    name = "own"

    def __init__(self, usage: Usage = SAID) -> None:
        self.calls = 0
        self._usage = usage

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        self.calls += 1
        return ModelResponse("said", "stop", usage=self._usage)

    def count(self, text: str) -> int:
        return len(text) // 4

    async def close(self) -> None:
        pass


class Free(Own):
    """Says that its price is known, and no price."""

    priced = True


class Sold(Own):
    """Says what it costs: a thousandth of a dollar for a thousand tokens."""

    def cost(self, usage: Usage) -> float | None:
        return usage.tokens / 1_000_000


class Unknown(Own):
    """Could say what it costs and does not know."""

    def cost(self, usage: Usage) -> float | None:
        return None


@agent(description="Asks twice.", needs_model=True)
async def asking(context: Context) -> str:
    """Ask."""
    return await context.model("hello") + await context.model("hello again")


def plan(doer: Agent, **given: Any) -> Plan:
    """Return a plan of one task."""
    made = Plan("ask")
    made.add("only", agent=doer, **given)
    return made


@pytest.mark.parametrize("model", [Own(), Unknown()], ids=["silent", "ignorant"])
async def test_one_that_does_not_say_what_it_costs_is_not_used_under_a_limit_of_money(model: Own) -> None:
    """Not even to plan; without such a limit its calls are counted as unpriced."""
    async with Orchestrator([asking], model=model) as orchestrator:
        for goal in ("ask", plan(asking)):
            with pytest.raises(ConfigurationError, match=r"price of model 'own' is unknown.*`cost`"):
                await orchestrator.run(goal, budget=Budget(max_money=0.01))
        refused = model.calls
        outcome = await orchestrator.run(plan(asking))

    assert (refused, outcome.answer) == (0, "saidsaid")
    assert (outcome.usage.calls, outcome.usage.money, outcome.usage.unpriced) == (2, 0.0, 2)


async def test_neither_over_a_call_nor_under_a_limit_of_the_task_s_own() -> None:
    """What no plan shows is refused when the model would be asked."""
    model = Own()
    own = Agent("own", description="Writes.", prompt="Write.", model=model)

    @agent(description="Calls.")
    async def calling(context: Context) -> str:
        return await context.call(own)

    messages: list[str] = []
    async with Orchestrator([own, calling], policy=Policy(replans=0)) as orchestrator:
        for made, budget in (
            (plan(calling), Budget(max_money=0.01)),
            (plan(calling, budget=Budget(max_money=0.02)), None),
            (plan(own, budget=Budget(max_money=0.03)), None),
        ):
            outcome = await orchestrator.run(made, budget=budget)
            messages += [f"{problem.code} {problem.message}" for problem in outcome.problems]

    words = "the price of model 'own' is unknown, so max_money="
    assert messages == [
        f"budget 'own' failed: {words}0.01 could not be held",
        f"budget 'own' failed: {words}0.02 could not be held",
        f"budget {words}0.03 could not be held",
    ]
    assert model.calls == 0


async def test_one_that_says_what_it_costs_is_limited_by_that() -> None:
    """A call that does not fit into what is left is not made."""
    model = Sold(Usage(4, 996, money=0.001))
    async with Orchestrator([asking], model=model, policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(plan(asking), budget=Budget(max_money=0.001))

    assert (model.calls, outcome.usage.unpriced) == (1, 0)
    assert [problem.code for problem in outcome.problems if problem.task == "only"] == ["budget"]


def test_what_a_model_says_of_money() -> None:
    """Its `priced`, else whether its `cost` knows any; a governor says what its model does."""
    governor = Governor("x")
    models = [Own(), Unknown(), Sold(), Free()]
    assert [is_priced(model) for model in models] == [False, False, True, True]
    assert [GovernedModel(model, governor).priced for model in models] == [False, False, True, True]


def test_what_nobody_gives_a_price_for_is_unpriced() -> None:
    """An answer always; a call that brought none, where anything was used."""
    money = Usage(1, 1, money=0.5)
    assert used_by(Own(), SAID) == Usage(1_000_000, 1_000_000, calls=1, unpriced=1)
    assert used_by(Own(), money) == Usage(1, 1, calls=1, money=0.5)
    assert used_by(Free(), SAID) == SAID

    error = ModelError("broke off", kind=FailureKind.TRANSIENT)
    assert wasted_by(error, Own()) == Usage(calls=1)
    wasted(error, Usage(5))
    assert wasted_by(error, Own()) == Usage(5, calls=1, unpriced=1)
    assert wasted_by(error) == Usage(5, calls=1)
