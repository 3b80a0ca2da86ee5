"""The context: what an agent sees of the run, and may ask of it."""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast, overload

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from agentorch.context.artifact import Artifact
from agentorch.context.judge import Judge
from agentorch.core.task import Task
from agentorch.core.usage import Budget
from agentorch.core.values import BLOB_KEY, is_blob_ref
from agentorch.core.verdict import Verdict
from agentorch.errors import FileAccessError
from agentorch.files import read_regular
from agentorch.ports.services import ContextServices
from agentorch.threads import in_thread

T = TypeVar("T")
LARGEST_FILE: Final = 512 * 1024 * 1024
"""Bytes of a file that is kept with a run: it passes through memory."""


class Context:
    """One attempt's access to the run. After a cancel every call raises `asyncio.CancelledError` at once.

    Declare a parameter of this type and it is given: `async def critic(text: str, context: Context) -> str`.
    """

    __slots__ = ("_services",)

    def __init__(self, services: ContextServices) -> None:
        self._services = services

    @property
    def services(self) -> ContextServices:
        """What it asks: for agentorch's own use."""
        return self._services

    @property
    def task(self) -> Task:
        """The task being done; its objective is filled in."""
        return self._services.task

    @property
    def attempt(self) -> int:
        """Which fresh start of the task this is, from 1."""
        return self._services.attempt

    @property
    def run_id(self) -> str:
        """The run."""
        return self._services.run_id

    @property
    def budget(self) -> Budget:
        """What is left for this task."""
        return self._services.budget

    @property
    def deadline(self) -> float | None:
        """When the task's time, or the run's, is up at the earliest, in seconds since the epoch, or None.

        Waiting for a rate limit or for a person does not count as the task's time.
        """
        return self._services.deadline

    @property
    def idempotency_key(self) -> str:
        """A name for the current effect: the same over dispatches, attempts and fallback agents.

        Inside a tool it is `<run>/<task>/<tool>/<n-th call of that tool>`; in the agent's own body `<run>/<task>`.
        """
        return self._services.idempotency_key

    async def model(self, prompt: str, *, output: Any = str, tools: Sequence[Any] = ()) -> Any:
        """Ask the task's language model; return its answer as the type `output`."""
        return await self._services.converse(prompt, output=output, tools=tools)

    async def judge(self, judge: str | Judge, output: Any) -> Verdict:
        """Ask a language model for a verdict on `output`, by criteria in words; it is shown nothing else."""
        return await self._services.judge(Judge(judge) if isinstance(judge, str) else judge, output)

    async def call(self, agent: Any, /, **inputs: Any) -> Any:
        """Run another agent (or its name) as a task of its own and return its output, in its type where it is known.

        Budget, deadline and cancellation are inherited. Raises PermanentError with its problem when it fails, which is
        a BudgetExceeded where a limit of the budget has kept it from its work.
        """
        name = agent if isinstance(agent, str) else str(agent.name)
        output = await self._services.call(name, cast("Mapping[str, Any]", to_jsonable_python(inputs)))
        return output if isinstance(agent, str) else agent.revive(output)

    async def tool(self, tool: Any, /, **arguments: Any) -> Any:
        """Use a tool as a journaled step, and return its output in its type; a bad argument is a MalformedInput.

        An attempt that is continued reads the output back. A tool with `effect="once"` is called once: a later attempt
        gets its receipt. EffectUnknown when nobody knows whether it has happened: let it pass, and the task waits for a
        person.
        """
        values = cast("Mapping[str, Any]", to_jsonable_python(arguments))
        output = await self._services.use(tool, values)
        return tool.output.revive(output) if hasattr(tool, "output") else output

    @overload
    async def step(self, name: str, function: Callable[..., Awaitable[T]], *args: Any) -> T: ...

    @overload
    async def step(self, name: str, function: Callable[..., T], *args: Any) -> T: ...

    async def step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call `function`, in a thread when it is not async, and journal its result before it is returned.

        An attempt that was cut off (a crash, a lost worker, a transient error) is continued: the same call, known by
        `name` and arguments and not by its place, reads its result back. A fresh attempt calls anew. Arguments and
        result are JSON values; the result is revived by the function's return annotation.
        """
        return await self._services.step(name, function, *args)

    async def ask(self, question: str, type: Any = str) -> Any:
        """Ask a person and wait; return the answer as `type`."""
        adapter: TypeAdapter[Any] = TypeAdapter(type)
        return adapter.validate_python(await self._services.ask(question, adapter.json_schema()))

    def report(self, text: str) -> None:
        """Say in one line how far the work is; readers of the run see it."""
        self._services.report(text)

    async def read(self, blob: Artifact | Mapping[str, Any] | str) -> bytes:
        """Return the bytes of an artifact, of a blob reference, or of a SHA-256."""
        return await self._services.get_blob(_sha256(blob))

    async def save(self, path: str | Path, media_type: str | None = None) -> Artifact:
        """Keep a file with the run and return it as a value; the file itself may then go.

        FileAccessError for what is no regular file, cannot be read, or is larger than LARGEST_FILE.
        """
        self._services.check()
        path = Path(path)
        try:
            data = await in_thread(partial(read_regular, path, most=LARGEST_FILE))
        except OSError as error:
            raise FileAccessError(f"{path}: cannot be read: {error.strerror}") from error
        kind = media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        sha256 = await self._services.put_blob(data)
        if sha256 != (await in_thread(partial(hashlib.sha256, data))).hexdigest():  # secrets were taken out of it
            data = await self.read(sha256)
        return Artifact(name=path.name, sha256=sha256, size=len(data), media_type=kind)


def _sha256(blob: Artifact | Mapping[str, Any] | str) -> str:
    if isinstance(blob, Artifact):
        return blob.sha256
    if isinstance(blob, str):
        return blob
    if is_blob_ref(blob):
        return str(blob[BLOB_KEY]["sha256"])
    return str(blob["sha256"])
