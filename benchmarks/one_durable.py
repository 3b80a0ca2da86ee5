"""One durable task at a time: how long a run of a single no-op task takes when each commit reaches the disk.

    python -m benchmarks.one_durable [--quick] [--json]

Such runs and their floor alternate, a hundred of each at a time: right behind a commit to another file, one takes
longer. The floor is bare commits of one small row each: one, which is what a durable result cannot do without, and two,
as where the beginning is made durable by itself.
"""

import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from agentorch import Orchestrator, Plan
from benchmarks.measurement import Measurement, parser_of, percentile, several, show
from benchmarks.ours import nothing, plan_of
from benchmarks.shapes import chain

RUNS: Final = 2_000
AT_A_TIME: Final = 100
MEDIAN: Final = 0.7
"""Milliseconds that half of the runs take at most."""
WORST: Final = 3.0
"""Milliseconds that 99 of 100 runs take at most."""
ROW_BYTES: Final = 300


async def samples(runs: int) -> tuple[list[float], list[float], list[float]]:
    """Return the milliseconds of each run, of one bare commit and of two."""
    plan = plan_of(chain(1))
    ours, one, two = [], [], []
    with tempfile.TemporaryDirectory() as folder, closing(opened(Path(folder) / "floor.db")) as connection:
        async with Orchestrator([nothing], journal=Path(folder) / "one.db", durability="power") as orchestrator:
            for _ in range(runs // AT_A_TIME):
                for _ in range(AT_A_TIME):
                    took = [time.perf_counter()]
                    commit(connection)
                    took.append(time.perf_counter())
                    commit(connection)
                    took.append(time.perf_counter())
                    one.append((took[1] - took[0]) * 1e3)
                    two.append((took[2] - took[0]) * 1e3)
                for _ in range(AT_A_TIME):
                    began = time.perf_counter()
                    await one_run(orchestrator, plan)
                    ours.append((time.perf_counter() - began) * 1e3)
    return ours, one, two


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


def commit(connection: sqlite3.Connection) -> None:
    """Commit one row."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO rows VALUES (zeroblob(?))", (ROW_BYTES,))
    connection.execute("COMMIT")


def measure(runs: int) -> list[Measurement]:
    """Return what was measured."""
    ours, one, two = asyncio.run(samples(runs))
    note = f"{runs:,} runs"
    half, most = (percentile(ours, share) for share in (0.5, 0.99))
    bare = percentile(two, 0.5)
    return [
        Measurement("one durable no-op task, p50", half, "ms", MEDIAN, min(ours), max(ours), note=note),
        Measurement("one durable no-op task, p99", most, "ms", WORST, note=note),
        several("one bare commit, p50", one, "ms"),
        several("two bare commits, p50", two, "ms"),
        Measurement("two bare commits, p99", percentile(two, 0.99), "ms"),
        Measurement("one durable no-op task over two bare commits, p50", half / bare, "times"),
    ]


def main() -> None:
    """Print the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    options = parser.parse_args()
    show(measure(RUNS // 10 if options.quick else RUNS), as_json=options.json)


if __name__ == "__main__":
    main()
