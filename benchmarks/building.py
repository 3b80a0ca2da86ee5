"""What it costs to build a plan by hand, and to verify it: microseconds a task, by size.

python -m benchmarks.building [--quick] [--json]
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from agentorch import Orchestrator
from benchmarks.ours import nothing, plan_of
from benchmarks.record import Record, at_most, tell
from benchmarks.shapes import layered

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


def records(*, quick: bool) -> list[Record]:
    """Return what was measured."""
    found, totals = [], []
    for size in [size // 10 for size in SIZES] if quick else SIZES:
        building, verifying = measured(size)
        totals.append(statistics.median(map(sum, zip(building, verifying, strict=True))))
        parts = f"building {_spread(building)}, verifying {_spread(verifying)}"
        found.append(at_most(f"building and verifying {size:,} tasks", totals[-1], LIMIT, "us a task", note=parts))
    name = "a task at the largest size beside one at the smallest"
    return [*found, at_most(f"building and verifying: {name}", totals[-1] / totals[0], GROWTH, "times")]


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


if __name__ == "__main__":
    tell(records(quick="--quick" in sys.argv))
