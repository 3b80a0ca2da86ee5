"""What coordination costs: microseconds a task beside a bare asyncio executor, in one process.

    python benchmarks/overhead.py            # the table
    python benchmarks/overhead.py --quick    # a tenth of the tasks

Every figure is the median of REPEATS runs, floor and agentorch alternating, the garbage collector left on. The floor is
one `asyncio.create_task` per task and a count of what is ready. "Peak" is the growth of traced memory per task.
"""

import argparse
import asyncio
import gc
import sqlite3
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from agentorch import Orchestrator, Plan, Policy, agent

REPEATS = 5


@agent(description="Does nothing.")
async def nothing() -> int:
    return 1


def fan(width: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return start -> width tasks -> end, as (id, needs)."""
    middle = [f"m{i}" for i in range(width)]
    return [("start", ()), *((name, ("start",)) for name in middle), ("end", tuple(middle))]


def chain(length: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return tasks one after the other."""
    return [(f"c{i}", (f"c{i - 1}",) if i else ()) for i in range(length)]


def plan_of(shape: list[tuple[str, tuple[str, ...]]]) -> Plan:
    """Return the shape as a plan of no-op agents."""
    plan = Plan("nothing")
    for name, needs in shape:
        plan.add(name, agent="nothing", needs=needs)
    return plan


async def floor(shape: list[tuple[str, tuple[str, ...]]]) -> None:
    """Carry the shape out with one asyncio task per task and nothing else."""
    missing = {name: len(needs) for name, needs in shape}
    dependents: dict[str, list[str]] = {name: [] for name, _ in shape}
    for name, needs in shape:
        for need in needs:
            dependents[need].append(name)
    left = len(shape)
    done = asyncio.Event()
    results: dict[str, int] = {}
    alive: set[asyncio.Task[None]] = set()

    async def body(name: str) -> None:
        nonlocal left
        results[name] = await nothing()
        left -= 1
        for dependent in dependents[name]:
            missing[dependent] -= 1
            if not missing[dependent]:
                start(dependent)
        if not left:
            done.set()

    def start(name: str) -> None:
        task = asyncio.create_task(body(name))
        alive.add(task)
        task.add_done_callback(alive.discard)

    for name, count in list(missing.items()):
        if not count:
            start(name)
    await done.wait()


async def timed(work: Callable[[], Awaitable[object]], tasks: int) -> float:
    """Return microseconds a task."""
    gc.collect()
    before = time.perf_counter()
    await work()
    return (time.perf_counter() - before) / tasks * 1e6


async def compare(
    title: str, shape: list[tuple[str, tuple[str, ...]]], journal: str | None, durability: str = "power"
) -> float:
    """Print one row; return microseconds a task."""
    plan = plan_of(shape)
    policy = Policy(parallel=1000)
    floors, ours = [], []
    for repeat in range(REPEATS):
        floors.append(await timed(lambda: floor(shape), len(shape)))
        with tempfile.TemporaryDirectory() as folder:
            place = None if journal is None else Path(folder) / f"{repeat}.db"
            async with Orchestrator([nothing], journal=place, durability=durability, policy=policy) as orchestrator:

                async def run(orchestrator: Orchestrator = orchestrator) -> None:
                    (await orchestrator.run(plan)).raise_for_problems()

                ours.append(await timed(run, len(shape)))
    mine, bare = statistics.median(ours), statistics.median(floors)
    print(f"{title:42} {bare:7.1f} {mine:8.1f} {min(ours):8.1f} {max(ours):8.1f} {mine / bare:7.1f}x")
    return mine


async def memory(width: int) -> float:
    """Return the growth of peak memory in KB a task, with the journal in memory."""
    plan = plan_of(fan(width))
    async with Orchestrator([nothing], policy=Policy(parallel=1000)) as orchestrator:
        await orchestrator.run(plan_of(fan(10)))
        gc.collect()
        tracemalloc.start()
        await orchestrator.run(plan)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak / width / 1024


async def one_at_a_time(count: int) -> tuple[float, float]:
    """Return p50 and p99 in ms of a durable run of one no-op task."""
    plan = plan_of(chain(1))
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        async with Orchestrator([nothing], journal=Path(folder) / "one.db") as orchestrator:
            for _ in range(count):
                before = time.perf_counter()
                await orchestrator.run(plan)
                samples.append((time.perf_counter() - before) * 1e3)
    samples.sort()
    return samples[len(samples) // 2], samples[int(len(samples) * 0.99)]


def two_commits(count: int) -> float:
    """Return the p50 in ms of two durable commits of one row each: what a durable run of one task cannot do without."""
    samples = []
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "floor.db")) as connection:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE rows (data BLOB)")
        for _ in range(count):
            before = time.perf_counter()
            for _ in range(2):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO rows VALUES (zeroblob(300))")
                connection.execute("COMMIT")
            samples.append((time.perf_counter() - before) * 1e3)
    return statistics.median(samples)


async def main(scale: int) -> None:
    """Print the table."""
    size = 10_000 // scale
    print(f"{'':42} {'floor':>7} {'agentorch':>8} {'min':>8} {'max':>8} {'ratio':>8}   (us a task)")
    small = await compare(f"fan-out/fan-in of {size}, memory", fan(size), None)
    await compare(f"fan-out/fan-in of {size}, SQLite FULL", fan(size), "sqlite")
    await compare(f"fan-out/fan-in of {size}, SQLite NORMAL", fan(size), "sqlite", "process")
    await compare(f"chain of {size}, memory", chain(size), None)
    large = await compare(f"fan-out/fan-in of {size * 10}, memory", fan(size * 10), None)
    print(f"{size * 10} beside {size}: {large / small:.2f}x")
    print(f"peak memory, fan-out of {size}, memory journal: {await memory(size):.2f} KB a task")
    p50, p99 = await one_at_a_time(1000 // scale)
    bare = two_commits(1000 // scale)
    print(
        f"one durable no-op task (SQLite FULL): p50 {p50:.2f} ms, p99 {p99:.2f} ms; two bare commits: p50 {bare:.2f} ms"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the tasks")
    asyncio.run(main(10 if parser.parse_args().quick else 1))
