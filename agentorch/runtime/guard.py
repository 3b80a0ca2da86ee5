"""The guard: the services of one dispatch as its agent's own code may use them, from any task and from any thread.

1. After a stop, and after the end of the body, every call is refused at once.
2. A call that another task than the slot's makes is a task of its own, so that a stop reaches it wherever it is: in
   the queue of a governor, in a back-off, in a stream. Whoever made it sees CancelledError and is not cancelled.
3. What is not awaited may come from a thread; it is done in the event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from agentorch.core.task import Task
from agentorch.core.usage import Budget
from agentorch.core.verdict import Verdict
from agentorch.ports.services import ContextServices
from agentorch.runtime.job import Job

T = TypeVar("T")


class Guard:
    """Stands between a `Context` and the services of its dispatch."""

    __slots__ = ("_job", "_loop", "_services")

    def __init__(self, services: ContextServices, job: Job) -> None:
        self._services = services
        self._job = job
        self._loop = asyncio.get_running_loop()

    @property
    def task(self) -> Task:
        """The task, its objective filled in."""
        return self._services.task

    @property
    def key(self) -> str:
        """The dispatch key."""
        return self._services.key

    @property
    def run_id(self) -> str:
        """The run."""
        return self._services.run_id

    @property
    def attempt(self) -> int:
        """Which fresh start of the task this is."""
        return self._services.attempt

    @property
    def budget(self) -> Budget:
        """What is left for this task."""
        return self._services.budget

    @property
    def deadline(self) -> float | None:
        """Seconds since the epoch, or None."""
        return self._services.deadline

    @property
    def idempotency_key(self) -> str:
        """A name for the current effect."""
        return self._services.idempotency_key

    def check(self) -> None:
        """Raise when the context may not be used any more."""
        self._job.check()

    async def converse(self, prompt: str, *, output: Any, tools: Sequence[Any]) -> Any:
        """Ask the dispatch's model."""
        return await self._called(self._services.converse(prompt, output=output, tools=tools))

    async def judge(self, judge: Any, output: Any) -> Verdict:
        """Ask a judge."""
        return await self._called(self._services.judge(judge, output))

    async def use(self, tool: Any, arguments: Mapping[str, Any]) -> Any:
        """Use a tool."""
        return await self._called(self._services.use(tool, arguments))

    async def call(self, agent: str, inputs: Mapping[str, Any]) -> Any:
        """Run another agent."""
        return await self._called(self._services.call(agent, inputs))

    async def step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Run `function` as a step."""
        return await self._called(self._services.step(name, function, *args))

    async def ask(self, question: str, answer_schema: dict[str, Any]) -> Any:
        """Ask a person."""
        return await self._called(self._services.ask(question, answer_schema))

    async def put_blob(self, data: bytes) -> str:
        """Store a large value."""
        return await self._called(self._services.put_blob(data))

    async def get_blob(self, sha256: str) -> bytes:
        """Read a large value."""
        return await self._called(self._services.get_blob(sha256))

    def report(self, text: str) -> None:
        """Say how far the work is."""
        self._job.check()
        if _running_loop() is self._loop:
            self._services.report(text)
        else:
            self._loop.call_soon_threadsafe(self._report, text)

    def _report(self, text: str) -> None:
        if not (self._job.stopped or self._job.ended):
            self._services.report(text)

    async def _called(self, call: Coroutine[Any, Any, T]) -> T:
        job = self._job
        if job.stopped or job.ended:
            call.close()
            job.check()
        if asyncio.current_task() is job.slot:
            return await call
        apart = asyncio.create_task(call)
        if job.calls is None:
            job.calls = set()
        job.calls.add(apart)
        apart.add_done_callback(job.calls.discard)
        return await apart


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
