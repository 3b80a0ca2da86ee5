"""CrewAI's Flow, without crews: methods that listen to methods. Its events are off: each would copy the whole state."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_DISABLE_TRACKING"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"
os.environ["OTEL_SDK_DISABLED"] = "true"

from crewai.flow.flow import Flow, and_, listen, or_, router, start

from benchmarks.peers.bodies import limited
from benchmarks.shapes import Shape
from benchmarks.subject import Prepared, Subject, main

METHODS = "Flow: a method a task, listen and and_"
IDIOM = {
    "chain": "Flow: one router method that is led to by its own result",
    "fan": METHODS,
    "layered": METHODS,
    "diamonds": METHODS,
}
CALLS = 10**9
"""A method may be called 100 times unless this is raised."""


def chain(shape: Shape) -> type[Flow]:
    """Return a loop: with a method a task, each that ends would be shown to all the others."""
    work, names = limited(shape), [name for name, _ in shape.tasks]

    class Loop(Flow[dict]):
        @start()
        async def begin(self) -> None:
            self.state["results"] = {}

        @router(or_("begin", "next"))
        async def one(self) -> str:
            results = self.state["results"]
            name = names[len(results)]
            results[name] = await work(name)
            return "next" if len(results) < len(names) else "done"

    return Loop


def methods(shape: Shape) -> type[Flow]:
    """Return a flow with a method for each task, which listens to those of the tasks that it needs."""
    work = limited(shape)

    def method(name: str) -> Callable[[Flow], Coroutine[Any, Any, None]]:
        async def one(self: Flow) -> None:
            output = await work(name)
            self.state.setdefault("results", {})[name] = output

        one.__name__ = one.__qualname__ = name
        return one

    members: dict[str, Any] = {"__module__": __name__}
    for name, needs in shape.tasks:
        led = listen(and_(*needs) if len(needs) > 1 else needs[0]) if needs else start()
        members[name] = led(method(name))
    return type("Methods", (Flow[dict],), members)


@asynccontextmanager
async def prepare(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    made = (chain if shape.name == "chain" else methods)(shape)
    flows = [made(suppress_flow_events=True, tracing=False, max_method_calls=CALLS) for _ in range(shape.runs)]

    async def one(flow: Flow) -> dict[str, str | int]:
        await flow.kickoff_async()
        return flow.state["results"]

    async def run() -> Sequence[dict[str, str | int]]:
        return await asyncio.gather(*map(one, flows))

    yield Prepared(run, lambda found: found)


SUBJECTS = (Subject("crewai", ("crewai",), prepare, IDIOM),)

if __name__ == "__main__":
    main(*SUBJECTS)
