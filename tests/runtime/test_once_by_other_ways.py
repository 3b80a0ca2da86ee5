"""Promise 4 when the next attempt comes to the tool by another way: its caller, or another agent, has acted before."""

from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.errors import PermanentError
from agentorch.runtime.outcome import OutcomeStatus

WAYS = ["itself", "in a step", "by its payer", "by another payer"]


@pytest.mark.parametrize("second", WAYS)
@pytest.mark.parametrize("first", WAYS)
async def test_what_was_done_by_one_way_is_not_done_by_another(first: str, second: str) -> None:
    """A person is asked before, where the key does not tell; by the same way there is the receipt."""
    made: list[str] = []

    @tool(effect="once")
    async def pay(who: str) -> str:
        """Pay."""
        made.append(who)
        return f"paid {who}"

    @agent(description="Pays.", tools=[pay])
    async def payer(who: str, context: Context) -> str:
        return str(await context.tool(pay, who=who))

    @agent(description="Pays, too.", tools=[pay])
    async def cashier(who: str, context: Context) -> str:
        return str(await context.tool(pay, who=who))

    async def paid(context: Context, way: str) -> Any:
        if way.startswith("by"):
            return await context.call(payer if way == "by its payer" else cashier, who="al")
        if way == "itself":
            return await context.tool(pay, who="al")
        return await context.step("inner", lambda: context.tool(pay, who="al"))

    @agent(description="Has it paid, and fails.", tools=[pay], fallback=["second_clerk"])
    async def first_clerk(context: Context) -> str:
        await paid(context, first)
        raise PermanentError("the printer is on fire")

    @agent(description="Has it paid.", tools=[pay])
    async def second_clerk(context: Context) -> str:
        return str(await paid(context, second))

    plan = Plan("pay")
    plan.add("t", agent=first_clerk)
    async with Orchestrator([first_clerk, second_clerk, payer, cashier]) as orchestrator:
        outcome = await orchestrator.run(plan, policy=Policy(replans=0))

    expected = OutcomeStatus.SUCCEEDED if first == second else OutcomeStatus.WAITING
    assert (outcome.status, made) == (expected, ["al"])
