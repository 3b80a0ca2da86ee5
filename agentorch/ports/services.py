"""What a running agent may ask of the run: the other side of `Context`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agentorch.core.task import Task
from agentorch.core.usage import Budget, Usage
from agentorch.core.verdict import Verdict
from agentorch.ports.model import ModelRequest, ModelResponse


@dataclass(frozen=True, slots=True)
class Told:
    """What whoever made a call was told of its failure, instead of a result."""

    text: str


Tell = Callable[[Exception], str | None]
"""Puts a failure into words; None where it must stop whoever made the call."""


class ContextServices(Protocol):
    """One dispatch's access to the run. After a cancel every call raises `asyncio.CancelledError` at once."""

    @property
    def task(self) -> Task:
        """The task, its references still unresolved; `objective` is filled in."""
        ...

    @property
    def key(self) -> str:
        """The dispatch key."""
        ...

    @property
    def run_id(self) -> str:
        """The run."""
        ...

    @property
    def attempt(self) -> int:
        """Which fresh start of the task this is, from 1."""
        ...

    @property
    def budget(self) -> Budget:
        """What is left for this task."""
        ...

    @property
    def deadline(self) -> float | None:
        """Seconds since the epoch, or None."""
        ...

    @property
    def idempotency_key(self) -> str:
        """A name for the current effect, stable over dispatches and attempts; see `Context.idempotency_key`."""
        ...

    def check(self) -> None:
        """Raise when the dispatch was stopped or has ended."""
        ...

    async def converse(self, prompt: str, *, output: Any, tools: Sequence[Any]) -> Any:
        """Ask the dispatch's model, let it use `tools`, and return its answer as the type `output`."""
        ...

    async def judge(self, judge: Any, output: Any) -> Verdict:
        """Ask a `Judge` for its verdict on `output`; MalformedOutput when it gives none that can be read."""
        ...

    async def use(self, tool: Any, arguments: Mapping[str, Any]) -> Any:
        """Use a `Tool` (or a typed function) as a journaled step, its effect, approval and probe obeyed.

        Returns its output (JSON); ValueError in words when the arguments do not fit.
        """
        ...

    async def call(self, agent: str, inputs: Mapping[str, Any]) -> Any:
        """Run another agent as a task of its own; return its output (JSON) or raise PermanentError with its problem."""
        ...

    async def step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Run `function` as a journaled step."""
        ...

    async def ask(self, question: str, answer_schema: dict[str, Any]) -> Any:
        """Ask a person; return the answer (JSON)."""
        ...

    def report(self, text: str) -> None:
        """Say in one line how far the work is."""
        ...

    async def put_blob(self, data: bytes) -> str:
        """Store a large value; return its SHA-256."""
        ...

    async def get_blob(self, sha256: str) -> bytes:
        """Read a large value."""
        ...


class Services(ContextServices, Protocol):
    """What a conversation with a model needs beside."""

    @property
    def spent(self) -> Usage:
        """Model use of this dispatch so far."""
        ...

    async def use(self, tool: Any, arguments: Mapping[str, Any], *, told: Tell | None = None) -> Any:
        """Use a tool as above; with `told`, a failure is journaled in its words and is the same when it is read back.

        Then the result is `Told`, and the call is not made again for the attempt.
        """
        ...

    async def call(self, agent: str, inputs: Mapping[str, Any], *, told: Tell | None = None) -> Any:
        """Run another agent as above; `told` as for a tool."""
        ...

    async def complete(self, request: ModelRequest, *, stream: bool = True) -> ModelResponse:
        """Call the dispatch's model, or the one that the request names; raises ModelError.

        The call is governed and counted, its deltas are shown to readers of the run.
        """
        ...

    def count(self, text: str) -> int:
        """Return about how many tokens `text` is for the dispatch's model."""
        ...

    async def counting(self) -> None:
        """Wait until `count` is as exact as it will be: what it needs may still be loading."""
        ...

    def trimmed(self, name: str, *, tokens: int, kept: int, blob: str) -> None:
        """Record that the input `name` was shown as a preview."""
        ...
