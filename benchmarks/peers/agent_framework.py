"""Microsoft's Agent Framework: its graphs, without checkpoints and with its files."""

import asyncio
import os
import warnings
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

os.environ["ENABLE_INSTRUMENTATION"] = "false"
os.environ["AGENT_FRAMEWORK_USER_AGENT_DISABLED"] = "true"

from agent_framework import (
    Executor,
    FileCheckpointStorage,
    Workflow,
    WorkflowBuilder,
    WorkflowContext,
    handler,
    step,
    workflow,
)

from benchmarks.floors import Body
from benchmarks.peers.bodies import limited
from benchmarks.peers.needs import Arrivals
from benchmarks.shapes import Shape
from benchmarks.subject import Prepared, Subject, main

NODES = "WorkflowBuilder: an executor a task, fan-out and fan-in edges; its functional API where tasks sleep"
IDIOM = {
    "chain": "WorkflowBuilder: one executor that sends messages to itself",
    "fan": NODES,
    "layered": NODES,
    "diamonds": NODES,
}
warnings.simplefilter("ignore")  # the functional API is announced as experimental

BEGIN = "begin"
"""An executor that leads to several first tasks: a graph begins at one."""
CHECKPOINTS = "checkpoints"

Results = dict[str, str | int]
Run = Callable[[], Coroutine[Any, Any, Results]]


class Worker(Executor):
    """An executor that keeps what its task gave; `several` is a handler for what a fan-in gathers."""

    def __init__(self, name: str, work: Body | None, results: Results) -> None:
        super().__init__(id=name)
        self._work = work
        self._results = results

    @handler
    async def one(self, _: str, context: WorkflowContext[str]) -> None:
        await self._carry_out(context)

    @handler
    async def several(self, _: list[str], context: WorkflowContext[str]) -> None:
        await self._carry_out(context)

    async def _carry_out(self, context: WorkflowContext[str]) -> None:
        if self._work is not None:
            self._results[self.id] = await self._work(self.id)
        await context.send_message("")

    async def on_checkpoint_save(self) -> dict[str, Any]:
        return {"output": self._results[self.id]} if self.id in self._results else {}

    async def on_checkpoint_restore(self, state: Mapping[str, Any]) -> None:
        if "output" in state:
            self._results[self.id] = state["output"]


class Loop(Executor):
    """An executor that carries a chain out by itself: of a graph, each checkpoint holds what every executor keeps."""

    def __init__(self, shape: Shape, work: Body, results: Results) -> None:
        super().__init__(id="loop")
        self._names = [name for name, _ in shape.tasks]
        self._work = work
        self._results = results

    @handler
    async def one(self, _: str, context: WorkflowContext[str]) -> None:
        name = self._names[len(self._results)]
        self._results[name] = await self._work(name)
        if len(self._results) < len(self._names):
            await context.send_message("")

    async def on_checkpoint_save(self) -> dict[str, Any]:
        return {"results": self._results}

    async def on_checkpoint_restore(self, state: Mapping[str, Any]) -> None:
        self._results.update(state["results"])


def loop(shape: Shape, work: Body, results: Results, storage: FileCheckpointStorage | None) -> Workflow:
    """Return a chain as a graph of one executor."""
    one = Loop(shape, work, results)
    steps = len(shape.tasks) + 2
    builder = WorkflowBuilder(name="shape", max_iterations=steps, start_executor=one, checkpoint_storage=storage)
    return builder.add_edge(one, one).build()


def graph(shape: Shape, work: Body, results: Results, storage: FileCheckpointStorage | None) -> Workflow:
    """Return the shape as a graph that fills the results."""
    nodes = {name: Worker(name, work, results) for name, _ in shape.tasks}
    first = [nodes[name] for name, needs in shape.tasks if not needs]
    begin = first[0] if len(first) == 1 else Worker(BEGIN, None, results)
    builder = WorkflowBuilder(
        name="shape", max_iterations=len(nodes) + 2, start_executor=begin, checkpoint_storage=storage
    )
    if len(first) > 1:
        builder.add_fan_out_edges(begin, first)
    joined = {name for name, needs in shape.tasks if len(needs) > 1}
    for name, those in shape.dependents().items():
        led = [nodes[one] for one in those if one not in joined]
        if len(led) == 1:
            builder.add_edge(nodes[name], led[0])
        elif led:
            builder.add_fan_out_edges(nodes[name], led)
    for name, needs in shape.tasks:
        if name in joined:
            builder.add_fan_in_edges([nodes[need] for need in needs], nodes[name])
    return builder.build()


def functional(shape: Shape, work: Body) -> Run:
    """Return a run in the functional API, which has no supersteps: a task begins as what it needs has ended."""
    counts = Arrivals.of(shape)

    @step(replay_key=lambda name: name)
    async def one(name: str) -> str | int:
        return await work(name)

    @workflow
    async def flow(_: str) -> Results:
        arrivals = counts.fresh()
        results: Results = {}

        async def task(name: str) -> None:
            results[name] = await one(name)
            begin(arrivals.ended(name))

        def begin(names: list[str]) -> None:
            for name in names:
                group.create_task(task(name))

        async with asyncio.TaskGroup() as group:
            begin(arrivals.first())
        return results

    async def run() -> Results:
        (results,) = (await flow.build().run("")).get_outputs()
        return results

    return run


def carried(shape: Shape, work: Body, storage: FileCheckpointStorage | None, *, resumed: bool) -> Run:
    """Return a run of the graph; resumed, it goes on from the newest checkpoint."""
    results: Results = {}
    built = (loop if shape.name == "chain" else graph)(shape, work, results, storage)

    async def run() -> Results:
        if not resumed or storage is None:
            await built.run("")
            return results
        newest = await storage.get_latest(workflow_name="shape")
        await built.run(checkpoint_id=newest.checkpoint_id if newest is not None else None)
        return results

    return run


def subject(name: str, *, durable: bool) -> Subject:
    """Return the framework, with checkpoints in files or with none."""

    @asynccontextmanager
    async def opened(shape: Shape, folder: Path, *, resumed: bool) -> AsyncGenerator[Prepared]:
        work = limited(shape)
        storage = FileCheckpointStorage(folder / CHECKPOINTS) if durable else None
        # A superstep waits for its slowest task: it is no good idiom for tasks of different lengths.
        if shape.seconds and shape.name != "chain" and not durable:
            runs = [functional(shape, work) for _ in range(shape.runs)]
        else:
            runs = [carried(shape, work, storage, resumed=resumed) for _ in range(shape.runs)]

        async def run() -> Sequence[Results]:
            return await asyncio.gather(*(one() for one in runs))

        yield Prepared(run, lambda found: found)

    def prepare(shape: Shape, folder: Path) -> Any:
        return opened(shape, folder, resumed=False)

    def resume(shape: Shape, folder: Path) -> Any:
        return opened(shape, folder, resumed=True)

    return Subject(name, ("agent-framework-core",), prepare, IDIOM, resume=resume if durable else None)


SUBJECTS = (subject("agent-framework", durable=False), subject("agent-framework, files", durable=True))

if __name__ == "__main__":
    main(*SUBJECTS)
