"""A model behind a governor."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

from agentorch.core.usage import Usage
from agentorch.errors import FailureKind, ModelError
from agentorch.models.caller import CALLER, LONG_WAIT
from agentorch.models.gate import LONGEST_PAUSE, Passage
from agentorch.models.governor import Governor, Lease
from agentorch.ports.model import Model, ModelRequest, ModelResponse, OnDelta, is_priced, secrets_of

_EXPECTED_OUTPUT: Final = 1_000
_LONGEST_WAIT: Final = 60.0
_REFUSALS: Final = 20
"""How often a call may be refused before the policy hears of it."""


@dataclass(slots=True)
class _Call:
    """A request that is being made, perhaps more than once."""

    request: ModelRequest
    on_delta: OnDelta | None
    spoken: bool = False
    """Whether text of its answer was shown: then it is not asked again."""
    waited: float = 0.0
    refusals: int = 0

    def spoke(self, text: str) -> None:
        self.spoken = True
        if self.on_delta is not None:
            self.on_delta(text)

    def keeps_place(self, lease: Lease, error: ModelError) -> bool:
        """Whether the end of the line is no place for a call that the provider refused: it had waited long before."""
        self.refusals += lease.refused
        patient = lease.refused and self.refusals <= _REFUSALS and self.waited >= LONG_WAIT
        return patient and not self.spoken and (error.retry_after or 0) <= LONGEST_PAUSE


class GovernedModel:
    """A model whose calls wait for their turn.

    `ModelResponse.extra["waited"]` is how many seconds that took. With `retries` a transient failure is met here, with
    the provider's own wait or a doubling one, as long as no text has been shown yet. It is 0 by default: the policy's
    next dispatch does the same, is journaled, and may go to another worker. Use one of the two, never both. A call that
    has waited long in the queue and is then refused keeps its place there: it was not carried out.
    """

    def __init__(self, model: Model, governor: Governor, *, retries: int = 0) -> None:
        self.model = model
        self.name = model.name
        self._governor = governor
        self._retries = retries

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Wait for a turn, then return the whole answer; `on_delta` sees its text as it comes."""
        call = _Call(request, on_delta)
        for tried in count():
            try:
                response = await self._in_turn(call)
            except ModelError as error:
                wait = _wait(error, tried)
                final = error.kind is not FailureKind.TRANSIENT or wait > LONGEST_PAUSE
                if final or tried >= self._retries or call.spoken:
                    raise
                await asyncio.sleep(wait)
            else:
                return replace(response, extra={**response.extra, "waited": call.waited})
        raise AssertionError  # count() does not end

    async def _in_turn(self, call: "_Call") -> ModelResponse:
        """Return the answer; a call that keeps its place when it is refused is made again when the pause is over."""
        counted, agent, estimates = self._counted(call.request), CALLER.get().agent, self._governor.estimates
        kept: Passage | None = None
        while True:
            lease = None
            try:
                async with self._governor.slot(
                    lambda: estimates.corrected(self.name, agent, counted), kept=kept
                ) as lease:
                    call.waited += lease.waited
                    response = await self.model.complete(call.request, on_delta=call.spoke)
                    lease.settle(response.usage.tokens)
                    estimates.learn(self.name, agent, counted, response.usage.tokens)
                    return response
            except ModelError as error:
                if lease is None or not call.keeps_place(lease, error):
                    raise
                kept = lease.passage

    @property
    def priced(self) -> bool:
        """Whether the price of its calls is known beforehand."""
        return is_priced(self.model)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be written nowhere: its key and its password."""
        return secrets_of(self.model)

    def cost(self, usage: Usage) -> float | None:
        """Return what `usage` costs in US dollars, or None when nobody knows."""
        cost: Any = getattr(self.model, "cost", None)
        return None if cost is None else cost(usage)

    def count(self, text: str) -> int:
        """Return about how many tokens `text` is."""
        return self.model.count(text)

    async def close(self) -> None:
        """Release connections."""
        await self.model.close()

    def _counted(self, request: ModelRequest) -> int:
        asked = sum(self.count(text) for text in _texts(request))
        return asked + (request.max_output_tokens or _EXPECTED_OUTPUT)


def _texts(request: ModelRequest) -> Iterable[str]:
    for message in request.messages:
        yield message.content
    for tool in request.tools:
        yield f"{tool.name} {tool.description} {tool.parameters}"


def _wait(error: ModelError, tried: int) -> float:
    return error.retry_after if error.retry_after is not None else min(_LONGEST_WAIT, 2.0**tried)
