"""How close to the bound the schedule is: real DAGs, the real supervisor, a virtual clock.

    python -m benchmarks.makespan [--data FOLDER] [--slots 8]

For each DAG the lower bound is max(critical path, total work / slots). Printed is the mean of makespan over bound: with
the durations given, with estimates that are off by a lognormal factor, with none known, and for first-in-first-out.
"""

import argparse
import math
import random
import statistics
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks.bounds import bound
from benchmarks.recorded import DATA, dags, missing
from benchmarks.shapes import Shape
from benchmarks.virtual import first_in_first_out, in_virtual_time, ours


def ratios(shapes: Iterable[Shape]) -> dict[str, list[float]]:
    """Return makespan over bound of each shape, by what is known."""
    noise = random.Random(7)
    rows: dict[str, list[float]] = {}
    for shape in shapes:
        least = bound(shape)
        guesses = {name: seconds * math.exp(noise.gauss(0, 0.3)) for name, seconds in shape.seconds.items()}
        rows.setdefault("durations given", []).append(in_virtual_time(ours(shape)) / least)
        rows.setdefault("estimates, lognormal 0.3", []).append(in_virtual_time(ours(shape, guesses)) / least)
        rows.setdefault("none known", []).append(in_virtual_time(ours(shape, {})) / least)
        rows.setdefault("first in, first out", []).append(in_virtual_time(first_in_first_out(shape)) / least)
    return rows


def main() -> None:
    """Print the means over the DAGs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--limit", type=int, default=None, help="only the first DAGs")
    options = parser.parse_args()
    if (words := missing(options.data)) is not None:
        print(words)
        return
    shapes = [replace(shape, slots=options.slots) for shape in dags(options.data)[: options.limit]]
    print(f"{len(shapes)} DAGs, {options.slots} slots: makespan / bound")
    for name, found in ratios(shapes).items():
        print(f"  {name:30} mean {statistics.mean(found):.4f}   worst {max(found):.3f}")


if __name__ == "__main__":
    main()
