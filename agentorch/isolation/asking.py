"""The services of a dispatch as its agent sees them in a child process: every call is asked of the parent.

What is to be called there (a tool, a step's function, a probe) stays here: the parent, which journals and counts it,
has it called at the right moment, or reads its result from the journal. It is called as if whoever named it did so: in
the context variables that held there, which say in which step that is, and from which thread.
"""

import base64
import contextvars
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from agentorch.agents import Agent, Context
from agentorch.context import Judge
from agentorch.core.task import Task
from agentorch.core.usage import UNLIMITED, Budget
from agentorch.core.values import whole_characters
from agentorch.core.verdict import Verdict
from agentorch.errors import ConfigurationError
from agentorch.isolation.frames import Facts, Invoke, Reply, Report, fault_of
from agentorch.isolation.wire import Wire
from agentorch.signatures import output_of, output_of_step
from agentorch.threads import called
from agentorch.tools import Tool, as_tool

Call = Callable[[Any, "Asking"], Any]
"""Something that the parent may have called: given its arguments and the services inside the call."""


@dataclass(frozen=True, slots=True)
class Named:
    """A call that the parent knows by its number."""

    call: Call
    around: contextvars.Context
    """What held where it was named."""


class Asking:
    """See `agentorch.ports.services.ContextServices`."""

    def __init__(self, wire: Wire, facts: Facts, calls: list[Named], *, within: int = 0, effect: str = "") -> None:
        self._wire = wire
        self._facts = facts
        self._calls = calls
        self._at = (within, effect or facts.idempotency_key)

    @property
    def place(self) -> tuple[int, str]:
        """The call that these services are used in, and its idempotency key: a tool's, or that of a step's function."""
        stepping = _STEPPING.get()
        return self._at if stepping is None or stepping[0] is not self else stepping[1]

    @property
    def idempotency_key(self) -> str:
        """A name for the current effect."""
        return self.place[1]

    @property
    def task(self) -> Task:
        """The task, its objective filled in."""
        return self._facts.task

    @property
    def key(self) -> str:
        """The dispatch key."""
        return self._facts.key

    @property
    def run_id(self) -> str:
        """The run."""
        return self._facts.run_id

    @property
    def attempt(self) -> int:
        """Which fresh start of the task this is."""
        return self._facts.attempt

    @property
    def budget(self) -> Budget:
        """What is left for this task now."""
        return UNLIMITED.model_copy(update=self._wire.ask_now("budget", within=self.place[0]))

    @property
    def deadline(self) -> float | None:
        """Seconds since the epoch, or None."""
        return self._facts.deadline

    def check(self) -> None:
        """Do nothing: a child that may ask no more is killed."""

    async def converse(self, prompt: str, *, output: Any, tools: Sequence[Any]) -> Any:
        """Ask the dispatch's model."""
        declared = output_of(output, what="context.model", written_by_model=True)
        faces = [
            one if isinstance(one, str) else one.name if isinstance(one, Agent) else self._face(one) for one in tools
        ]
        value = await self._ask("converse", prompt=prompt, output=declared.schema, tools=faces)
        return declared.revive(value)

    async def judge(self, judge: Any, output: Any) -> Verdict:
        """Ask a judge; one with a model that is an object stays in the parent's process."""
        if isinstance(judge, Judge) and judge.model is not None and not isinstance(judge.model, str):
            raise ConfigurationError(f"judge {judge.name!r}: in an isolated agent its model is given by name")
        said = await self._ask("judge", judge=asdict(judge), output=to_jsonable_python(output))
        return Verdict(tuple(said["problems"]), tuple(said["by"]))

    async def use(self, tool: Any, arguments: Mapping[str, Any]) -> Any:
        """Use a tool, in this process."""
        used = as_tool(tool)
        return await self._ask("use", tool=self._face(used), arguments=used.parse(arguments))

    async def call(self, agent: str, inputs: Mapping[str, Any]) -> Any:
        """Run another agent."""
        return await self._ask("call", agent=agent, inputs=dict(inputs))

    async def step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Run `function` as a step, in this process."""
        output = output_of_step(name, function)

        async def run(_: Any, inside: Asking) -> Any:
            before = _STEPPING.set((self, inside.place))
            try:
                return output.encode(await called(function, *args))
            finally:
                _STEPPING.reset(before)

        value = await self._ask("step", name=name, callable=self._named(run), arguments=_json(name, args))
        return output.revive(value)

    async def ask(self, question: str, answer_schema: dict[str, Any]) -> Any:
        """Ask a person."""
        return await self._ask("ask", question=question, answer_schema=answer_schema)

    def report(self, text: str) -> None:
        """Say in one line how far the work is."""
        self._wire.send(Report(whole_characters(str(text)), self.place[0]))

    async def put_blob(self, data: bytes) -> str:
        """Store a large value."""
        return await self._ask("put_blob", data=base64.b64encode(data).decode())

    async def get_blob(self, sha256: str) -> bytes:
        """Read a large value."""
        return base64.b64decode(await self._ask("get_blob", sha256=sha256))

    def around(self, frame: Invoke) -> contextvars.Context:
        """Return the context to call in what the parent names: one of its own for each time."""
        return self._calls[frame.callable].around.copy()

    async def invoked(self, frame: Invoke) -> None:
        """Call what the parent names, and tell it what came of that."""
        inside = Asking(self._wire, self._facts, self._calls, within=frame.number, effect=frame.idempotency_key)
        try:
            value = to_jsonable_python(await self._calls[frame.callable].call(frame.arguments, inside))
            self._wire.send(Reply(frame.number, value))
        except BaseException as error:  # noqa: BLE001  # the parent raises it where the call was made
            self._wire.send(Reply(frame.number, fault=fault_of(error)))

    async def _ask(self, method: Any, **arguments: Any) -> Any:
        return await self._wire.ask(method, arguments, within=self.place[0])

    def _named(self, call: Call) -> int:
        self._calls.append(Named(call, contextvars.copy_context()))
        return len(self._calls) - 1

    def _face(self, candidate: Any) -> dict[str, Any]:
        """Return what the parent must know of a tool."""
        tool = as_tool(candidate)

        async def invoke(arguments: Any, inside: Asking) -> Any:
            return await tool.invoke(arguments, context=Context(inside))

        return {
            "name": tool.name,
            "description": tool.spec.description,
            "parameters": tool.spec.parameters,
            "output": tool.output.schema,
            "effect": tool.effect,
            "approval": tool.approval,
            "is_async": tool.is_async,
            "invoke": self._named(invoke),
            "probe": None if tool.probe is None else self._named(_probing(tool)),
        }


_STEPPING: ContextVar[tuple[Asking, tuple[int, str]] | None] = ContextVar("agentorch_stepping", default=None)
"""The services that a step's function uses, and its place."""


def _probing(tool: Tool[..., Any]) -> Call:
    async def probe(key: Any, _: Asking) -> Any:
        assert tool.probe is not None
        return await called(tool.probe, key)

    return probe


def _json(name: str, args: Sequence[Any]) -> Any:
    try:
        return to_jsonable_python(list(args))
    except ValueError as error:
        raise ConfigurationError(f"step {name!r}: to be known again, its arguments must be JSON: {error}") from None
