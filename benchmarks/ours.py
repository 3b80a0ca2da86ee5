"""agentorch as a subject: with a journal in memory, and with SQLite, durable against kill -9 and against power loss."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from agentorch import Orchestrator, Outcome, Plan, Policy, Task, agent
from benchmarks.shapes import Shape
from benchmarks.subject import Prepared, Subject, main

import_module("anyio._backends._asyncio")  # anyio loads it when it is first used: it is one of the imports

PARALLEL = 1000
"""Tasks at work at once where the shape sets no limit."""


@agent(description="Does nothing.")
async def nothing() -> int:
    return 1


def plan_of(shape: Shape, expected: Mapping[str, float] | None = None, inputs: Mapping[str, Any] | None = None) -> Plan:
    """Return the shape as a plan; one that only returns has an agent without inputs.

    `expected` is what is said of each task's seconds beforehand, by default the truth; `inputs` are those of each task.
    """
    told = shape.seconds if expected is None else expected
    name = "worker" if shape.seconds or shape.log or shape.output != 1 else "nothing"
    plan = Plan(shape.name, answer=f"${shape.tasks[-1][0]}")
    for task, needs in shape.tasks:
        plan.add(task, agent=name, inputs=inputs or {}, needs=needs, seconds=told.get(task))
    return plan


def outputs(found: Sequence[Outcome]) -> Sequence[Mapping[str, object]]:
    """Return the outputs by run, in the order of completion."""
    return [dict(outcome.outputs) for outcome in found]


def subject(name: str, durability: Literal["power", "process"] | None) -> Subject:
    """Return agentorch with that journal."""

    def team(shape: Shape) -> list[Any]:
        @agent(name="worker", description="Does what the shape says.")
        async def worker(task: Task) -> Any:
            return await shape.work(task.id)

        return [nothing, worker]

    def orchestrator(shape: Shape, folder: Path) -> Orchestrator:
        return Orchestrator(
            team(shape),
            journal=None if durability is None else folder / "runs.db",
            durability=durability or "power",
            policy=Policy(parallel=shape.slots or PARALLEL),
        )

    @asynccontextmanager
    async def prepare(shape: Shape, folder: Path) -> AsyncGenerator[Prepared]:
        plan = plan_of(shape)
        async with orchestrator(shape, folder) as opened:
            opened.verify(plan)

            async def run() -> list[Outcome]:
                found = await asyncio.gather(*(opened.run(plan) for _ in range(shape.runs)))
                for outcome in found:
                    outcome.raise_for_problems()
                return found

            yield Prepared(run, outputs)

    @asynccontextmanager
    async def resume(shape: Shape, folder: Path) -> AsyncGenerator[Prepared]:
        async with orchestrator(shape, folder) as opened:
            kept = [record.run_id async for record in opened.runs()]

            async def run() -> list[Outcome]:
                # Where not even its beginning was durable yet, a user begins the run anew.
                return [await (opened.resume(kept[0]) if kept else opened.run(plan_of(shape)))]

            yield Prepared(run, outputs)

    taken_up: AbstractAsyncContextManager[Prepared] | Any = None if durability is None else resume
    return Subject(name, ("agentorch",), prepare, resume=taken_up)


SUBJECTS = (
    subject("agentorch", None),
    subject("agentorch, SQLite", "process"),
    subject("agentorch, SQLite FULL", "power"),
)

if __name__ == "__main__":
    main(*SUBJECTS)
