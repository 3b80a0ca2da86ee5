"""OpenAI's Agents SDK, which has no graph: each task is a run of an agent whose model does what the task does."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "true"

from agents.testing import assistant_message

from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage
from benchmarks.floors import Body
from benchmarks.peers.bodies import limited
from benchmarks.peers.needs import Arrivals
from benchmarks.shapes import Shape
from benchmarks.subject import Prepared, Subject, main

# Runs that share an agent at the same time are compared with each other, all with all; a new one costs something too.
OWN = "a run of an agent of its own a task, with a model that answers at once; own counts in a TaskGroup"
IDIOM = {
    "chain": "a run of one agent a task, with a model that answers at once",
    "fan": OWN,
    "layered": OWN,
    "diamonds": OWN,
}


class Fake(Model):
    """Answers with the output of the task that it is asked for."""

    def __init__(self, work: Body) -> None:
        self._work = work

    async def get_response(self, *_: Any, input: Any = "", **__: Any) -> ModelResponse:
        output = await self._work(input if isinstance(input, str) else input[0]["content"])
        return ModelResponse(output=[assistant_message(str(output))], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


async def one(agents: Mapping[str, Agent], shape: Shape, arrivals: Arrivals) -> dict[str, str | int]:
    """Carry out one run; return outputs in the order of completion."""
    results: dict[str, str | int] = {}
    given, config = type(shape.output), RunConfig(tracing_disabled=True)

    async def task(name: str) -> None:
        result = await Runner.run(agents[name], name, run_config=config)
        results[name] = given(result.final_output)
        begin(arrivals.ended(name))

    def begin(names: list[str]) -> None:
        for name in names:
            group.create_task(task(name))

    async with asyncio.TaskGroup() as group:
        begin(arrivals.first())
    return results


@asynccontextmanager
async def prepare(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    model, counts = Fake(limited(shape)), Arrivals.of(shape)
    names = [name for name, _ in shape.tasks]
    if shape.name == "chain":
        made = [dict.fromkeys(names, Agent(name="worker", model=model))]
    else:
        made = [{name: Agent(name=name, model=model) for name in names} for _ in range(shape.runs)]

    async def run() -> list[dict[str, str | int]]:
        return list(await asyncio.gather(*(one(agents, shape, counts.fresh()) for agents in made)))

    yield Prepared(run, lambda found: found)


SUBJECTS = (Subject("openai-agents", ("openai-agents",), prepare, IDIOM),)

if __name__ == "__main__":
    main(*SUBJECTS)
