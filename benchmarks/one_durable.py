"""One durable task at a time: how long a run of a single no-op task takes when each commit reaches the disk.

    python -m benchmarks.one_durable [--quick] [--json]

Such a run and its floor alternate: the floor is two bare commits of one small row each, which is what a run cannot do
without, since its task is durable before its agent begins and its result before anybody hears of it.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from agentorch import Orchestrator, Plan
from benchmarks.ours import nothing, plan_of
from benchmarks.record import Record, at_most, tell
from benchmarks.shapes import chain

RUNS: Final = 2_000
MEDIAN: Final = 0.7
"""Milliseconds that half of the runs take at most."""
WORST: Final = 3.0
"""Milliseconds that 99 of 100 runs take at most."""
ROW_BYTES: Final = 300


async def samples(runs: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each run and of each pair of bare commits, sorted."""
    plan = plan_of(chain(1))
    ours, floor = [], []
    with tempfile.TemporaryDirectory() as folder, closing(opened(Path(folder) / "floor.db")) as connection:
        async with Orchestrator([nothing], journal=Path(folder) / "one.db", durability="power") as orchestrator:
            for _ in range(runs):
                before = time.perf_counter()
                two_commits(connection)
                between = time.perf_counter()
                await one_run(orchestrator, plan)
                ours.append((time.perf_counter() - between) * 1e3)
                floor.append((between - before) * 1e3)
    return sorted(ours), sorted(floor)


async def one_run(orchestrator: Orchestrator, plan: Plan) -> None:
    """Carry the plan out."""
    outcome = await orchestrator.run(plan)
    assert outcome.outputs == {"c0": 1}


def opened(path: Path) -> sqlite3.Connection:
    """Return a connection as durable as the journal's."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE rows (data BLOB)")
    return connection


def two_commits(connection: sqlite3.Connection) -> None:
    """Commit two rows, one after the other."""
    for _ in range(2):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO rows VALUES (zeroblob(?))", (ROW_BYTES,))
        connection.execute("COMMIT")


def records(*, quick: bool) -> list[Record]:
    """Return what was measured."""
    ours, floor = asyncio.run(samples(RUNS // 10 if quick else RUNS))
    ratio = quantile(ours, 0.5) / quantile(floor, 0.5)
    bare = f"two bare commits: p50 {quantile(floor, 0.5):.2f}, p99 {quantile(floor, 0.99):.2f} ms"
    spread = f"of {len(ours):,} runs, {ours[0]:.2f} to {ours[-1]:.2f} ms; {bare}"
    return [
        at_most("one durable no-op task, p50", quantile(ours, 0.5), MEDIAN, "ms", note=spread),
        at_most("one durable no-op task, p99", quantile(ours, 0.99), WORST, "ms"),
        Record("one durable no-op task, p50 over two bare commits", ratio, "times"),
    ]


def quantile(ordered: list[float], share: float) -> float:
    """Return the value below which that share of the sorted values lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    tell(records(quick="--quick" in sys.argv))
