"""The governor: everybody who calls with one provider key goes through it, whatever run they work for.

Its limits hold for each event loop of the process; a program with one loop, as nearly all are, has one gate.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

from agentorch.models.access import shown
from agentorch.models.gate import Gate, Limits, Passage
from agentorch.models.headers import allowance

WAITING: Final[ContextVar[Callable[[bool], None] | None]] = ContextVar("waiting", default=None)
"""Told True when a call in this context begins to wait for its turn and False when it stops waiting.

Whoever measures a task's time stops the clock in between: time spent waiting is not the task's time.
"""


class Lease:
    """The right to make one call."""

    def __init__(self, gate: Gate, passage: Passage) -> None:
        self._gate = gate
        self._passage = passage
        self.waited = passage.passed_at - passage.arrived
        """Seconds that the call stood in the queue."""

    def settle(self, tokens: int) -> None:
        """The call succeeded and took so many tokens in all."""
        self._gate.settle(self._passage, tokens)
        self._gate.succeeded(self._passage)


class Governor:
    """The limits of one provider key, shared by all who use it."""

    def __init__(self, name: str, limits: Limits | None = None) -> None:
        """`name` tells providers apart, for the jitter; it holds no key."""
        self.name = name
        self.limits = limits or Limits()
        self._gates: dict[asyncio.AbstractEventLoop, Gate] = {}

    @asynccontextmanager
    async def slot(self, tokens: int) -> AsyncGenerator[Lease]:
        """Wait for the right to make one call that is expected to take `tokens` in all; give it back at the end.

        A call that is not settled is taken to have used what was expected. Raises a transient ModelError at once when
        the provider asked for more time than a call may wait.
        """
        gate = self._gate()
        passage = gate.enter(tokens)
        try:
            await _patiently(passage.admitted)
        except BaseException:
            gate.abandon(passage)
            raise
        try:
            yield Lease(gate, passage)
        finally:
            gate.leave(passage)

    @property
    def ceiling(self) -> int:
        """How many calls may be under way at once just now."""
        return self._gate().ceiling

    def headers(self, headers: Mapping[str, str]) -> None:
        """Take note of the rate-limit headers of an answer."""
        requests, tokens = allowance(headers, "requests"), allowance(headers, "tokens")
        if requests is not None or tokens is not None:
            self._gate().hear(requests=requests, tokens=tokens)

    def limited(self, retry_after: float | None) -> None:
        """Pause everybody: the provider asked for fewer requests, for `retry_after` seconds if it said so."""
        self._gate().pause(retry_after)

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
    watch = WAITING.get()
    if admitted.done() or watch is None:
        await admitted
        return
    watch(True)
    try:
        await admitted
    finally:
        watch(False)
