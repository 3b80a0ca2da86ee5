"""Forks under limits of time: what passed before them is the other run's."""

import anyio
import pytest

from agentorch import Budget, Orchestrator, Plan, agent
from agentorch.events import TaskStarted
from agentorch.testing import LoopClock


@pytest.mark.looptime
async def test_a_fork_of_an_old_run_has_all_of_its_time() -> None:
    """Its own limit and that of a task that was under way begin when it does."""

    @agent(description="Takes four seconds.")
    async def slow() -> str:
        await anyio.sleep(4)
        return "done"

    plan = Plan("slow")
    plan.add("a", agent=slow)
    plan.add("b", agent=slow, needs=("a",), budget=Budget(max_seconds=6))
    async with Orchestrator([slow], budget=Budget(max_seconds=9), clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan)
        await run.outcome()
        at = [event.seq async for event in run if isinstance(event, TaskStarted)][-1]
        await anyio.sleep(1_200)
        outcome = await orchestrator.fork(run.id, at=at)

    assert (outcome.status, outcome.problems, outcome.seconds) == ("succeeded", (), pytest.approx(4))
