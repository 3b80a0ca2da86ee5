"""How close to the bound the schedule is where tasks are model calls: recorded latencies on a layered DAG.

    python -m benchmarks.latencies [--data FOLDER] [--seconds 5] [--write FILE]

200 tasks with three needs each sleep as long as calls drawn from a recorded trace took. Printed is makespan over
max(critical path, work / slots): first in virtual time, over SEEDS, then in real time, with all latencies scaled so
that the critical path takes `--seconds`, beside bare asyncio in the same process: medians of REPEATS. With 16 slots the
critical path is the bound; with 8 the slots are, or nearly so, and the order counts for more.

With --write the scaled latencies of the first seed are written to FILE, and nothing is run. So another subject carries
the same out: `python -m benchmarks.peers.NAME SUBJECT layered 200 --seconds FILE [--slots 16]`.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.bounds import bound
from benchmarks.ours import subject
from benchmarks.recorded import DATA, latencies, missing
from benchmarks.shapes import SEED, Shape, layered
from benchmarks.subject import floor, timed
from benchmarks.virtual import first_in_first_out, in_virtual_time, ours

SIZE: Final = 200
SLOTS: Final = (None, 16, 8)
SEEDS: Final = tuple(range(SEED, SEED + 10))
REPEATS: Final = 5


def sampled(calls: list[float], seed: int = SEED) -> Shape:
    """Return a layered DAG whose tasks take as long as calls drawn at random."""
    shape, chooser = layered(SIZE, seed), random.Random(seed)
    return replace(shape, seconds={name: chooser.choice(calls) for name, _ in shape.tasks})


def scaled(shape: Shape, seconds: float) -> Shape:
    """Return the shape with its critical path brought to that length."""
    factor = seconds / bound(replace(shape, slots=None))
    return replace(shape, seconds={name: length * factor for name, length in shape.seconds.items()})


def in_virtual(calls: list[float], slots: int | None) -> dict[str, list[float]]:
    """Return makespan over bound for each seed, by who carries it out and what is known."""
    rows: dict[str, list[float]] = {}
    for seed in SEEDS:
        shape = replace(sampled(calls, seed), slots=slots)
        least = bound(shape)
        rows.setdefault("durations given", []).append(in_virtual_time(ours(shape)) / least)
        rows.setdefault("none known", []).append(in_virtual_time(ours(shape, {})) / least)
        rows.setdefault("first in, first out", []).append(in_virtual_time(first_in_first_out(shape)) / least)
    return rows


async def in_real(shape: Shape) -> dict[str, list[float]]:
    """Return makespan over bound of each repeat, ours and the floor alternating."""
    least = bound(shape)
    rows: dict[str, list[float]] = {"durations given": [], "bare asyncio, first in, first out": []}
    with tempfile.TemporaryDirectory() as folder:
        async with subject("agentorch", None).prepare(shape, Path(folder)) as prepared:
            for _ in range(REPEATS):
                for row, carried_out in zip(rows.values(), (prepared, floor(shape)), strict=True):
                    row.append(await timed(shape, carried_out) / least)
    return rows


def report(title: str, rows: dict[str, list[float]]) -> None:
    """Print the median and the worst of each row."""
    print(title)
    for name, found in rows.items():
        print(f"  {name:36} median {statistics.median(found):.4f}   worst {max(found):.4f}")


def main() -> None:
    """Print everything, or write the latencies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seconds", type=float, default=5.0, help="the critical path in real time")
    parser.add_argument("--write", type=Path, help="a file for the latencies as JSON")
    options = parser.parse_args()
    if (words := missing(options.data)) is not None:
        print(words)
        return
    calls = [seconds for those in latencies(options.data).values() for seconds in those]
    real = scaled(sampled(calls), options.seconds)
    if options.write is not None:
        options.write.write_text(json.dumps(real.seconds), encoding="utf-8")
        return
    for slots in SLOTS:
        words = f"{slots or 'unlimited'} slots, makespan / bound"
        report(f"virtual time, {words}, {len(SEEDS)} seeds", in_virtual(calls, slots))
    for slots in SLOTS:
        shape = replace(real, slots=slots)
        report(
            f"real time, {slots or 'unlimited'} slots, makespan / bound of {bound(shape):.2f} s",
            asyncio.run(in_real(shape)),
        )


if __name__ == "__main__":
    main()
