"""What the orchestrator adds to tasks of 20 ms with unlimited slots: makespan over bare asyncio's in the same process.

    python -m benchmarks.short [--milliseconds 20] [--repeats 15]

Ours and the floor alternate, over a chain (deep), layers and a fan (wide). Printed are medians over the repeats of
makespan over the critical path for both, and of ours over the floor.
"""

import argparse
import asyncio
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.bounds import critical_path
from benchmarks.ours import subject
from benchmarks.shapes import Shape, chain, fan, layered
from benchmarks.subject import floor, timed

SHAPES: Final = {
    "chain of 100": chain(100),
    "10 layers of 3": layered(30),
    "10 layers of 20": layered(200),
    "10 layers of 100": layered(1000),
    "fan of 200": fan(200),
    "fan of 1,000": fan(1000),
}
WARM: Final = 1
"""Repeats that are not counted."""


async def medians(shape: Shape, repeats: int) -> tuple[float, float]:
    """Return the seconds of ours and of the floor."""
    took: dict[str, list[float]] = {"ours": [], "floor": []}
    with tempfile.TemporaryDirectory() as folder:
        async with subject("agentorch", None).prepare(shape, Path(folder)) as prepared:
            for _ in range(repeats + WARM):
                took["ours"].append(await timed(shape, prepared))
                took["floor"].append(await timed(shape, floor(shape)))
    return statistics.median(took["ours"][WARM:]), statistics.median(took["floor"][WARM:])


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--milliseconds", type=float, default=20)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    print(f"tasks of {options.milliseconds:g} ms, unlimited slots: makespan / critical path")
    for name, plain in SHAPES.items():
        shape = replace(plain, seconds=dict.fromkeys(dict(plain.tasks), options.milliseconds / 1000))
        least = critical_path(shape)
        ours, bare = asyncio.run(medians(shape, options.repeats))
        print(f"  {name:18} ours {ours / least:.4f}   bare {bare / least:.4f}   ours / bare {ours / bare:.4f}")


if __name__ == "__main__":
    main()
