"""What a body is given has been kept before: an answer of a person, and the output of an agent that it calls."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, agent, tool
from agentorch.core.events import Event
from agentorch.journal.memory import MemoryJournal
from agentorch.testing import LoopClock


class Slow(MemoryJournal):
    """A journal that takes its time, and knows what it has acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        """Acknowledge events after a while."""
        super().append(run_id, events, after=after)
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()

        def acknowledge() -> None:
            self.kept += [event.type for event in events]
            if not kept.cancelled():
                kept.set_result(None)

        loop.call_later(1, acknowledge)
        return kept


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
    journal = Slow()
    seen: list[bool] = []

    @tool(approval=True)
    async def buy() -> str:
        """Buy."""
        seen.append(event in journal.kept)
        return "bought"

    @agent(description="Helps.")
    async def helper() -> str:
        return "done"

    @agent(description="Asks.", tools=[buy])
    async def asking(context: Context) -> Any:
        if how == "tool":
            return await context.tool(buy)
        said = await (context.ask("Well?", bool) if how == "ask" else context.call(helper))
        seen.append(event in journal.kept)
        return said

    plan = Plan("ask")
    plan.add("one", agent=asking)
    async with Orchestrator([asking, helper], journal=journal, clock=LoopClock(), on_request=agree) as runs:
        outcome = await runs.run(plan)

    assert (outcome.status, seen) == ("succeeded", [True])
