"""What the orchestrator adds to tasks of 20 ms with unlimited slots: makespan over bare asyncio's in the same process.

    python -m benchmarks.short [--milliseconds 20] [--repeats 15] [--data FOLDER] [--json]

Ours and the floor alternate, over recorded DAGs (all of at most 200 tasks, together), a chain (deep), layers and a fan
(wide). Told are makespan over the critical path for both, and of ours over the floor's of the same repeat: medians over
the repeats. The goal stands on each. Where a hundred tasks and more become ready at once, what is measured is the cost
of a task: it is paid before the last of them begins, and while they sleep there is nothing else to do.
"""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.bounds import critical_path
from benchmarks.measurement import Measurement, parser_of, several, show
from benchmarks.ours import subject
from benchmarks.recorded import DATA, dags, missing
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
LARGEST: Final = 200
"""Tasks of a recorded DAG that takes part."""
RECORDED_REPEATS: Final = 3
GOAL: Final = 1.01
"""Times the makespan of bare asyncio."""


async def seconds(shape: Shape, repeats: int) -> tuple[list[float], list[float]]:
    """Return the seconds of ours and of the floor, by repeat."""
    took: dict[str, list[float]] = {"ours": [], "floor": []}
    with tempfile.TemporaryDirectory() as folder:
        async with subject("agentorch", None).prepare(shape, Path(folder)) as prepared:
            for _ in range(repeats + WARM):
                took["ours"].append(await timed(shape, prepared))
                took["floor"].append(await timed(shape, floor(shape)))
    return took["ours"][WARM:], took["floor"][WARM:]


def measure(milliseconds: float, repeats: int) -> list[Measurement]:
    """Return the figures."""
    found: list[Measurement] = []
    for name, plain in SHAPES.items():
        shape = replace(plain, seconds=dict.fromkeys(dict(plain.tasks), milliseconds / 1000))
        least = critical_path(shape)
        ours, bare = asyncio.run(seconds(shape, repeats))
        ratios = [one / other for one, other in zip(ours, bare, strict=True)]
        words = f"{name}, tasks of {milliseconds:g} ms"
        found += [
            several(f"{words}: agentorch", [one / least for one in ours], "times the critical path"),
            several(f"{words}: bare asyncio", [one / least for one in bare], "times the critical path"),
            several(f"{words}: makespan over bare asyncio's", ratios, "times", goal=GOAL),
        ]
    return found


def measure_recorded(milliseconds: float, folder: Path) -> list[Measurement]:
    """Return what the recorded DAGs took together, over what they took bare asyncio."""
    words = f"recorded DAGs, tasks of {milliseconds:g} ms: makespan over bare asyncio's"
    if lack := missing(folder):
        return [Measurement(words, None, "times", GOAL, note=lack)]
    shapes = [shape for shape in dags(folder) if len(shape.tasks) <= LARGEST]
    totals = [[0.0, 0.0] for _ in range(RECORDED_REPEATS)]
    for plain in shapes:
        shape = replace(plain, seconds=dict.fromkeys(dict(plain.tasks), milliseconds / 1000))
        for total, *pair in zip(totals, *asyncio.run(seconds(shape, RECORDED_REPEATS)), strict=True):
            total[:] = [before + more for before, more in zip(total, pair, strict=True)]
    ratios = [ours / bare for ours, bare in totals]
    return [several(words, ratios, "times", goal=GOAL, note=f"{len(shapes)} DAGs together")]


def main() -> None:
    """Print the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--milliseconds", type=float, default=20)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    found = measure_recorded(options.milliseconds, options.data)
    show([*found, *measure(options.milliseconds, options.repeats)], as_json=options.json)


if __name__ == "__main__":
    main()
