"""Promise 3: nothing is paid for twice.

Held today for whole tasks: what has finished is never run again after a crash or a resume. Model and tool calls inside
an attempt that was cut off are to follow (steps).
"""

import asyncio
from pathlib import Path

from agentorch import Orchestrator, Plan, agent
from agentorch.runtime.outcome import OutcomeStatus


async def test_a_resumed_run_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    """The owner goes away in the middle: finished tasks are read back, the one in flight runs again, once."""
    calls: list[str] = []
    stuck = asyncio.Event()

    @agent(description="Counts its calls.")
    async def counted(name: str) -> str:
        calls.append(name)
        if name == "slow" and calls.count("slow") == 1:
            stuck.set()
            await asyncio.Event().wait()
        return name

    plan = Plan("three in a row")
    first = plan.add("first", agent=counted, inputs={"name": "first"})
    slow = plan.add("slow", agent=counted, inputs={"name": "slow"}, needs=[first])
    plan.add("last", agent=counted, inputs={"name": "last"}, needs=[slow])
    journal = tmp_path / "runs.db"
    async with Orchestrator([counted], journal=journal) as before:
        run = await before.submit(plan)
        await stuck.wait()

    async with Orchestrator([counted], journal=journal) as after:
        outcome = await after.resume(run.id)
        again = await after.resume(run.id)

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert calls == ["first", "slow", "slow", "last"]
    assert dict(again.outputs) == dict(outcome.outputs) == {"first": "first", "slow": "slow", "last": "last"}


async def test_the_same_key_starts_one_run(tmp_path: Path) -> None:
    """Two requests under one key are one run, also after a restart."""
    calls: list[str] = []

    @agent(description="Counts its calls.")
    async def counted(goal: str) -> str:
        calls.append(goal)
        return goal

    async with Orchestrator([counted], journal=tmp_path / "runs.db") as one:
        first = await one.run("pay", key="order-7")
    async with Orchestrator([counted], journal=tmp_path / "runs.db") as two:
        second = await two.run("pay", key="order-7")

    assert calls == ["pay"]
    assert (first.run_id, first.answer) == (second.run_id, second.answer)
