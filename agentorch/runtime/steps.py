"""The steps of one dispatch: what its attempt has finished already is read back, what it finishes is journaled.

1. A step is known by its name, the hash of its arguments and how-many-eth with that hash; never by its place in time.
2. Calls inside a tool are told apart from the body's: when the tool is read back, they are not made.
3. A step is finished when the journal has it. Whoever made the call sees what a resumed attempt would read.
4. What a model is told of a call that failed is a step too: else a resumed attempt would tell it something else, and
   pay for what follows again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from agentorch.core.identity import digest
from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError, MalformedOutput
from agentorch.messages.work import Work
from agentorch.ports.blobs import Blobs
from agentorch.ports.model import ModelRequest, ModelResponse
from agentorch.ports.services import Tell, Told
from agentorch.runtime.host import Host
from agentorch.runtime.large import Unstorable, loaded, stored

MODEL: Final = "model"
"""The name of a step that is a model call."""
_RESPONSE: Final[TypeAdapter[ModelResponse]] = TypeAdapter(ModelResponse)
_REQUEST: Final[TypeAdapter[ModelRequest]] = TypeAdapter(ModelRequest)


class Steps:
    """What a dispatch, and the tools that it calls, have done so far."""

    def __init__(self, work: Work, host: Host, blobs: Blobs) -> None:
        self._key = work.key
        self._known: Mapping[str, Any] = work.steps
        self._host = host
        self._blobs = blobs
        self._counts: dict[str, int] = {}

    def identify(self, name: str, arguments: Any, *, within: str = "") -> str:
        """Return the identity of the next call of `name` with these JSON arguments, inside the step `within`.

        The journal keeps it: of a secret in the name it holds what the name in the journal does.
        """
        return self.identify_by(name, digest(arguments), within=within)

    def identify_by(self, name: str, arguments: str, *, within: str = "") -> str:
        """Return the same, given the digest of the arguments."""
        mark = f"{within}{'/' if within else ''}{self._host.redacted(name)}:{arguments[:16]}"
        return f"{mark}:{self.count(mark)}"

    def count(self, mark: str) -> int:
        """Return how often `mark` has been counted, this time included."""
        count = self._counts[mark] = self._counts.get(mark, 0) + 1
        return count

    def __contains__(self, step: str) -> bool:
        return step in self._known or step in self._host.steps_of(self._key)

    async def read(self, step: str) -> Any:
        """Return the result (JSON) of a step that the attempt has finished before."""
        known = self._known if step in self._known else self._host.steps_of(self._key)
        return await loaded(known[step], self._blobs)

    async def finish(
        self, step: str, name: str, result: Any, *, usage: Usage | None = None, call: str | None = None
    ) -> Any:
        """Journal a result (JSON) and return it as it is kept, without secrets; it is durable when this returns.

        MalformedOutput when it cannot be stored.
        """
        result, name = self._host.redacted(result), self._host.redacted(name)
        try:
            kept = await stored(result, self._blobs)
        except Unstorable as error:
            raise MalformedOutput(f"step {name!r}: its result {error}") from None
        await self._host.finish_step(self._key, step, name, kept, usage, call)
        return result

    async def told(self, step: str, name: str, tell: Tell | None, work: Callable[[], Awaitable[Any]]) -> Any:
        """Return the result of `work`, or what was told when it failed, now or before; without `tell` it raises."""
        if tell is None:
            return await work()
        failed = f"{step}!"
        if failed in self:
            return Told(await self.read(failed))
        try:
            return await work()
        except Exception as error:
            words = tell(error)
            if words is None:
                raise
        return Told(await self.finish(failed, f"{name} failed", words))


def arguments_of(name: str, args: Sequence[Any]) -> Any:
    """Return the arguments of a step as JSON; ConfigurationError when they have none."""
    try:
        return to_jsonable_python(args)
    except (PydanticSerializationError, ValueError) as error:
        raise ConfigurationError(f"step {name!r}: to be known again, its arguments must be JSON: {error}") from None


def asked(request: ModelRequest) -> Any:
    """Return what makes two model calls the same: all of a request but who asks, and for how long it waits."""
    return _REQUEST.dump_python(replace(request, labels={}, silence=None), mode="json")


def response_as_json(response: ModelResponse) -> Any:
    """Return a response as a step's result."""
    return _RESPONSE.dump_python(response, mode="json", fallback=repr)


def response_from_json(value: Any) -> ModelResponse:
    """Return the response that a step's result says."""
    return _RESPONSE.validate_python(value)
