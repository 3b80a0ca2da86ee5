"""pydantic-graph, the library below Pydantic AI. Its spans are off, as they are without logfire."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic_graph import Graph, GraphBuilder, GraphTaskRequest, StepContext

from benchmarks.floors import Body
from benchmarks.peers.bodies import limited
from benchmarks.peers.needs import Arrivals
from benchmarks.shapes import Shape
from benchmarks.subject import Prepared, Subject, main

# Its own map and join, level by level, take twice as long, and wait for the slowest of each level.
REQUESTS = "one step; own counts give GraphRun.next the requests for what is ready"
IDIOM = {"chain": "GraphBuilder: a step a task, edges", "fan": REQUESTS, "layered": REQUESTS, "diamonds": REQUESTS}

Results = dict[str, str | int]


def builder() -> GraphBuilder[Results, None, str, str]:
    """Return a builder of graphs whose state is the results."""
    return GraphBuilder(name="shape", state_type=dict, input_type=str, output_type=str, auto_instrument=False)


def chain(shape: Shape, work: Body) -> Callable[[], Awaitable[Results]]:
    """Return what carries out a graph with a step for each task."""
    build = builder()

    def step(name: str) -> Callable[[StepContext[Results, None, str]], Awaitable[str]]:
        async def one(context: StepContext[Results, None, str]) -> str:
            context.state[name] = await work(name)
            return name

        return one

    last = build.start_node
    for name, _ in shape.tasks:
        node = build.step(step(name), node_id=name)
        build.add(build.edge_from(last).to(node))
        last = node
    build.add(build.edge_from(last).to(build.end_node))
    graph = build.build()

    async def run() -> Results:
        results: Results = {}
        await graph.run(state=results, inputs="")
        return results

    return run


def requests(shape: Shape, work: Body) -> Callable[[], Awaitable[Results]]:
    """Return what asks a graph of one step for each task as soon as what it needs has ended."""
    build, counts = builder(), Arrivals.of(shape)

    @build.step(node_id="one")
    async def one(context: StepContext[Results, None, str]) -> str:
        context.state[context.inputs] = await work(context.inputs)
        return context.inputs

    build.add(build.edge_from(build.start_node).to(one), build.edge_from(one).to(build.end_node))
    graph: Graph[Results, None, str, str] = build.build()

    def asked(names: list[str]) -> list[GraphTaskRequest]:
        return [GraphTaskRequest(one.id, name, ()) for name in names]

    async def run() -> Results:
        results: Results = {}
        arrivals = counts.fresh()
        async with graph.iter(state=results, inputs="") as going:
            await anext(going)
            event = await going.next(asked(arrivals.first()))
            ready = arrivals.ended(event[0].inputs)
            while arrivals.left:
                event = await going.next(asked(ready))
                ready = arrivals.ended(event[0].inputs)
            await going.next()
        return results

    return run


@asynccontextmanager
async def prepare(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    one = (chain if shape.name == "chain" else requests)(shape, limited(shape))

    async def run() -> list[Results]:
        return list(await asyncio.gather(*(one() for _ in range(shape.runs))))

    yield Prepared(run, lambda found: found)


SUBJECTS = (Subject("pydantic-graph", ("pydantic-graph",), prepare, IDIOM),)

if __name__ == "__main__":
    main(*SUBJECTS)
