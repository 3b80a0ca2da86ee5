"""A run that is long enough for a fault in its middle, and how it fares in one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from agentorch import Orchestrator, Plan, agent
from agentorch.errors import AgentorchError
from agentorch.runtime.outcome import OutcomeStatus

KEY = "long"
TASKS = 120


@agent(description="Writes a page.")
async def writer(number: int, before: list[str]) -> str:
    await asyncio.sleep(0.001)
    return f"{number}: " + "x" * 20_000


def plan() -> Plan:
    """Return a chain of pages, 20 KB each."""
    plan = Plan("a long run")
    needs: list[str] = []
    for number in range(TASKS):
        task = plan.add(f"page{number}", agent=writer, inputs={"number": number, "before": []}, needs=needs)
        needs = [task.id]
    return plan


async def until_the_fault(journal: Path, fault: Callable[[], object], *, after: int = 60) -> tuple[int, AgentorchError]:
    """Begin the run and let `fault` happen after so many events; return what was told by then, and what it said."""
    told = 0
    async with Orchestrator([writer], journal=journal) as orchestrator:
        run = await orchestrator.submit(plan(), key=KEY)
        try:
            async for event in run:
                told = event.seq
                if told == after:
                    fault()
                    break
            await run.outcome()
        except AgentorchError as error:
            return told, error
    raise AssertionError("the run knew nothing of the fault")


async def carried_on(journal: Path, *, told: int) -> bool:
    """Take the run up; return whether all that was told is there, and it comes to its end."""
    async with Orchestrator([writer], journal=journal) as orchestrator:
        (record,) = [record async for record in orchestrator.runs()]
        outcome = await orchestrator.resume(record.run_id)
    return record.head >= told and outcome.status is OutcomeStatus.SUCCEEDED
