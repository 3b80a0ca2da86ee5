"""What the orchestrator adds to tasks of 20 ms with unlimited slots: makespan over bare asyncio's in the same process.

    python -m benchmarks.short [--milliseconds 20] [--repeats 15] [--data FOLDER] [--json]

Ours, bare asyncio and bare anyio alternate, over recorded DAGs (all of at most 200 tasks, together), a chain (deep),
layers and a fan (wide). Told are makespans over the critical path, and of ours over bare asyncio's of the same repeat:
medians over the repeats. The goal stands on each. Where a hundred tasks and more become ready at once, what is measured
is the cost of a task: it is paid before the last of them begins, and while they sleep there is nothing else to do.
There anyio, a task group and a count of what is ready, misses the goal too.
"""

import asyncio
import statistics
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.bounds import critical_path
from benchmarks.measurement import Measurement, figure, parser_of, several, show
from benchmarks.ours import subject
from benchmarks.peers import anyio_floor
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


@dataclass(frozen=True)
class Took:
    """Seconds, by repeat."""

    ours: list[float]
    asyncio: list[float]
    anyio: list[float]

    def over(self, other: list[float]) -> list[float]:
        """Return ours over the other's, by repeat."""
        return [one / two for one, two in zip(self.ours, other, strict=True)]

    @property
    def floor(self) -> float:
        """What bare anyio took over what asyncio did, the median."""
        return statistics.median(one / two for one, two in zip(self.anyio, self.asyncio, strict=True))


async def seconds(shape: Shape, repeats: int) -> Took:
    """Return the seconds that the shape took."""
    took = Took([], [], [])
    with tempfile.TemporaryDirectory() as folder:
        async with (
            subject("agentorch", None).prepare(shape, Path(folder)) as ours,
            anyio_floor.prepare(shape, Path(folder)) as anyio,
        ):
            for repeat in range(repeats + WARM):
                for prepared, told in ((ours, took.ours), (floor(shape), took.asyncio), (anyio, took.anyio)):
                    spent = await timed(shape, prepared)
                    if repeat >= WARM:
                        told.append(spent)
    return took


def measure(milliseconds: float, repeats: int) -> list[Measurement]:
    """Return the figures."""
    found: list[Measurement] = []
    for name, plain in SHAPES.items():
        shape = replace(plain, seconds=dict.fromkeys(dict(plain.tasks), milliseconds / 1000))
        least = critical_path(shape)
        took = asyncio.run(seconds(shape, repeats))
        words = f"{name}, tasks of {milliseconds:g} ms"
        entrants = {"agentorch": took.ours, "bare asyncio": took.asyncio, "bare anyio": took.anyio}
        found += [
            several(f"{words}: {who}", [one / least for one in spent], "times the critical path")
            for who, spent in entrants.items()
        ]
        note = f"bare anyio's: {figure(took.floor)}"
        ratios = took.over(took.asyncio)
        whole = f"{words}: makespan over bare asyncio's"
        found.append(several(whole, ratios, "times", goal=GOAL, note=note, floor=took.floor))
    return found


def measure_recorded(milliseconds: float, folder: Path) -> list[Measurement]:
    """Return what the recorded DAGs took together, over what they took bare asyncio."""
    words = f"recorded DAGs, tasks of {milliseconds:g} ms: makespan over bare asyncio's"
    if lack := missing(folder):
        return [Measurement(words, None, "times", GOAL, note=lack)]
    shapes = [shape for shape in dags(folder) if len(shape.tasks) <= LARGEST]
    found: list[Took] = []
    for plain in shapes:
        shape = replace(plain, seconds=dict.fromkeys(dict(plain.tasks), milliseconds / 1000))
        found.append(asyncio.run(seconds(shape, RECORDED_REPEATS)))
    whole = Took(
        *([sum(spent) for spent in zip(*by_dag, strict=True)] for by_dag in (
            [took.ours for took in found], [took.asyncio for took in found], [took.anyio for took in found],
        ))
    )  # fmt: skip
    note = f"{len(shapes)} DAGs together; bare anyio's: {figure(whole.floor)}"
    return [several(words, whole.over(whole.asyncio), "times", goal=GOAL, note=note, floor=whole.floor)]


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
