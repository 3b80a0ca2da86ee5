"""anyio with nothing above it: what structured concurrency alone costs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from benchmarks.floors import Body
from benchmarks.peers.bodies import body
from benchmarks.peers.needs import Arrivals
from benchmarks.shapes import Shape
from benchmarks.subject import Prepared, Subject, main

IDIOM = "a task group a run, a task in it a task, own counts"


async def one(arrivals: Arrivals, work: Body) -> dict[str, str | int]:
    """Carry out one run; return outputs in the order of completion."""
    results: dict[str, str | int] = {}

    async def task(name: str) -> None:
        results[name] = await work(name)
        for ready in arrivals.ended(name):
            group.start_soon(task, ready)

    async with anyio.create_task_group() as group:
        for name in arrivals.first():
            group.start_soon(task, name)
    return results


def held(shape: Shape) -> Body:
    """Return what a task does, held to the slots by anyio's own limiter."""
    work = body(shape)
    if shape.slots is None:
        return work
    limiter = anyio.CapacityLimiter(shape.slots)

    async def turn(task: str) -> str | int:
        async with limiter:
            return await work(task)

    return turn


@asynccontextmanager
async def prepare(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    arrivals, work = Arrivals.of(shape), held(shape)

    async def run() -> list[dict[str, str | int]]:
        return list(await asyncio.gather(*(one(arrivals.fresh(), work) for _ in range(shape.runs))))

    yield Prepared(run, lambda found: found)


SUBJECTS = (Subject("anyio", ("anyio",), prepare, dict.fromkeys(("chain", "fan", "layered", "diamonds"), IDIOM)),)

if __name__ == "__main__":
    main(*SUBJECTS)
