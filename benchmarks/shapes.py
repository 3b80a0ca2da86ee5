"""What is carried out: tasks, what each needs, and what a task does. Standard library only: peers import it."""

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

SEED: Final = 7
DIAMOND: Final = (("start", ()), ("left", ("start",)), ("middle", ("start",)), ("right", ("start",)))


@dataclass(frozen=True)
class Shape:
    """Tasks as (id, ids of those that it needs), each below those that it needs."""

    name: str
    tasks: Sequence[tuple[str, tuple[str, ...]]]
    runs: int = 1
    """How many runs of it go on at once."""
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    """How long a task sleeps; one that is not here does nothing."""
    slots: int | None = None
    """How many tasks may be at work at once; None is no limit."""
    output: str | int = 1
    """What every task gives."""
    log: Path | None = None
    """A file to which each task adds its id and the time when it begins: a stranger can count what ran twice."""

    @property
    def count(self) -> int:
        """Tasks over all runs."""
        return len(self.tasks) * self.runs

    async def work(self, task: str) -> str | int:
        """Do what a task does. Where nothing is to be done, a body that only returns `output` is as good."""
        self.begin(task)
        if (seconds := self.seconds.get(task, 0.0)) > 0:
            await asyncio.sleep(seconds)
        return self.output

    def work_in_thread(self, task: str) -> tuple[float, str | int]:
        """Do the same where a thread may be blocked, and return when it ended, and the output.

        The time is comparable between threads and processes: `by_run` puts outputs of strangers in order with it.
        """
        self.begin(task)
        if (seconds := self.seconds.get(task, 0.0)) > 0:
            time.sleep(seconds)
        return time.monotonic(), self.output

    def begin(self, task: str) -> None:
        """Leave a trace of the task in the log."""
        if self.log is not None:
            descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, f"{task} {time.time()}\n".encode())
            os.close(descriptor)

    def body(self) -> "Shape":
        """Return what a task needs to know of it, which is small enough to be sent to other processes."""
        return replace(self, tasks=())

    def dependents(self) -> dict[str, list[str]]:
        """Return which tasks need each task."""
        those: dict[str, list[str]] = {name: [] for name, _ in self.tasks}
        for name, needs in self.tasks:
            for need in needs:
                those[need].append(name)
        return those

    def problem(self, outputs: Iterable[Mapping[str, object]]) -> str | None:
        """Say what is wrong with the outputs of each run, given by task in the order of completion; None if nothing."""
        found = list(outputs)
        if len(found) != self.runs:
            return f"{len(found)} runs ended, not {self.runs}"
        for one in found:
            if one.keys() != dict(self.tasks).keys():
                return f"{len(one)} tasks have an output, not {len(self.tasks)}"
            place = {name: index for index, name in enumerate(one)}
            for name, needs in self.tasks:
                if one[name] != self.output:
                    return f"{name} gave {one[name]!r:.60}, not {self.output!r:.60}"
                if any(place[need] > place[name] for need in needs):
                    return f"{name} ended before what it needs"
        return None


def by_run(found: Iterable[tuple[int, str, tuple[float, object]]]) -> list[dict[str, object]]:
    """Return outputs by run in the order of completion, given (run, task, what `work_in_thread` gave)."""
    runs: dict[int, dict[str, object]] = {}
    for run, task, (_, output) in sorted(found, key=lambda one: one[2][0]):
        runs.setdefault(run, {})[task] = output
    return list(runs.values())


def chain(size: int) -> Shape:
    """Return tasks one after the other."""
    return Shape("chain", [(f"c{i}", (f"c{i - 1}",) if i else ()) for i in range(size)])


def fan(size: int) -> Shape:
    """Return one task, `size` that need it, and one that needs all of these."""
    middle = tuple(f"m{i}" for i in range(size))
    return Shape("fan", [("start", ()), *((name, ("start",)) for name in middle), ("end", middle)])


def layered(size: int, seed: int = SEED) -> Shape:
    """Return a random DAG of `size` tasks in layers of 100, each with three needs in the layer above."""
    width, chooser = min(100, max(3, size // 10)), random.Random(seed)
    tasks: list[tuple[str, tuple[str, ...]]] = []
    for i in range(size):
        start = (i // width - 1) * width
        above = sorted(chooser.sample(range(start, start + width), 3)) if start >= 0 else []
        tasks.append((f"t{i}", tuple(f"t{need}" for need in above)))
    return Shape("layered", tasks)


def diamonds(size: int) -> Shape:
    """Return `size` runs of five tasks: one, three that need it, and one that needs these three."""
    return Shape("diamonds", [*DIAMOND, ("end", ("left", "middle", "right"))], runs=size)


SHAPES: Final[Mapping[str, Callable[[int], Shape]]] = {
    "chain": chain,
    "fan": fan,
    "layered": layered,
    "diamonds": diamonds,
}
