"""The governor: everybody who calls with one provider key goes through it, whatever run they work for.

Its limits hold for each event loop of the process; a program with one loop, as nearly all are, has one gate.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Final

from agentorch.models.access import shown
from agentorch.models.caller import CALLER, LONG_WAIT, WAITING
from agentorch.models.estimates import Estimates
from agentorch.models.gate import Gate, Limits, Passage, Reason
from agentorch.models.headers import allowance

_PASSAGE: Final[ContextVar[Passage | None]] = ContextVar("passage", default=None)
"""The call that is being made in this context: what a provider says in answer to it is said of it."""


class Lease:
    """The right to make one call."""

    def __init__(self, gate: Gate, passage: Passage) -> None:
        self._gate = gate
        self._passage = passage
        self.waited = passage.passed_at - passage.arrived
        """Seconds that the call stood in the queue."""

    @property
    def refused(self) -> bool:
        """Whether the provider refused the call: it was not carried out."""
        return self._passage.refused

    @property
    def passage(self) -> Passage:
        """The call at the gate; one that was refused may keep its place."""
        return self._passage

    def settle(self, tokens: int) -> None:
        """The call succeeded and took so many tokens in all."""
        self._gate.succeeded(self._passage, tokens)


class Governor:
    """The limits of one provider key, shared by all who use it."""

    def __init__(self, name: str, limits: Limits | None = None) -> None:
        """`name` tells providers apart, for the jitter; it holds no key."""
        self.name = name
        self.limits = limits or Limits()
        self.estimates = Estimates()
        """What calls turned out to take."""
        self._gates: dict[asyncio.AbstractEventLoop, Gate] = {}

    @asynccontextmanager
    async def slot(self, tokens: float | Callable[[], float], *, kept: Passage | None = None) -> AsyncGenerator[Lease]:
        """Wait for the right to make one call that is expected to take `tokens` in all; give it back at the end.

        What `tokens` returns is asked for when the call is at the head of the line. A call that is not settled is taken
        to have used what was expected. A call that was refused may give the passage whose place it has `kept`. Raises a
        transient ModelError at once when the provider asked for more time than a call may wait.
        """
        gate = self._gate()
        expected = tokens if callable(tokens) else lambda: tokens
        passage = gate.enter(expected, behind=CALLER.get().behind, kept=kept)
        try:
            await _patiently(passage.admitted)
        except BaseException:
            gate.abandon(passage)
            raise
        calling = _PASSAGE.set(passage)
        try:
            yield Lease(gate, passage)
        finally:
            with suppress(ValueError):  # a coroutine that is thrown away ends in another context
                _PASSAGE.reset(calling)
            gate.leave(passage)

    @property
    def ceiling(self) -> int:
        """How many calls may be under way at once just now."""
        return self._gate().ceiling

    def headers(self, headers: Mapping[str, str]) -> None:
        """Take note that an answer has begun, and of its rate-limit headers."""
        requests, tokens = allowance(headers, "requests"), allowance(headers, "tokens")
        self._gate().hear(_PASSAGE.get(), requests=requests, tokens=tokens)

    def limited(self, retry_after: float | None, reason: Reason | None = None) -> None:
        """Pause everybody: the provider refused, for so many seconds and for that reason, where it said them."""
        self._gate().refused(_PASSAGE.get(), retry_after, reason)

    def _gate(self) -> Gate:
        loop = asyncio.get_running_loop()
        gate = self._gates.get(loop)
        if gate is None:
            for other in [other for other in self._gates if other.is_closed()]:
                del self._gates[other]
            gate = self._gates[loop] = Gate(self.name, self.limits, loop)
        return gate


class Governors:
    """The governors that are in use, one for each provider key."""

    def __init__(self, limits: Mapping[str, Limits] | None = None) -> None:
        """`limits` by base URL."""
        self._limits = dict(limits or {})
        self._known: dict[tuple[str, str | None], Governor] = {}

    def get(self, base_url: str, api_key: str | None) -> Governor:
        """Return the governor of that key at that server."""
        key = (base_url.rstrip("/"), api_key)
        governor = self._known.get(key)
        if governor is None:
            governor = self._known[key] = Governor(shown(key[0]), self._limits.get(key[0]))
        return governor


PROCESS: Final = Governors()
"""A provider counts what a key does, not what a run does: hence one table for the process."""


async def _patiently(admitted: asyncio.Future[None]) -> None:
    if admitted.done():
        await admitted
        return
    watch, caller = WAITING.get(), CALLER.get()
    if watch is not None:
        watch(True)
    alarm = None
    if caller.waits_long is not None:
        alarm = asyncio.get_running_loop().call_later(LONG_WAIT, caller.waits_long)
    try:
        await admitted
    finally:
        if alarm is not None:
            alarm.cancel()
        if watch is not None:
            watch(False)
