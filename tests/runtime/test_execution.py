"""One dispatch, carried out: when its clock starts."""

import asyncio
import threading
from typing import Any, Never

from agentorch import Agent, agent
from agentorch.blobs.memory import MemoryBlobs
from agentorch.core.task import Task
from agentorch.messages.work import Work
from agentorch.runtime.execution import Execution
from agentorch.runtime.isolated import Isolated
from agentorch.runtime.job import Job
from agentorch.runtime.services import DispatchServices


async def test_waiting_for_a_thread_is_not_the_tasks_time() -> None:
    """The one thread is taken: the clock of what waits for it starts only when it is free."""
    begun, gate = threading.Event(), threading.Event()
    watched: list[str] = []

    @agent(description="Keeps its thread.")
    def keeper() -> str:
        begun.set()
        gate.wait(20)
        return "kept"

    @agent(description="Is quick.")
    def quick() -> str:
        return "quick"

    def no_services(_: Job) -> Never:
        raise AssertionError("nothing asks for services")

    async def no_model(agent: Agent, work: Work, services: DispatchServices) -> Never:
        raise AssertionError("nothing asks for a model")

    execution = Execution(
        agents={"keeper": keeper, "quick": quick}, validators=(), services=no_services, prompted=no_model,
        blobs=MemoryBlobs(), isolated=Isolated({}), threads=1,
    )  # fmt: skip

    async def carry_out(name: str) -> Any:
        slot = asyncio.current_task()
        assert slot is not None
        work = Work(name, "run", Task(id=name, agent=name), name, {}, "", timeout=5)
        result = await execution(Job(work, slot, lambda job, _: watched.append(job.work.key)))
        return result.output

    keeping = asyncio.create_task(carry_out("keeper"))
    await asyncio.to_thread(begun.wait, 20)
    waiting = asyncio.create_task(carry_out("quick"))
    for _ in range(10):
        await asyncio.sleep(0)
    before = list(watched)
    gate.set()
    outputs = await asyncio.gather(keeping, waiting)

    assert (before, watched) == (["keeper"], ["keeper", "quick"])
    assert outputs == ["kept", "quick"]
