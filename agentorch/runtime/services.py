"""The services of one dispatch: what `Context` and the prompt agents reach the run through."""

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

import anyio.to_thread

from agentorch import tokens
from agentorch.core.identity import digest
from agentorch.core.task import Task
from agentorch.core.usage import NOTHING, Budget, Usage
from agentorch.core.values import clipped, fresh, may_hold_blobs
from agentorch.errors import ConfigurationError, PermanentError
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import TextDelta, Work
from agentorch.models import WAITING
from agentorch.ports.blobs import Blobs
from agentorch.ports.bus import Bus
from agentorch.ports.model import Model, ModelRequest, ModelResponse
from agentorch.runtime.host import Host
from agentorch.runtime.job import Job
from agentorch.runtime.large import loaded, objective_text, stored

LONGEST_REPORT: Final = 1_000
"""Characters of a line of progress that are kept."""


class Converse(Protocol):
    """Holds a conversation with the dispatch's model, tools included; see `agentorch.prompting`."""

    async def __call__(self, services: "DispatchServices", prompt: str, *, output: Any, tools: Sequence[Any]) -> Any:
        """Return the answer as the type `output`."""
        ...


class DispatchServices:
    """One dispatch's access to the run.

    After a withdrawal every call raises `asyncio.CancelledError`, after the body's end PermanentError.
    """

    def __init__(
        self,
        job: Job,
        *,
        source: str,
        host: Host,
        bus: Bus,
        blobs: Blobs,
        model: Model | None,
        converse: Converse,
    ) -> None:
        work: Work = job.work
        self._job = job
        self._work = work
        self._source = source
        self._host = host
        self._bus = bus
        self._blobs = blobs
        self._model = model
        self._converse = converse
        self._calls: dict[str, int] = {}
        """How often this dispatch has called an agent with the same inputs, or asked the same question."""
        self._spent: Usage = NOTHING

    @property
    def spent(self) -> Usage:
        """Model use of this dispatch so far."""
        return self._spent

    @property
    def task(self) -> Task:
        """The task, its objective filled in."""
        task = self._work.task
        inputs = self._work.inputs if may_hold_blobs(task.inputs) else task.inputs
        return replace(task, objective=objective_text(self._work), inputs=fresh(inputs))

    @property
    def key(self) -> str:
        """The dispatch key."""
        return self._work.key

    @property
    def agent(self) -> str:
        """Who does the task."""
        return self._work.agent

    @property
    def run_id(self) -> str:
        """The run."""
        return self._work.run_id

    @property
    def attempt(self) -> int:
        """Which fresh start of the task this is."""
        return self._work.attempt

    @property
    def budget(self) -> Budget:
        """What was left for the run when this dispatch began."""
        return self._work.budget

    @property
    def deadline(self) -> float | None:
        """When the task's time, or the run's, is up at the earliest, in seconds since the epoch."""
        return self._work.deadline

    @property
    def idempotency_key(self) -> str:
        """The same over dispatches, attempts and fallback agents."""
        return f"{self._work.run_id}/{self._work.task.id}"

    @property
    def has_model(self) -> bool:
        """Whether there is a language model to ask."""
        return self._model is not None

    async def complete(self, request: ModelRequest, *, stream: bool = True) -> ModelResponse:
        """Call the dispatch's model: counted against the budget, its deltas shown to readers of the run."""
        self._alive()
        if self._model is None:
            raise ConfigurationError(
                f"task '{self._work.task.id}' needs a language model and none is set: give --model, AGENTORCH_MODEL "
                "or Orchestrator(model=...)"
            )
        if request.silence is None:
            request = replace(request, silence=self._work.silence)
        account = self._host.account(self._work.run_id)
        if account is not None:
            account.reserve()
        used = Usage(calls=1)
        watching = WAITING.set(self._job.wait_for_turn)
        try:
            response = await self._model.complete(request, on_delta=self._on_delta if stream else None)
            used = replace(response.usage, calls=1)
        finally:
            WAITING.reset(watching)
            if account is not None:
                account.settle(used)
            if self._job.ended:
                self._host.spent_late(self._work.run_id, self._work.key, used)
            else:
                self._spent += used
        return response

    def _on_delta(self, text: str) -> None:
        delta = TextDelta(self._work.key, text)
        self._bus.broadcast(Envelope(f"delta.{self._source}", delta))

    def count(self, text: str) -> int:
        """Return about how many tokens `text` is."""
        return self._model.count(text) if self._model is not None else (len(text.encode()) + 2) // 3

    async def counting(self) -> None:
        """Wait until `count` is as exact as it will be."""
        if self._model is not None:
            await anyio.to_thread.run_sync(tokens.load, self._model.name, abandon_on_cancel=True)

    async def converse(self, prompt: str, *, output: Any, tools: Sequence[Any]) -> Any:
        """Ask the model in words; return its answer as the type `output`."""
        self._alive()
        return await self._converse(self, prompt, output=output, tools=tools)

    async def use(self, tool: Any, arguments: Mapping[str, Any]) -> Any:
        """Call a tool with checked arguments."""
        self._alive()
        return await tool.invoke(arguments)

    async def call(self, agent: str, inputs: Mapping[str, Any]) -> Any:
        """Run another agent as a task of its own and return its output (JSON)."""
        self._alive()
        asked = f"{agent}-{digest(dict(inputs))[:8]}"
        count = self._calls[asked] = self._calls.get(asked, 0) + 1
        name = f"{self._work.task.id}.{self._work.attempt}.{asked}" + (f".{count}" if count > 1 else "")
        given = {parameter: await stored(value, self._blobs) for parameter, value in inputs.items()}
        return await loaded(await self._host.delegate(self._work.key, name, agent, given), self._blobs)

    async def step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call `function`."""
        del name
        self._alive()
        if inspect.iscoroutinefunction(function):
            return await function(*args)
        return await anyio.to_thread.run_sync(function, *args, abandon_on_cancel=True)

    async def ask(self, question: str, answer_schema: dict[str, Any]) -> Any:
        """Ask a person and wait for the answer; that time is not the task's."""
        self._alive()
        asked = f"?{question}"
        number = self._calls[asked] = self._calls.get(asked, 0) + 1
        self._job.wait_for_turn(True)
        try:
            return fresh(await self._host.ask(self._work.key, question, answer_schema, number=number))
        finally:
            self._job.wait_for_turn(False)

    def report(self, text: str) -> None:
        """Say in one line how far the work is."""
        self._alive()
        self._host.report(self._work.key, clipped(text, LONGEST_REPORT))

    def trimmed(self, name: str, *, tokens: int, kept: int, blob: str) -> None:
        """Record that an input was shown as a preview."""
        self._host.trimmed(self._work.key, name, tokens=tokens, kept=kept, blob=blob)

    async def put_blob(self, data: bytes) -> str:
        """Store a large value; return its SHA-256."""
        self._alive()
        return await self._blobs.put(data)

    async def get_blob(self, sha256: str) -> bytes:
        """Read a large value."""
        self._alive()
        try:
            return await self._blobs.get(sha256)
        except KeyError:
            raise PermanentError(f"there is no blob {sha256!r:.80} in this journal") from None

    def _alive(self) -> None:
        if self._job.withdrawn or self._job.timed_out:
            raise asyncio.CancelledError(f"{self._work.key} was stopped")
        if self._job.ended:
            raise PermanentError(f"{self._work.key} has ended: its context cannot be used any more")
