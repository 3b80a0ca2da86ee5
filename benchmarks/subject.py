"""What is measured, as one program: `python -m benchmarks.peers.NAME SUBJECT SHAPE SIZE`. Standard library only.

It carries a shape out several times, the floor and the subject alternating in one process, checks every output, and
prints one line of JSON: a `Cell`. With `--subjects` alone it says what can be measured.
"""

import argparse
import asyncio
import gc
import importlib.metadata
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field, replace
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final

from benchmarks.floors import bare
from benchmarks.shapes import SHAPES, Shape

OUTPUT_BYTES: Final = 1024
ENOUGH: Final = 0.5
"""Seconds: what is shorter is repeated more often, until so much is spent."""
MOST: Final = 10
"""How many times more often at most."""
WARM_UP: Final = 10
"""Size of what is carried out before memory is measured: what the first use loads belongs to no task."""


@dataclass(frozen=True)
class Prepared:
    """A shape built in a subject's own terms: building it is not a part of carrying it out."""

    run: Callable[[], Any]
    """Carries all runs of the shape out once, and returns what `outputs` understands. It may be async."""
    outputs: Callable[[Any], Sequence[Mapping[str, object]]]
    """Returns the outputs of each run, by task in the order of completion. It is not timed."""


@dataclass(frozen=True)
class Subject:
    """Something that can carry shapes out."""

    name: str
    packages: tuple[str, ...]
    """Distributions whose versions are told."""
    prepare: Callable[[Shape, Path], AbstractAsyncContextManager[Prepared]]
    """Builds a shape; the folder is for what is to be durable. Entering is timed as building."""
    idiom: Mapping[str, str] = field(default_factory=dict[str, str])
    """By shape, what of the subject is used for it, in a few words."""
    lacks: Mapping[str, str] = field(default_factory=dict[str, str])
    """By shape, why it cannot be carried out."""
    resume: Callable[[Shape, Path], AbstractAsyncContextManager[Prepared]] | None = None
    """Takes up what a killed process has left in the folder; None where nothing can be taken up."""
    own_threads: bool = False
    """Whether it runs threads that would disturb a floor in the same process."""


@dataclass
class Cell:
    """What was measured."""

    subject: str
    shape: str
    size: int
    tasks: int
    versions: dict[str, str] = field(default_factory=dict[str, str])
    idiom: str = ""
    seconds: list[float] = field(default_factory=list[float])
    """Of each repeat, for all tasks."""
    floor: list[float] = field(default_factory=list[float])
    """The same for bare asyncio; empty where it was not taken here."""
    building: list[float] = field(default_factory=list[float])
    """Seconds that building took, each time."""
    peak_kb: int = 0
    """Growth of the peak of the resident memory while it was carried out once; only with `--memory`."""
    began: float = 0.0
    """When its imports were over, in seconds since the epoch."""
    disk_bytes: int = 0
    """What the folder held after the last repeat."""
    error: str = ""


def main(*subjects: Subject) -> None:
    """Measure as the command line says, and print the cell."""
    if sys.argv[1:] == ["--subjects"]:
        print(json.dumps([_described(one) for one in subjects]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subject", choices=[one.name for one in subjects])
    parser.add_argument("shape", choices=[*SHAPES])
    parser.add_argument("size", type=int)
    parser.add_argument("--repeats", type=int, default=5, help="more where they are short")
    parser.add_argument("--patience", type=float, default=1e9, help="seconds after which nothing more is repeated")
    parser.add_argument("--memory", action="store_true", help="one repeat without a floor, for the peak of memory")
    parser.add_argument("--results", action="store_true", help="each task gives 1 KB")
    parser.add_argument("--log", type=Path, help="a file to which each task adds its id when it begins")
    parser.add_argument("--seconds", type=Path, help="a file of JSON: how long each task sleeps, by id")
    parser.add_argument("--slots", type=int)
    parser.add_argument("--folder", type=Path, help="where to keep what is durable; default: a new one each time")
    parser.add_argument("--resume", action="store_true", help="take up what a killed process has left in --folder")
    options = parser.parse_args()
    (subject,) = [one for one in subjects if one.name == options.subject]
    shape = replace(
        SHAPES[options.shape](options.size),
        output="x" * OUTPUT_BYTES if options.results else 1,
        log=options.log,
        seconds=json.loads(options.seconds.read_text()) if options.seconds else {},
        slots=options.slots,
    )
    cell = Cell(subject.name, shape.name, options.size, shape.count, _versions(subject))
    cell.idiom = subject.idiom.get(shape.name, "")
    try:
        asyncio.run(_measure(subject, shape, cell, options))
    except Exception as error:  # noqa: BLE001  # a cell says why it is empty
        cell.error = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    print(json.dumps(asdict(cell)))
    sys.stdout.flush()


def _described(subject: Subject) -> dict[str, Any]:
    return {
        "name": subject.name,
        "lacks": dict(subject.lacks),
        "resumes": subject.resume is not None,
        "own_threads": subject.own_threads,
    }


def _versions(subject: Subject) -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in subject.packages}


async def _measure(subject: Subject, shape: Shape, cell: Cell, options: argparse.Namespace) -> None:
    cell.began = time.time()
    if shape.name in subject.lacks:
        cell.error = subject.lacks[shape.name]
        return
    if options.resume and subject.resume is None:
        cell.error = "nothing can be taken up"
        return
    prepare = subject.resume if options.resume and subject.resume is not None else subject.prepare
    if options.memory and not options.resume:  # what is taken up is taken up by a process that has just begun
        await _warm_up(subject, shape)
    began = time.perf_counter()
    for repeat in range(1 if options.memory or options.folder else MOST * options.repeats):
        spent = time.perf_counter() - began
        foreseen = spent * (repeat + 1) / max(1, repeat)
        if repeat and (foreseen > options.patience or (repeat >= options.repeats and spent > ENOUGH)):
            break
        if not (subject.own_threads or options.memory or options.resume):
            cell.floor.append(await timed(shape, floor(shape)))
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.folder or Path(temporary)
            before = time.perf_counter()
            async with prepare(shape, folder) as prepared:
                cell.building.append(time.perf_counter() - before)
                peak = 0 if options.resume else _peak_kb(anew=True)
                cell.seconds.append(await timed(shape, prepared, tidy=not options.resume))
                cell.peak_kb = 0 if options.resume else _peak_kb() - peak
            cell.disk_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def floor(shape: Shape) -> Prepared:
    """Return bare asyncio as what carries the shape out."""
    return Prepared(lambda: bare(shape), lambda found: found)


async def timed(shape: Shape, prepared: Prepared, *, tidy: bool = True) -> float:
    """Return the seconds of carrying the shape out once; raise AssertionError where the outputs are not right."""
    if tidy:  # what is taken up is taken up at once
        gc.collect()
    before = time.perf_counter()
    result = prepared.run()
    if isawaitable(result):
        result = await result
    seconds = time.perf_counter() - before
    problem = shape.problem(prepared.outputs(result))
    if problem is not None:
        raise AssertionError(problem)
    return seconds


async def _warm_up(subject: Subject, shape: Shape) -> None:
    small = replace(SHAPES[shape.name](WARM_UP), output=shape.output)
    with tempfile.TemporaryDirectory() as folder:
        async with subject.prepare(small, Path(folder)) as prepared:
            await timed(small, prepared)


def _peak_kb(*, anew: bool = False) -> int:
    """Return the peak of the resident memory; `anew` forgets what it was before."""
    # Not getrusage: what that tells begins with the size of the process which started this one.
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if anew:
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])
