"""How close to the bound the schedule is where tasks are model calls: recorded latencies on a layered DAG.

    python -m benchmarks.latencies [--data FOLDER] [--seconds 5] [--write FILE] [--json]

200 tasks with three needs each sleep as long as calls drawn from a recorded trace took. Told is makespan over
max(critical path, work / slots): first in virtual time, the median over SEEDS, then in real time, with all latencies
scaled so that the critical path takes `--seconds`, beside bare asyncio in the same process: medians of REPEATS. With 16
slots the critical path is the bound; with 8, for which nothing was asked, the slots are, or nearly so, and the order
counts for more.

With --write the scaled latencies of the first seed are written to FILE, and nothing is run. So another subject carries
the same out: `python -m benchmarks.peers.NAME SUBJECT layered 200 --seconds FILE [--slots 16]`.
"""

import asyncio
import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.bounds import bound
from benchmarks.measurement import Measurement, absent, parser_of, several, show
from benchmarks.ours import subject
from benchmarks.recorded import DATA, latencies, missing
from benchmarks.shapes import SEED, Shape, layered
from benchmarks.subject import floor, timed
from benchmarks.virtual import first_in_first_out, in_virtual_time, ours

SIZE: Final = 200
SLOTS: Final = (None, 16, 8)
GOALS: Final = {None: 1.01, 16: 1.05}
"""Times the bound at most where durations are given, by slots."""
NO_WORSE: Final = {16: 1.0}
"""Times first in, first out at most where none are known."""
BOUND: Final = "times the bound"
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
    rows: dict[str, list[float]] = {"durations given": [], "bare asyncio": []}
    with tempfile.TemporaryDirectory() as folder:
        async with subject("agentorch", None).prepare(shape, Path(folder)) as prepared:
            for _ in range(REPEATS):
                for row, carried_out in zip(rows.values(), (prepared, floor(shape)), strict=True):
                    row.append(await timed(shape, carried_out) / least)
    return rows


def virtual_figures(calls: list[float], slots: int | None) -> Iterator[Measurement]:
    """Return what the order alone does."""
    rows, words = in_virtual(calls, slots), f"{slots or 'unlimited'} slots, virtual time"
    for name, found in rows.items():
        goal = GOALS.get(slots) if name == "durations given" else None
        yield several(f"{words}, {name}", found, BOUND, goal=goal)
    ours_, floor_ = rows["none known"], rows["first in, first out"]
    ratios = [one / other for one, other in zip(ours_, floor_, strict=True)]
    yield several(f"{words}, none known over first in, first out", ratios, "times", goal=NO_WORSE.get(slots))


def real_figures(shape: Shape) -> Iterator[Measurement]:
    """Return what the order and the cost of a task do together."""
    words = f"{shape.slots or 'unlimited'} slots, real time"
    for name, found in asyncio.run(in_real(shape)).items():
        goal = GOALS.get(shape.slots) if name == "durations given" else None
        yield several(f"{words}, {name}", found, BOUND, goal=goal, note=f"a bound of {bound(shape):.2f} s")


def measure(calls: list[float], real: Shape) -> list[Measurement]:
    """Return the figures."""
    virtual = [one for slots in SLOTS for one in virtual_figures(calls, slots)]
    return [*virtual, *(one for slots in SLOTS for one in real_figures(replace(real, slots=slots)))]


def main() -> None:
    """Print the figures, or write the latencies."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seconds", type=float, default=5.0, help="the critical path in real time")
    parser.add_argument("--write", type=Path, help="a file for the latencies as JSON")
    options = parser.parse_args()
    if (words := missing(options.data)) is not None:
        show(absent("200 model calls", words), as_json=options.json)
        return
    calls = [seconds for those in latencies(options.data).values() for seconds in those]
    real = scaled(sampled(calls), options.seconds)
    if options.write is not None:
        options.write.write_text(json.dumps(real.seconds), encoding="utf-8")
        return
    show(measure(calls, real), as_json=options.json)


if __name__ == "__main__":
    main()
