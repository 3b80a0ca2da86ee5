"""OpenAI's Agents SDK, which has no graph: each task is a run of an agent whose model does what the task does."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
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

IDIOM = "a run of an agent a task, with a model that answers at once; own counts on asyncio"


class Fake(Model):
    """Answers with the output of the task that it is asked for."""

    def __init__(self, work: Body) -> None:
        self._work = work

    async def get_response(self, *_: Any, input: Any = "", **__: Any) -> ModelResponse:
        output = await self._work(input if isinstance(input, str) else input[0]["content"])
        return ModelResponse(output=[assistant_message(str(output))], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


async def one(agent: Agent, shape: Shape, arrivals: Arrivals) -> dict[str, str | int]:
    """Carry out one run; return outputs in the order of completion."""
    results: dict[str, str | int] = {}
    given, config = type(shape.output), RunConfig(tracing_disabled=True)

    async def task(name: str) -> None:
        result = await Runner.run(agent, name, run_config=config)
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
    agent, counts = Agent(name="worker", model=Fake(limited(shape))), Arrivals.of(shape)

    async def run() -> list[dict[str, str | int]]:
        return list(await asyncio.gather(*(one(agent, shape, counts.fresh()) for _ in range(shape.runs))))

    yield Prepared(run, lambda found: found)


SUBJECTS = (
    Subject(
        "openai-agents", ("openai-agents",), prepare, dict.fromkeys(("chain", "fan", "layered", "diamonds"), IDIOM)
    ),
)

if __name__ == "__main__":
    main(*SUBJECTS)
