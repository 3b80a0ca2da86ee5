"""LlamaIndex's workflows: steps that take events and send events."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent

from benchmarks.peers.bodies import body
from benchmarks.peers.needs import Arrivals
from benchmarks.shapes import Shape
from benchmarks.subject import Prepared, Subject, main

# Its own fan-in, a step that takes a list of events, takes two to six times as long, and waits for each level.
IDIOM = "a workflow a run, one step that takes an event a task; own counts; num_workers as the limit"


class Ready(Event):
    """The task may begin."""

    task: str


def workflow(shape: Shape) -> type[Workflow]:
    """Return the workflow that carries the shape out once."""
    work, counts = body(shape), Arrivals.of(shape)

    class Flow(Workflow):
        def __init__(self) -> None:
            super().__init__(timeout=None)
            self.arrivals = counts.fresh()
            self.results: dict[str, str | int] = {}

        @step
        async def begin(self, context: Context, _: StartEvent) -> Ready | None:
            for name in self.arrivals.first():
                context.send_event(Ready(task=name))

        @step(num_workers=shape.slots or len(shape.tasks))
        async def one(self, context: Context, event: Ready) -> Ready | StopEvent | None:
            self.results[event.task] = await work(event.task)
            ready = self.arrivals.ended(event.task)
            if not self.arrivals.left:
                return StopEvent(result=self.results)
            for name in ready[1:]:
                context.send_event(Ready(task=name))
            return Ready(task=ready[0]) if ready else None

    return Flow


@asynccontextmanager
async def prepare(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    made = workflow(shape)
    flows = [made() for _ in range(shape.runs)]

    async def one(flow: Workflow) -> dict[str, str | int]:
        return await flow.run()

    async def run() -> Sequence[dict[str, str | int]]:
        return await asyncio.gather(*map(one, flows))

    yield Prepared(run, lambda found: found)


SUBJECTS = (
    Subject(
        "llama-index-workflows",
        ("llama-index-workflows",),
        prepare,
        dict.fromkeys(("chain", "fan", "layered", "diamonds"), IDIOM),
    ),
)

if __name__ == "__main__":
    main(*SUBJECTS)
