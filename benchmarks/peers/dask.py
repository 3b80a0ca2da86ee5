"""Dask: its scheduler in threads, and `distributed` with one worker in this process."""

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dask.threaded
from distributed import Client

from benchmarks.shapes import SHAPES, Shape, by_run
from benchmarks.subject import Prepared, Subject, main

PARALLEL = 1000
"""Threads where tasks sleep and the shape sets no limit."""

Key = tuple[str, int, str]
Graph = dict[Key, tuple[Any, ...]]


def graph_of(shape: Shape, name: str = "") -> Graph:
    """Return all runs as one graph in Dask's own form, which costs less than `dask.delayed` at every size."""
    work = shape.body().work_in_thread

    def body(task: str, *_: object) -> tuple[float, str | int]:
        return work(task)

    return {
        (name, run, task): (body, task, *((name, run, need) for need in needs))
        for run in range(shape.runs)
        for task, needs in shape.tasks
    }


def threads(shape: Shape) -> int:
    """Return how many threads there are: as many as may be at work at once, or as the machine has processors."""
    if shape.slots is not None:
        return shape.slots
    return min(PARALLEL, shape.count) if shape.seconds else os.cpu_count() or 1


def outputs(found: tuple[Sequence[Key], Sequence[tuple[float, object]]]) -> list[dict[str, object]]:
    """Return the outputs by run, in the order of completion."""
    keys, values = found
    return by_run((run, task, value) for (_, run, task), value in zip(keys, values, strict=True))


@asynccontextmanager
async def in_threads(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    graph = graph_of(shape)
    keys, workers = [*graph], threads(shape)
    yield Prepared(lambda: (keys, dask.threaded.get(graph, keys, num_workers=workers)), outputs)


@asynccontextmanager
async def distributed(shape: Shape, folder: Path) -> AsyncGenerator[Prepared]:
    graph = graph_of(shape, folder.name)  # results are kept by key: a name that is new each time
    keys = [*graph]
    with Client(
        processes=False,
        n_workers=1,
        threads_per_worker=threads(shape),
        dashboard_address=None,
        local_directory=folder,
        silence_logs=50,
    ) as client:
        yield Prepared(lambda: (keys, client.get(graph, keys)), outputs)


ALL_RUNS = "one graph of all runs"

SUBJECTS = (
    Subject(
        "Dask, threads",
        ("dask",),
        in_threads,
        idiom={**dict.fromkeys(SHAPES, "dask.threaded.get of a graph"), "diamonds": f"dask.threaded.get, {ALL_RUNS}"},
        own_threads=True,
    ),
    Subject(
        "Dask, distributed",
        ("dask", "distributed"),
        distributed,
        idiom={
            **dict.fromkeys(SHAPES, "Client.get of a graph, a worker in process"),
            "diamonds": f"Client.get, {ALL_RUNS}",
        },
        own_threads=True,
    ),
)

if __name__ == "__main__":
    main(*SUBJECTS)
