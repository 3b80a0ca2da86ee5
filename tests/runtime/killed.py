"""A program that carries out a plan of four on a journal, and stays in the third; its test kills it there.

python killed.py JOURNAL CALLS
"""

import asyncio
import sys
from pathlib import Path

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.events import TaskStarted


def team(calls: Path, *, reached: asyncio.Event | None = None):
    """Return the agent: it notes each call in a file; with an event, it stays in `third` and says so."""

    @agent(name="noting", description="Notes its calls.")
    async def noting(name: str, before: list[str]) -> str:
        with calls.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
        if name == "third" and reached is not None:
            reached.set()
            await asyncio.Event().wait()
        return "/".join([*before, name])

    return noting


def plan() -> Plan:
    """Return four tasks in a row."""
    plan = Plan("four in a row")
    before: list[str] = []
    for name in ("first", "second", "third", "fourth"):
        task = plan.add(name, agent="noting", inputs={"name": name, "before": before})
        before = [task.ref]
    return plan


async def main(journal: str, calls: Path) -> None:
    reached = asyncio.Event()
    worker = team(calls, reached=reached)
    async with Orchestrator([worker], journal=journal, policy=Policy(attempts=1)) as orchestrator:
        run = await orchestrator.submit(plan())
        async for event in run:
            if isinstance(event, TaskStarted) and event.task == "third":
                await reached.wait()
                # What is read is durable, and the task is being done: from here on the kill may come.
                sys.stdout.write(f"{run.id}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
