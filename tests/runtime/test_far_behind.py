"""What is not durable is bounded: a run waits for a journal that is far behind, and goes on when it has caught up."""

import asyncio
from collections.abc import Sequence

import pytest

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.core.events import Event
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.hosted import BEHIND

TASKS = 2 * BEHIND


class Slow(MemoryJournal):
    """A journal whose appends are durable when the test says so; only the first is at once."""

    durable = True

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[asyncio.Future[None]] = []
        self.held = False
        self.most = 0

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        done = super().append(run_id, events, after=after)
        self.most = max(self.most, len(events) if after else 0)
        if not self.held:
            return done
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        return future


@pytest.mark.timeout(30)
@pytest.mark.parametrize("shape", ["chain", "wide"])
async def test_a_run_waits_for_a_journal_that_is_far_behind(shape: str) -> None:
    """Of many tasks that do nothing only so many are begun while an append is under way."""
    journal, begun = Slow(), 0

    @agent(description="Does nothing.")
    async def nothing() -> int:
        nonlocal begun
        begun += 1
        journal.held = True
        return begun

    plan = Plan("nothing", answer=f"$t{TASKS - 1}")
    for number in range(TASKS):
        plan.add(f"t{number}", agent=nothing, needs=[f"t{number - 1}"] if shape == "chain" and number else [])
    async with Orchestrator([nothing], journal=journal, policy=Policy(parallel=8)) as orchestrator:
        running = asyncio.ensure_future(orchestrator.run(plan))
        while not running.done():
            before = -1
            while before != begun:
                before = begun
                for _ in range(5):
                    await asyncio.sleep(0)
            for future in journal.waiting:
                if not future.done():
                    future.set_result(None)
            await asyncio.sleep(0)
    assert (await running).raise_for_problems().status == "succeeded"
    assert begun == TASKS
    assert BEHIND // 2 < journal.most <= BEHIND + 64
