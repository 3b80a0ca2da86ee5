"""What a task of a peer runs. Standard library only."""

import asyncio

from benchmarks.floors import Body, nothing
from benchmarks.shapes import Shape


def body(shape: Shape) -> Body:
    """Return what a task does, for a peer that limits by itself how many are at work."""
    return shape.work if shape.seconds or shape.log else nothing(shape)


def limited(shape: Shape) -> Body:
    """Return what a task does, held to the slots of the shape by a semaphore: first in, first out."""
    work = body(shape)
    if shape.slots is None:
        return work
    turn = asyncio.Semaphore(shape.slots)

    async def one(task: str) -> str | int:
        async with turn:
            return await work(task)

    return one
