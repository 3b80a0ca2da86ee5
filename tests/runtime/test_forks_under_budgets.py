"""A fork under a budget: what its parent had under way counts, and what it may cost is known."""

import asyncio
from typing import Any

import pytest

from agentorch import Budget, Context, Orchestrator, Plan, agent
from agentorch.core.usage import Usage
from agentorch.ports.model import ModelRequest, ModelResponse
from agentorch.testing import ScriptedModel
from tests.runtime.test_forking import head_of


@pytest.mark.parametrize(
    ("calls", "status", "answer"), [(1, "failed", None), (2, "succeeded", "said")], ids=["no more", "one more"]
)
async def test_a_call_that_was_under_way_counts_in_the_fork(calls: int, status: str, answer: str | None) -> None:
    """Nobody will tell the fork what it used: it is charged at once, and what is left of the budget is free."""
    begun, gate = asyncio.Event(), asyncio.Event()

    class Slow(ScriptedModel):
        async def complete(self, request: ModelRequest, **options: Any) -> ModelResponse:
            if not begun.is_set():
                begun.set()
                await gate.wait()
            return await super().complete(request, **options)

    @agent(description="Asks the model.")
    async def asker(context: Context) -> str:
        return await context.model("say")

    plan = Plan("x")
    plan.add("a", agent=asker)
    async with Orchestrator([asker], model=Slow(["said", "said"])) as orchestrator:
        parent = await orchestrator.submit(plan, budget=Budget(max_calls=calls))
        await begun.wait()
        fork = await orchestrator.fork(parent.id, at=await head_of(orchestrator, parent.id))
        gate.set()
        outcome = await parent.outcome()

    assert (str(fork.status), fork.answer) == (status, answer)
    assert fork.usage.calls == calls
    assert (outcome.answer, outcome.usage.calls) == ("said", 1)


async def test_a_fork_under_a_limit_of_money_knows_the_prices() -> None:
    """What its tasks may cost is known as in the other run."""

    class Priced(ScriptedModel):
        def cost(self, usage: Usage) -> float:
            return usage.output_tokens / 1_000_000

    model = Priced(["one", "two"])

    @agent(description="Asks the model.", needs_model=True)
    async def asker(context: Context) -> str:
        return await context.model("say")

    plan = Plan("x")
    plan.add("a", agent=asker)
    async with Orchestrator([asker], model=model) as orchestrator:
        parent = await orchestrator.submit(plan, budget=Budget(max_money=1.0))
        await parent.outcome()
        fork = await orchestrator.start_fork(parent.id, at=parent._hosted.state.seq)
        await fork.outcome()
        prices = [run._hosted.state.catalog["asker"].call_money for run in (parent, fork)]

    assert prices[0] == prices[1] > 0
