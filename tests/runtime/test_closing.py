"""Closing an orchestrator, as Ctrl-C does: calls with an effect have their time to end in."""

import asyncio

import pytest

from agentorch import Context, Orchestrator, Plan, agent, tool
from agentorch.journal.memory import MemoryJournal
from agentorch.testing import LoopClock


@pytest.mark.looptime
@pytest.mark.parametrize(("takes", "known"), [(3, True), (5, False)])
async def test_closing_waits_for_an_effect_as_a_cancel_does(takes: float, known: bool) -> None:
    """Most of the task's grace, in the event loop too; what has not ended then is cut off, and is not known."""
    journal = MemoryJournal()
    said: list[str] = []

    @tool(effect="once")
    async def pay() -> str:
        try:
            await asyncio.sleep(takes)
        finally:
            said.append("ended")
        said.append("paid")
        return "paid"

    @agent(name="payer", description="Pays.", tools=[pay], attempts=1)
    async def payer(context: Context) -> str:
        return str(await context.tool(pay))

    plan = Plan("pay")
    plan.add("one", agent="payer")
    async with Orchestrator([payer], journal=journal, clock=LoopClock()) as before:
        run = await before.submit(plan)
        await asyncio.sleep(0.5)
        began = asyncio.get_running_loop().time()
    took = asyncio.get_running_loop().time() - began
    async with Orchestrator([payer], journal=journal, clock=LoopClock()) as after:
        outcome = await after.resume(run.id)

    assert (said, outcome.answer) == (["ended", "paid"] if known else ["ended"], "paid" if known else None)
    assert took == pytest.approx(2.5 if known else 4, abs=0.1)
