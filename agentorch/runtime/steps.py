"""The steps of one dispatch: what its attempt has finished already is read back, what it finishes is journaled.

1. A step is known by its name, the hash of its arguments and how-many-eth with that hash of those that brought
   something; never by its place in time. See `call_numbers`.
2. Calls inside a tool are told apart from the body's: when the tool is read back, they are not made.
3. A step is finished when the journal has it. Whoever made the call sees what a resumed attempt would read.
4. What a model is told of a call that failed is a step too: else a resumed attempt would tell it something else, and
   pay for what follows again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count, takewhile
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError, MalformedOutput
from agentorch.messages.work import Work
from agentorch.ports.blobs import Blobs
from agentorch.ports.model import ModelRequest, ModelResponse
from agentorch.ports.services import Tell, Told
from agentorch.runtime.call_numbers import CallNumbers, Held
from agentorch.runtime.host import Host
from agentorch.runtime.large import Unstorable, loaded, stored

MODEL: Final = "model"
"""The name of a step that is a model call."""
_RESPONSE: Final[TypeAdapter[ModelResponse]] = TypeAdapter(ModelResponse)
_REQUEST: Final[TypeAdapter[ModelRequest]] = TypeAdapter(ModelRequest)


class Steps:
    """What a dispatch, and the tools that it calls, have done so far."""

    def __init__(self, work: Work, host: Host, blobs: Blobs) -> None:
        self._work = work
        self._key = work.key
        self._known: Mapping[str, Any] = work.steps or {}
        self._host = host
        self._blobs = blobs
        self._finished: dict[str, list[int]] | None = None
        """The numbers of the steps that the attempt had finished before, by mark."""
        self._numbers: dict[str, CallNumbers] = {}
        self._asked_before: dict[str, int] = {}
        """For a step: how many questions whether it may be made are over and done with since earlier dispatches."""

    def begun(self, name: str, arguments: str, *, within: str = "", in_turn: bool = False) -> Held:
        """Hold the identity of a call of `name` with arguments of this digest, inside the step `within`.

        When the call ends by an exception it has brought nothing. `in_turn` is for calls that have more than their
        result: which of them comes first must not depend on what is finished. The journal keeps the identity: of a
        secret in the name it holds what the name in the journal does.
        """
        mark = f"{within}{'/' if within else ''}{self._host.redacted(name)}:{arguments[:16]}"
        return Held(self._numbers_of(mark, in_turn=in_turn), lambda number: f"{mark}:{number}")

    def asked_about(self, step: str) -> Held:
        """Hold the identity of the question whether a call may be made: before each time that it is made.

        Of what earlier dispatches of the attempt have asked, the last one counts: a Yes before it was used up.
        """

        def question(number: int) -> str:
            return step if number == 1 else f"{step}?{number}"

        if step not in self._asked_before:
            later = takewhile(lambda number: self._host.has_asked(self._key, question(number)), count(2))
            self._asked_before[step] = sum(1 for _ in later)
        before = self._asked_before[step]
        return Held(self._numbers_of(f"{step}?"), lambda number: question(before + number))

    def called(self, agent: str, inputs: str) -> Held:
        """Hold the id of the task that a call of an agent is, given the digest of its inputs.

        One that is only left alone goes on: called again, it is the same one. That it failed is kept.
        """
        asked = f"{agent}-{inputs[:8]}"
        first = f"{self._work.task.id}.{self._work.attempt}.{asked}"
        numbers = self._numbers_of(f"@{asked}")
        return Held(numbers, lambda number: first if number == 1 else f"{first}.{number}", asyncio.CancelledError)

    def use_up(self, name: str) -> None:
        """A delegated task belongs to a step that is finished: no call is that one."""
        numbers, number = self._number_of(name)
        numbers.use_up(number)

    def give_back(self, name: str) -> None:
        """A delegated task belongs to a step that has failed: called again, it is the same one."""
        numbers, number = self._number_of(name)
        numbers.give_back(number)

    def _number_of(self, name: str) -> tuple[CallNumbers, int]:
        asked, _, number = name.removeprefix(f"{self._work.task.id}.{self._work.attempt}.").partition(".")
        return self._numbers_of(f"@{asked}"), int(number or 1)

    def forget(self, step: str) -> None:
        """A step has failed: what was finished inside is read back when it is made again."""
        for mark in [mark for mark in self._numbers if mark.startswith(f"{step}/")]:
            del self._numbers[mark]

    def _numbers_of(self, mark: str, *, in_turn: bool = True) -> CallNumbers:
        numbers = self._numbers.get(mark)
        if numbers is None:
            finished = () if in_turn or not self._known else self._finished_before().get(mark, ())
            numbers = self._numbers[mark] = CallNumbers(finished)
        return numbers

    def _finished_before(self) -> dict[str, list[int]]:
        if self._finished is None:
            self._finished = {}
            for step in self._known:
                mark, _, number = step.rpartition(":")
                if number.isdecimal():  # what was told of a failed call is no result
                    self._finished.setdefault(mark, []).append(int(number))
        return self._finished

    def __contains__(self, step: str) -> bool:
        return step in self._known or step in self._host.steps_of(self._key)

    async def read(self, step: str) -> Any:
        """Return the result (JSON) of a step that the attempt has finished before."""
        if step in self._known:
            return await loaded(self._known[step], self._blobs)
        kept = self._host.steps_of(self._key)[step]
        await self._host.durable(self._key)  # whoever has made it may have been stopped just before it was
        return await loaded(kept, self._blobs)

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
