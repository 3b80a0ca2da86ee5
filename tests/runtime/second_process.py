"""A process that carries one run out on a journal, and tells on stdout what it hears: for tests with two processes.

python second_process.py JOURNAL CALLS STALE
"""

import asyncio
import sys
from pathlib import Path

from agentorch import Context, Orchestrator, Plan, agent
from agentorch.errors import AgentorchError
from agentorch.journal.sqlite import SqliteJournal


def team(calls: Path, *, gate: asyncio.Event | None = None):
    """Return an agent that notes each call, does a step, and waits at the gate if there is one."""

    def noted(name: str) -> str:
        with calls.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
        return name

    @agent(name="waiting", description="Waits.")
    async def waiting(name: str, context: Context) -> str:
        done = await context.step("note", noted, name)
        if gate is not None:
            sys.stdout.write("begun\n")
            sys.stdout.flush()
            await gate.wait()
        return done

    return waiting


def plan() -> Plan:
    """Return two tasks in a row."""
    plan = Plan("two in a row")
    first = plan.add("first", agent="waiting", inputs={"name": "first"})
    plan.add("second", agent="waiting", inputs={"name": "second"}, needs=[first.id])
    return plan


async def main(journal: str, calls: Path, stale: float) -> None:
    gate = asyncio.Event()
    kept = SqliteJournal(journal, stale=stale)
    async with Orchestrator([team(calls, gate=gate)], journal=kept) as orchestrator:
        run = await orchestrator.submit(plan())
        sys.stdout.write(f"{run.id}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        gate.set()
        try:
            outcome = await run.outcome()
            sys.stdout.write(f"{outcome.status}\n")
        except AgentorchError as error:
            sys.stdout.write(f"{type(error).__name__}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
