"""The parent's answers to what an isolated agent asks of its context."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from agentorch.agents import Context
from agentorch.context import Judge
from agentorch.isolation.frames import Ask
from agentorch.ports.model import ToolSpec
from agentorch.ports.services import ContextServices
from agentorch.signatures import Output
from agentorch.tools import Tool, json_arguments


class Invoke(Protocol):
    """Has the child call something."""

    def __call__(self, call: int, arguments: Any, context: Context | None, *, once: bool = False) -> Awaitable[Any]:
        """Call what has the number `call` with JSON `arguments`, inside `context`; `once` is an effect."""
        ...


class RemoteTool(Tool[..., Any]):
    """A tool whose function is in a child process; its arguments are checked there."""

    def __init__(self, face: Mapping[str, Any], invoke: Invoke) -> None:  # pyright: ignore[reportMissingSuperCall]
        self.name = face["name"]
        self.effect = face["effect"]
        self.approval = face["approval"]
        self.is_async = face["is_async"]
        self.spec = ToolSpec(face["name"], face["description"], face["parameters"])
        self.output = Output(face["output"], None, frozenset())
        self._number: int = face["invoke"]
        self._call = invoke
        probe = face["probe"]
        self.probe = None if probe is None else _probing(probe, invoke)

    def parse(self, arguments: str | Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as JSON values."""
        return json_arguments(arguments) if isinstance(arguments, str) else dict(arguments)

    async def invoke(self, arguments: str | Mapping[str, Any], *, context: Context | None = None) -> Any:
        """Have the child call it."""
        return await self._call(self._number, self.parse(arguments), context, once=self.effect == "once")


def _probing(number: int, invoke: Invoke) -> Callable[[str], Awaitable[Any]]:
    async def probe(key: str) -> Any:
        return await invoke(number, key, None)

    return probe


async def answered(frame: Ask, services: ContextServices, invoke: Invoke) -> Any:
    """Return the answer (JSON) to a call of a child's context."""
    return await _METHODS[frame.method](frame.arguments, services, invoke)


async def _converse(given: Mapping[str, Any], services: ContextServices, invoke: Invoke) -> Any:
    output = Output(given["output"], None, frozenset())
    tools = [one if isinstance(one, str) else RemoteTool(one, invoke) for one in given["tools"]]
    return await services.converse(given["prompt"], output=output, tools=tools)


async def _judge(given: Mapping[str, Any], services: ContextServices, _: Invoke) -> Any:
    said = await services.judge(Judge(**given["judge"]), given["output"])
    return {"problems": said.problems, "by": said.by}


async def _use(given: Mapping[str, Any], services: ContextServices, invoke: Invoke) -> Any:
    return await services.use(RemoteTool(given["tool"], invoke), given["arguments"])


async def _call(given: Mapping[str, Any], services: ContextServices, _: Invoke) -> Any:
    return await services.call(given["agent"], given["inputs"])


async def _step(given: Mapping[str, Any], services: ContextServices, invoke: Invoke) -> Any:
    async def there(*args: Any) -> Any:
        return await invoke(given["callable"], list(args), Context(services))

    return await services.step(given["name"], there, *given["arguments"])


async def _ask(given: Mapping[str, Any], services: ContextServices, _: Invoke) -> Any:
    return await services.ask(given["question"], given["answer_schema"])


async def _put_blob(given: Mapping[str, Any], services: ContextServices, _: Invoke) -> Any:
    return await services.put_blob(base64.b64decode(given["data"]))


async def _get_blob(given: Mapping[str, Any], services: ContextServices, _: Invoke) -> Any:
    return base64.b64encode(await services.get_blob(given["sha256"])).decode()


async def _budget(_: Mapping[str, Any], services: ContextServices, __: Invoke) -> Any:
    return services.budget.model_dump()


_METHODS: Final = {
    "budget": _budget,
    "converse": _converse,
    "judge": _judge,
    "use": _use,
    "call": _call,
    "step": _step,
    "ask": _ask,
    "put_blob": _put_blob,
    "get_blob": _get_blob,
}
