"""Counts what one more task adds to a run: calls, memory, asyncio tasks, commits, and what is written.

1. No figure has a clock in it: each is a difference of counts between a run of many tasks and one of few, so that what
   a run costs once cancels out.
2. The tasks do nothing, and fewer may be at work at once than are ready: what is started for them is shared. A run of
   three goes before: what the first use loads belongs to no task.
"""

import asyncio
import gc
import sqlite3
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

from agentorch import Agent, Orchestrator, Plan, Policy, agent
from agentorch.journal.sqlite import SqliteJournal

FEW: Final = 1_000
MANY: Final = 2_000
PARALLEL: Final = 64
"""Tasks at work at once."""

Counts = Mapping[str, float]
"""By the name of the figure."""


@agent(name="worker", description="Does nothing.")
async def nothing() -> int:
    return 1


@dataclass(frozen=True)
class Work:
    """A plan, and the agent that does each of its tasks."""

    plan: Plan
    worker: Agent

    def orchestrator(self, journal: SqliteJournal | None = None) -> Orchestrator:
        """Return one with the team and the policy of every count."""
        return Orchestrator([self.worker], journal=journal, policy=Policy(parallel=PARALLEL))

    async def first(self, opened: Orchestrator) -> None:
        """Carry out three tasks, before anything is counted."""
        (await opened.run(chain(3))).raise_for_problems()

    async def carry_out(self, opened: Orchestrator) -> None:
        """Carry out the plan, to its good end."""
        (await opened.run(self.plan)).raise_for_problems()


def chain(size: int) -> Plan:
    """Return tasks one after the other."""
    plan = Plan("chain")
    for i in range(size):
        plan.add(f"t{i}", agent="worker", needs=[f"t{i - 1}"] if i else [])
    return plan


def fan(size: int) -> Plan:
    """Return one task, `size` that need it, and one that needs all of these."""
    plan = Plan("fan", answer="$end")
    plan.add("start", agent="worker")
    middle = [plan.add(f"t{i}", agent="worker", needs=["start"]).id for i in range(size)]
    plan.add("end", agent="worker", needs=middle)
    return plan


SHAPES: Final[Mapping[str, Callable[[int], Plan]]] = {"chain": chain, "fan": fan}
Counter = Callable[[Work], Coroutine[Any, Any, Counts]]


def added(shape: str, counter: Counter, *, worker: Agent = nothing, between: tuple[int, int] = (FEW, MANY)) -> Counts:
    """Return what one more task adds to each of the counts, between a run of few tasks and one of many."""
    few, many = (asyncio.run(counter(Work(SHAPES[shape](size), worker))) for size in between)
    return {name: (many[name] - few[name]) / (between[1] - between[0]) for name in few}


async def calls(work: Work) -> Counts:
    """Count the calls of Python functions, coroutines gone on with among them, and of functions written in C."""
    counted = {"call": 0, "c_call": 0}

    def profile(frame: FrameType, event: str, argument: object) -> None:
        del frame, argument
        if event in counted:
            counted[event] += 1

    async with work.orchestrator() as opened:
        await work.first(opened)
        before = sys.getprofile()
        sys.setprofile(profile)
        try:
            await work.carry_out(opened)
        finally:
            sys.setprofile(before)
    return {"Python calls": counted["call"], "C calls": counted["c_call"]}


async def memory(work: Work) -> Counts:
    """Count the blocks and bytes that the run leaves behind with its journal in memory, and the bytes at its peak."""
    async with work.orchestrator() as opened:
        await work.first(opened)
        gc.collect()
        blocks = sys.getallocatedblocks()
        await work.carry_out(opened)
        gc.collect()
        left = sys.getallocatedblocks() - blocks
        tracemalloc.start()
        try:
            await work.carry_out(opened)
            gc.collect()
            kept, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return {"blocks left": left, "bytes left": kept, "bytes at the peak": peak}


async def asyncio_tasks(work: Work) -> Counts:
    """Count the tasks that are started on the event loop."""
    started = 0
    loop = asyncio.get_running_loop()

    def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> "asyncio.Task[Any]":
        nonlocal started
        started += 1
        return asyncio.Task(coroutine, loop=loop, **options)

    async with work.orchestrator() as opened:
        await work.first(opened)
        loop.set_task_factory(factory)
        try:
            await work.carry_out(opened)
        finally:
            loop.set_task_factory(None)
    return {"asyncio tasks": started}


async def written(work: Work) -> Counts:
    """Count what reaches a durable journal. A commit is one fsync; how many share it is up to the disk as well."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        journal = SqliteJournal(path, "power")
        statements: list[str] = []
        async with work.orchestrator(journal) as opened:
            await work.first(opened)
            await journal._writer.run(lambda connection: connection.set_trace_callback(statements.append))
            await work.carry_out(opened)
            await journal._writer.run(lambda connection: connection.set_trace_callback(None))
        with closing(sqlite3.connect(path)) as connection:
            (events,) = connection.execute("SELECT sum(head) FROM runs").fetchone()
            blocks, size = connection.execute(
                "SELECT count(*), sum(length(header) + coalesce(length(payload), 0)) FROM events"
            ).fetchone()
        return {
            "events": events,
            "blocks": blocks,
            "bytes of events": size,
            "bytes of the file": path.stat().st_size,
            "commits": sum(statement == "COMMIT" for statement in statements),
        }


COUNTERS: Final[Sequence[Counter]] = (calls, memory, asyncio_tasks, written)
