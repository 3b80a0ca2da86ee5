"""LangGraph: without a saver, and with SQLite, written in the background (its default) or before the next step."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

os.environ["LANGSMITH_TRACING"] = "false"

from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

from benchmarks.peers.bodies import body
from benchmarks.peers.needs import Arrivals, levels
from benchmarks.shapes import Shape
from benchmarks.subject import Prepared, Subject, main

SNAPSHOT_EACH = 1000
"""A delta channel writes its whole value once in so many steps; the default of 100 costs twice the disk here."""
IDIOM = {
    "chain": "StateGraph: one node that goes to itself by Command, with a counter",
    "fan": "StateGraph: Send to one node, then a node that all of these lead to",
    "layered": "StateGraph: levels, each begun by a Command with Sends; the functional API where tasks sleep",
    "diamonds": "StateGraph: a node a task, edges; the functional API where tasks sleep",
}

Update = dict[str, Any]


def filled(results: Update, updates: Sequence[Update]) -> Update:
    """Return the results themselves with the updates: without a saver nobody else holds them."""
    for one in updates:
        results.update(one)
    return results


def added(results: Update, updates: Sequence[Update]) -> Update:
    """Return the results with the updates, leaving the old ones as they were: a checkpoint may still hold them."""
    return filled(dict(results), updates)


class Kept(TypedDict):
    """State whose checkpoints hold what was added alone, and not each time everything."""

    at: int
    results: Annotated[Update, DeltaChannel(added, snapshot_frequency=SNAPSHOT_EACH)]


class Passing(TypedDict):
    """State that is not kept."""

    at: int
    results: Annotated[Update, DeltaChannel(filled)]


def chain(shape: Shape, state: type) -> StateGraph:
    """Return a loop: a graph of as many nodes as tasks takes twice as long."""
    work, names = body(shape), [name for name, _ in shape.tasks]

    async def step(state: Mapping[str, Any]) -> Command:
        at = state["at"]
        update = {"at": at + 1, "results": {names[at]: await work(names[at])}}
        return Command(update=update, goto="step" if at + 1 < len(names) else END)

    graph = StateGraph(state)
    graph.add_node("step", step, destinations=("step", END))
    graph.add_edge(START, "step")
    return graph


def fan(shape: Shape, state: type) -> StateGraph:
    """Return a node that sends to a second one, which leads to a third."""
    work, middle = body(shape), [name for name, needs in shape.tasks if needs == ("start",)]

    async def start(_: Mapping[str, Any]) -> Command:
        return Command(
            update={"results": {"start": await work("start")}}, goto=[Send("middle", name) for name in middle]
        )

    async def one(name: str) -> Update:
        return {"results": {name: await work(name)}}

    async def end(_: Mapping[str, Any]) -> Update:
        return {"results": {"end": await work("end")}}

    graph = StateGraph(state)
    graph.add_node("start", start, destinations=("middle",))
    graph.add_node("middle", one)
    graph.add_node("end", end)
    graph.add_edge(START, "start")
    graph.add_edge("middle", "end")
    graph.add_edge("end", END)
    return graph


def layered(shape: Shape, state: type) -> StateGraph:
    """Return two nodes in turn: one sends a level's tasks to the other, and is gone to when all of them ended."""
    work, sent = body(shape), [[Send("one", name) for name in level] for level in levels(shape)]

    async def begin(state: Mapping[str, Any]) -> Command:
        at = state["at"]
        return Command(update={"at": at + 1}, goto=sent[at]) if at < len(sent) else Command(goto=END)

    async def one(name: str) -> Update:
        return {"results": {name: await work(name)}}

    graph = StateGraph(state)
    graph.add_node("begin", begin, destinations=("one", END))
    graph.add_node("one", one)
    graph.add_edge(START, "begin")
    graph.add_edge("one", "begin")
    return graph


def static(shape: Shape, state: type) -> StateGraph:
    """Return a node a task, and an edge a need."""
    work, graph = body(shape), StateGraph(state)

    def node(name: str) -> Any:
        async def one(_: Mapping[str, Any]) -> Update:
            return {"results": {name: await work(name)}}

        return one

    for name, needs in shape.tasks:
        graph.add_node(name, node(name))
        graph.add_edge(list(needs) if len(needs) > 1 else needs[0] if needs else START, name)
    graph.add_edge(shape.tasks[-1][0], END)
    return graph


GRAPHS = {"chain": chain, "fan": fan, "layered": layered, "diamonds": static}


def functional(shape: Shape, saver: AsyncSqliteSaver | None) -> Any:
    """Return the shape in the functional API, which has no steps: a task begins as soon as what it needs has ended."""
    work, counts = body(shape), Arrivals.of(shape)

    @task
    async def one(name: str) -> str | int:
        return await work(name)

    @entrypoint(checkpointer=saver)
    async def flow(_: Update) -> entrypoint.final:
        arrivals, results = counts.fresh(), {}
        done = asyncio.get_running_loop().create_future()

        def begin(name: str) -> None:
            one(name).add_done_callback(lambda future: ended(name, future))

        def ended(name: str, future: asyncio.Future[str | int]) -> None:
            if (error := future.exception()) is not None:
                done.set_exception(error)
                return
            results[name] = future.result()
            for ready in arrivals.ended(name):
                begin(ready)
            if not arrivals.left:
                done.set_result(None)

        for name in arrivals.first():
            begin(name)
        await done
        return entrypoint.final(value={"results": results}, save=None)

    return flow


def subject(name: str, durability: Literal["async", "sync"] | None) -> Subject:
    """Return LangGraph with that durability."""

    @asynccontextmanager
    async def opened(shape: Shape, folder: Path, first: Update | None) -> AsyncGenerator[Prepared]:
        # A superstep waits for its slowest task: it is no good idiom for tasks of different lengths.
        stepless = bool(shape.seconds) and shape.name != "chain"
        if stepless and first is None:
            raise RuntimeError("the functional API knows a call by its number, and here the order of calls varies")
        async with AsyncExitStack() as stack:
            saver, state, options = None, Passing, {}
            if durability is not None:
                saver = await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(str(folder / "runs.db")))
                state, options = Kept, {"durability": durability}
            graph = GRAPHS[shape.name](shape, state)
            compiled = functional(shape, saver) if stepless else graph.compile(checkpointer=saver)

            async def one(run: int) -> Update:
                config = {
                    "configurable": {"thread_id": f"run {run}"},
                    "recursion_limit": 2 * len(shape.tasks) + 10,
                    "max_concurrency": shape.slots,
                }
                return await compiled.ainvoke(first, config, **options)

            async def run() -> list[Update]:
                return await asyncio.gather(*(one(number) for number in range(shape.runs)))

            yield Prepared(run, lambda found: [one["results"] for one in found])

    def prepare(shape: Shape, folder: Path) -> Any:
        return opened(shape, folder, {"at": 0, "results": {}})

    def resume(shape: Shape, folder: Path) -> Any:
        return opened(shape, folder, None)

    packages = ("langgraph",) if durability is None else ("langgraph", "langgraph-checkpoint-sqlite")
    return Subject(name, packages, prepare, IDIOM, resume=None if durability is None else resume)


SUBJECTS = (
    subject("langgraph", None),
    subject("langgraph, SQLite", "async"),
    subject("langgraph, SQLite sync", "sync"),
)

if __name__ == "__main__":
    main(*SUBJECTS)
