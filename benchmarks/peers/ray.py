"""Ray on this machine: tasks, each in a process of its own pool, and the methods of one asynchronous actor."""

import os
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import ray

from benchmarks.shapes import SHAPES, Shape, by_run
from benchmarks.subject import Prepared, Subject, main

PARALLEL = 1000
"""Calls that the actor carries out at once where the shape sets no limit."""
PROCESSES = 32
"""Processes where tasks sleep and the shape sets no limit: a task that sleeps keeps a whole one."""

Reference = Any
Found = tuple[Sequence[tuple[int, str]], Sequence[tuple[float, object]]]


def start_cluster(processes: int) -> None:
    """Start Ray once, with as many processes ready; it ends with this one."""
    if ray.is_initialized():
        return
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=processes, include_dashboard=False, log_to_driver=False, logging_level="ERROR")

    @ray.remote
    def nap() -> None:
        time.sleep(0.2)

    ray.get([nap.remote() for _ in range(2 * processes)])


def carry_out(shape: Shape, call: Callable[..., Reference]) -> Found:
    """Call every task with the references of what it needs, and get what all of them gave."""
    references: dict[tuple[int, str], Reference] = {}
    for run in range(shape.runs):
        for task, needs in shape.tasks:
            references[run, task] = call(task, *(references[run, need] for need in needs))
    return [*references], ray.get([*references.values()])


def outputs(found: Found) -> list[dict[str, object]]:
    """Return the outputs by run, in the order of completion."""
    return by_run((run, task, value) for (run, task), value in zip(*found, strict=True))


@asynccontextmanager
async def tasks(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    start_cluster(shape.slots or (min(PROCESSES, shape.count) if shape.seconds else os.cpu_count() or 1))
    body = shape.body()

    @ray.remote
    def work(task: str, *_: object) -> tuple[float, str | int]:
        return body.work_in_thread(task)

    yield Prepared(lambda: carry_out(shape, work.remote), outputs)


@asynccontextmanager
async def actor(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    start_cluster(1)
    body = shape.body()

    @ray.remote(num_cpus=0, max_concurrency=shape.slots or PARALLEL, allow_out_of_order_execution=True)
    class Worker:
        async def ready(self) -> None:
            pass

        async def work(self, task: str, *_: object) -> tuple[float, str | int]:
            output = await body.work(task)
            return time.monotonic(), output

    worker = Worker.remote()
    await worker.ready.remote()
    yield Prepared(lambda: carry_out(shape, worker.work.remote), outputs)


SUBJECTS = (
    Subject(
        "Ray",
        ("ray",),
        tasks,
        idiom=dict.fromkeys(SHAPES, "remote tasks that take references; num_cpus as slots"),
        own_threads=True,
    ),
    Subject(
        "Ray, asynchronous actor",
        ("ray",),
        actor,
        idiom=dict.fromkeys(SHAPES, "calls of one actor that take references; max_concurrency as slots"),
        own_threads=True,
    ),
)

if __name__ == "__main__":
    main(*SUBJECTS)
