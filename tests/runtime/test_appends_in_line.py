"""Promise 8 in a single owner: behind an append that was refused, none of its next ones falls into place."""

import asyncio
from pathlib import Path

import pytest

from agentorch import Context, Orchestrator, Plan, agent
from agentorch.errors import AgentorchError
from agentorch.journal.memory import MemoryJournal


@agent(description="Answers.", approval="before")
async def asker(context: Context) -> str:
    return "done"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_who_was_passed_over_writes_nothing_whatever_it_decides_at_once(kind: str, tmp_path: Path) -> None:
    """The new owner has written as many events as the old one's first append has: its second one is refused too."""
    journal = MemoryJournal() if kind == "memory" else tmp_path / "runs.db"
    plan = Plan("ask")
    plan.add("only", agent=asker)
    async with Orchestrator([asker], journal=journal) as old, Orchestrator([asker], journal=journal) as new:
        stale = await old.submit(plan)
        await stale.rest()
        run = await new.take_up(stale.id)
        request = stale.waiting[0].request_id
        said = await asyncio.gather(stale.stop(), stale.answer(request, True), return_exceptions=True)
        await run.answer(request, True)
        outcome = await run.outcome()

    assert all(isinstance(error, AgentorchError) for error in said)
    assert outcome.answer == "done"
