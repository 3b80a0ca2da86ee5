"""A model and an agent that fail before they do what they do."""

import copy
import functools
from collections.abc import Callable
from typing import Any

import anyio

from agentorch.agents import Agent
from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError, FailureKind, ModelError
from agentorch.ports.model import Model, ModelRequest, ModelResponse, OnDelta, is_priced, secrets_of, wasted
from agentorch.testing.chance import Chance


class FaultyModel:
    """A `Model` over another one: slow, failing, breaking off.

    Each call takes `delay` seconds. The first `failures` calls raise a `ModelError` of `kind`, with `retry_after`. The
    next `breaks` calls break off: after `breaks_after` characters of the answer, which is paid for. All others answer;
    with `chance`, one in `1 / rate` of them fails too.
    """

    def __init__(
        self, model: Model, *, failures: int = 0, kind: FailureKind = FailureKind.TRANSIENT,
        retry_after: float | None = None, delay: float = 0.0, breaks: int = 0, breaks_after: int = 10,
        chance: Chance | None = None, rate: float = 0.1,
    ) -> None:  # fmt: skip
        if not hasattr(model, "complete"):
            raise ConfigurationError(
                f"FaultyModel: {model!r} is no model; give one that can be asked: a ScriptedModel, or "
                "agentorch.models.open_model('...')"
            )
        self.name = model.name
        self.calls = 0
        """How often it was asked."""
        self._model = model
        self._failures = failures
        self._breaks = breaks
        self._breaks_after = breaks_after
        self._kind = kind
        self._retry_after = retry_after
        self._delay = delay
        self._chance = chance
        self._rate = rate

    @property
    def priced(self) -> bool:
        """As the model below."""
        return is_priced(self._model)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those of the model below."""
        return secrets_of(self._model)

    @property
    def misses(self) -> list[str]:
        """What the model below was asked in vain."""
        return getattr(self._model, "misses", [])

    def unused(self) -> list[str]:
        """Return what nobody has asked the model below for."""
        unused: Callable[[], list[str]] | None = getattr(self._model, "unused", None)
        return unused() if unused is not None else []

    def cost(self, usage: Usage) -> float | None:
        """Return what the model below costs."""
        cost: Callable[[Usage], float | None] | None = getattr(self._model, "cost", None)
        return cost(usage) if cost is not None else None

    def count(self, text: str) -> int:
        """Return what the model below counts."""
        return self._model.count(text)

    async def close(self) -> None:
        """Close the model below."""
        await self._model.close()

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Fail, break off, or answer."""
        self.calls += 1
        call = self.calls
        if self._delay:
            await anyio.sleep(self._delay)
        by_chance = self._chance is not None and self._chance.happens(self._rate)
        if call <= self._failures or by_chance:
            self._told("model failure", request)
            raise ModelError("the faulty model fails", kind=self._kind, retry_after=self._retry_after)
        if call > self._failures + self._breaks:
            return await self._model.complete(request, on_delta=on_delta)
        self._told("model breaks off", request)
        response = await self._model.complete(request)
        if on_delta is not None and self._breaks_after:
            on_delta(response.text[: self._breaks_after])
        error = ModelError("the faulty model breaks off", kind=FailureKind.TRANSIENT)
        wasted(error, response.usage)
        raise error

    def _told(self, kind: str, request: ModelRequest) -> None:
        if self._chance is not None:
            self._chance.fault(kind, request.labels.get("task"))


def crashing(agent: Any, *, times: int = 1, error: Exception | None = None) -> Agent:
    """Return a function agent whose first `times` calls raise `error`, a RuntimeError by default; then it works.

    Its name, its card and its checks are those of `agent`, which stays as it is.
    """
    given: Agent = agent
    body = given.function
    if body is None or given.isolate:
        raise ConfigurationError(
            f"crashing({given.name!r}): only a function in this process can be made to crash; give a prompt agent a "
            "FaultyModel"
        )
    raised = error or RuntimeError(f"{given.name} crashes, as the test wants it")
    left = times

    def crash() -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise raised

    @functools.wraps(body)
    async def crashed(*arguments: Any, **options: Any) -> Any:
        crash()
        return await body(*arguments, **options)

    @functools.wraps(body)
    def crashed_in_thread(*arguments: Any, **options: Any) -> Any:
        crash()
        return body(*arguments, **options)

    faulty = copy.copy(given)
    faulty.function = crashed if given.is_async else crashed_in_thread
    return faulty
