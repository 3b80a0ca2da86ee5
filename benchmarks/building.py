"""What it costs to build a plan by hand, and to verify it: microseconds a task, by size.

python -m benchmarks.building [--quick] [--json]

The floor makes a frozen dataclass a task and puts them in order with the standard library's graphlib: no name is looked
up, nothing is checked. What a task costs there grows too, for the more there is in memory the slower it is reached.
"""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from statistics import median
from typing import Final

from agentorch import Orchestrator
from benchmarks.measurement import Measurement, figure, parser_of, several, show
from benchmarks.ours import nothing, plan_of
from benchmarks.shapes import Shape, layered

SIZES: Final = (1_000, 10_000, 100_000)
REPEATS: Final = 5
LIMIT: Final = 15.0
"""Microseconds a task, for both together."""
GROWTH: Final = 1.2
"""What a task may cost at the largest size beside the smallest: it is linear."""


def timed(work: Callable[[], object], tasks: int) -> float:
    """Return microseconds a task."""
    gc.collect()
    before = time.perf_counter()
    work()
    return (time.perf_counter() - before) / tasks * 1e6


def measured(size: int) -> tuple[list[float], list[float]]:
    """Return microseconds a task of building and of verifying, of each repeat."""
    shape, registry = layered(size), Orchestrator([nothing]).registry
    building, verifying = [], []
    for _ in range(REPEATS):
        building.append(timed(lambda: plan_of(shape), size))
        verify = partial(plan_of(shape).verify, registry)
        verifying.append(timed(verify, size))
        assert not verify().errors
    return building, verifying


@dataclass(frozen=True, slots=True)
class Bare:
    """The least that a task of a plan is."""

    id: str
    agent: str
    needs: tuple[str, ...]


def bare(shape: Shape) -> None:
    """Build the shape and put it in order, and do nothing else."""
    tasks = [Bare(name, "worker", tuple(needs)) for name, needs in shape.tasks]
    order = [*TopologicalSorter({task.id: task.needs for task in tasks}).static_order()]
    assert len(order) == len(tasks)


def measured_bare(size: int) -> list[float]:
    """Return microseconds a task of the floor, of each repeat."""
    shape = layered(size)
    return [timed(partial(bare, shape), size) for _ in range(REPEATS)]


def measure(sizes: Sequence[int]) -> list[Measurement]:
    """Return what was measured."""
    found: list[Measurement] = []
    floors: list[float] = []
    for size in sizes:
        building, verifying = measured(size)
        floor = measured_bare(size)
        floors.append(median(floor))
        both = [sum(pair) for pair in zip(building, verifying, strict=True)]
        tasks = f"{size:,} tasks"
        found += [
            several(f"building, {tasks}", building, "us a task"),
            several(f"verifying, {tasks}", verifying, "us a task"),
            several(f"building and verifying, {tasks}", both, "us a task", goal=LIMIT),
            several(f"the floor: dataclasses in graphlib's order, {tasks}", floor, "us a task"),
        ]
    totals = [one.value for one in found if one.goal is not None and one.value is not None]
    name = f"building and verifying, a task of {sizes[-1]:,} beside one of {sizes[0]:,}"
    grown = floors[-1] / floors[0]
    note = f"the floor's: {figure(grown)}"
    return [*found, Measurement(name, totals[-1] / totals[0], "times", goal=GROWTH, note=note, floor=grown)]


def main() -> None:
    """Print the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the tasks")
    options = parser.parse_args()
    show(measure([size // 10 for size in SIZES] if options.quick else SIZES), as_json=options.json)


if __name__ == "__main__":
    main()
