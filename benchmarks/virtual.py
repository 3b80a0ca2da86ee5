"""Shapes carried out under a virtual clock: a schedule's own seconds, free of what the machine does meanwhile."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import looptime

from agentorch import Orchestrator, Policy, Task, agent
from agentorch.testing import LoopClock
from benchmarks.floors import bare
from benchmarks.ours import PARALLEL, plan_of
from benchmarks.shapes import Shape


def in_virtual_time(awaited: Coroutine[Any, Any, Any]) -> Any:
    """Return what comes of it on a loop whose time stands still while anything is at work."""
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        return runner.run(awaited)


async def ours(shape: Shape, expected: Mapping[str, float] | None = None) -> float:
    """Return the running loop's seconds for one run; `expected` is what is said of each task, by default the truth."""

    @agent(name="worker", description="Does what the shape says.")
    async def worker(task: Task) -> Any:
        return await shape.work(task.id)

    policy = Policy(parallel=shape.slots or PARALLEL, timeout=None)
    async with Orchestrator([worker], policy=policy, clock=LoopClock()) as orchestrator:
        before = asyncio.get_running_loop().time()
        outcome = await orchestrator.run(plan_of(shape, expected))
        seconds = asyncio.get_running_loop().time() - before
    _check(shape, outcome.outputs)
    return seconds


async def first_in_first_out(shape: Shape) -> float:
    """Return the running loop's seconds of the floor, which begins tasks in the order in which they became ready."""
    before = asyncio.get_running_loop().time()
    (outputs,) = await bare(shape)
    seconds = asyncio.get_running_loop().time() - before
    _check(shape, outputs)
    return seconds


def _check(shape: Shape, outputs: Mapping[str, object]) -> None:
    problem = shape.problem([dict(outputs)])
    if problem is not None:
        raise AssertionError(problem)
