"""What the same work costs with nothing but the event loop. Standard library only: peers import it."""

import asyncio
from collections.abc import Awaitable, Callable

from benchmarks.shapes import Shape

Body = Callable[[str], Awaitable[str | int]]


async def bare(shape: Shape) -> list[dict[str, str | int]]:
    """Carry the shape out with one asyncio task per task and a count of what is ready; return outputs by run.

    With `slots`, tasks are begun first in, first out.
    """
    body = nothing(shape) if not (shape.seconds or shape.log) else shape.work
    needs = [(name, len(needed)) for name, needed in shape.tasks]
    dependents = shape.dependents()
    return list(await asyncio.gather(*(_one(needs, dependents, body, shape.slots) for _ in range(shape.runs))))


def nothing(shape: Shape) -> Body:
    """Return a body that gives the output at once."""
    output = shape.output

    async def body(_: str) -> str | int:
        return output

    return body


async def _one(
    needs: list[tuple[str, int]], dependents: dict[str, list[str]], work: Body, slots: int | None
) -> dict[str, str | int]:
    missing = dict(needs)
    left = len(missing)
    done = asyncio.Event()
    results: dict[str, str | int] = {}
    alive: set[asyncio.Task[None]] = set()
    turn = asyncio.Semaphore(slots) if slots is not None else None

    async def limited(name: str) -> str | int:
        assert turn is not None
        async with turn:
            return await work(name)

    execute = work if turn is None else limited

    async def body(name: str) -> None:
        nonlocal left
        results[name] = await execute(name)
        left -= 1
        for dependent in dependents[name]:
            missing[dependent] -= 1
            if not missing[dependent]:
                start(dependent)
        if not left:
            done.set()

    def start(name: str) -> None:
        task = asyncio.create_task(body(name))
        alive.add(task)
        task.add_done_callback(alive.discard)

    for name, count in needs:
        if not count:
            start(name)
    await done.wait()
    return results
