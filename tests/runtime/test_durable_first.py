"""What a body is given has been kept before: an answer of a person, and the output of an agent that it calls."""

from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, agent, tool
from agentorch.testing import FaultyJournal, LoopClock


def agree(request: object) -> bool:
    """Say yes."""
    del request
    return True


@pytest.mark.parametrize(
    ("how", "event"),
    [("ask", "RequestAnswered"), ("tool", "RequestAnswered"), ("call", "TaskSucceeded")],
)
@pytest.mark.looptime
async def test_a_body_goes_on_with_what_is_durable(how: str, event: str) -> None:
    """Killed right behind it, the next one is given the same."""
    journal = FaultyJournal(delay=1)
    seen: list[bool] = []

    @tool(approval=True)
    async def buy() -> str:
        """Buy."""
        seen.append(event in {one.type for one in journal.kept})
        return "bought"

    @agent(description="Helps.")
    async def helper() -> str:
        return "done"

    @agent(description="Asks.", tools=[buy])
    async def asking(context: Context) -> Any:
        if how == "tool":
            return await context.tool(buy)
        said = await (context.ask("Well?", bool) if how == "ask" else context.call(helper))
        seen.append(event in {one.type for one in journal.kept})
        return said

    plan = Plan("ask")
    plan.add("one", agent=asking)
    async with Orchestrator([asking, helper], journal=journal, clock=LoopClock(), on_request=agree) as runs:
        outcome = await runs.run(plan)

    assert (outcome.status, seen) == ("succeeded", [True])
