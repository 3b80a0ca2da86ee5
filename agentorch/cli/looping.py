"""The event loop of a command that carries agents out: it is left when its work is done, whatever they still do."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar, TypeVarTuple

from agentorch.cli.leaving import GRACE, UNENDING

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


def in_loop(work: Callable[[*Arguments], Coroutine[object, object, T]], *arguments: *Arguments) -> T:
    """Return what `work` gives, or raise what it raises; what it leaves behind has a moment to end in."""
    runner = asyncio.Runner()
    ended = False
    try:
        try:
            return runner.run(work(*arguments))
        finally:
            ended = runner.run(_all_end())
    finally:
        if ended:
            runner.close()
        else:
            UNENDING.append(runner)


async def _all_end() -> bool:
    """Cancel the tasks that are left; return whether they, and the threads of `asyncio.to_thread`, have ended."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    threads = asyncio.create_task(asyncio.get_running_loop().shutdown_default_executor())
    _, pending = await asyncio.wait({*left, threads}, timeout=GRACE)
    return not pending
