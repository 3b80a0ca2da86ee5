"""Promise 8: one writer per run, fenced by compare-and-swap, on every journal."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.errors import JournalConflict, RunOwnedError
from agentorch.events import RunFinished, TaskStarted
from agentorch.journal.memory import MemoryJournal
from agentorch.journal.sqlite import SqliteJournal
from agentorch.runtime.outcome import OutcomeStatus


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_who_adopts_a_run_fences_its_old_owner(kind: str, tmp_path: Path) -> None:
    """Two orchestrators on one journal: after the second adopts, the first can write nothing more."""
    gate, adopted = asyncio.Event(), asyncio.Event()
    calls: list[str] = []
    memory = MemoryJournal()
    places: list[Any] = (
        [memory, memory] if kind == "memory" else [SqliteJournal(tmp_path / "runs.db") for _ in range(2)]
    )

    @agent(description="Waits for the gate.")
    async def waiting() -> str:
        calls.append("called")
        if len(calls) == 2:
            adopted.set()
        await gate.wait()
        return "through"

    plan = Plan("wait")
    plan.add("only", agent=waiting)
    async with (
        Orchestrator([waiting], journal=places[0]) as first,
        Orchestrator([waiting], journal=places[1]) as second,
    ):
        run = await first.submit(plan)
        # What the first owner has decided must be on the disk before the second reads it: this is a take-over, no race.
        async with aclosing(run.events()) as seen:
            async for event in seen:
                if isinstance(event, TaskStarted):
                    break
        with pytest.raises(RunOwnedError, match="is being carried out by"):
            await second.resume(run.id)
        places[0].disclaim(run._hosted.state.owner)  # as if its process had died
        taking_over = asyncio.create_task(second.resume(run.id))
        await adopted.wait()
        gate.set()
        outcome = await taking_over
        with pytest.raises(JournalConflict):
            await run.outcome()
        events = await places[1].read(run.id)

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert sum(isinstance(event, RunFinished) for event in events) == 1
