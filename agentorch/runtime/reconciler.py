"""The reconciler: for as long as an orchestrator is open, what the journal says is compared with what is done about it.

1. A timer or a deadline that has come by the clock, though not by the event loop's, is acted on: machines sleep, and
   clocks jump.
2. With `takeover`, a run whose process has died is taken over within seconds. One that stands still, or waits for a
   person, is left alone; one that cannot be taken (its agents are not here, or have changed) is named once.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

from agentorch.core.advance import replay
from agentorch.core.state import RunState
from agentorch.errors import AgentorchError
from agentorch.ports.journal import Journal, KnowsOwners, RunRecord
from agentorch.runtime.ownership import needs_its_owner
from agentorch.runtime.supervisor import Supervisor

log = logging.getLogger(__name__)

PAUSE: Final = 1.0
"""Seconds between two rounds."""
_PAGE: Final = 2000
_LIVE: Final = ("planning", "running")

TakeOver = Callable[[str], Awaitable[Any]]
"""Takes a run over by its id, and carries it on."""


class Reconciler:
    """Looks around once a second."""

    def __init__(self, journal: Journal, supervisor: Supervisor, take_over: TakeOver | None) -> None:
        self._journal = journal
        self._supervisor = supervisor
        self._take_over = take_over
        self._seen: dict[str, RunState] = {}
        """Runs of other processes, as far as they have been read."""
        self._left: dict[str, int] = {}
        """Runs that could not be taken, with the head at which that was found."""
        self._work: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to look around."""
        self._work = asyncio.get_running_loop().create_task(self._go_on(), name="agentorch reconciler")

    async def close(self) -> None:
        """Stop."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(PAUSE)
            self._supervisor.catch_up()
            if self._take_over is not None and isinstance(self._journal, KnowsOwners):
                try:
                    await self._look_for_orphans(self._journal, self._take_over)
                except AgentorchError as error:
                    log.warning("the runs of other processes cannot be looked at: %s", error)

    async def _look_for_orphans(self, owners: KnowsOwners, take_over: TakeOver) -> None:
        live: set[str] = set()
        async for record in self._unfinished():
            live.add(record.run_id)
            if record.run_id in self._supervisor.hosted or self._left.get(record.run_id) == record.head:
                continue
            state = await self._read(record)
            if not needs_its_owner(state) or owners.is_alive(state.owner):
                continue
            log.info("run %s: %s has ended; it goes on here", record.run_id, state.owner)
            try:
                await take_over(record.run_id)
            except AgentorchError as error:
                log.warning("run %s cannot be taken over: %s", record.run_id, error)
                self._left[record.run_id] = record.head
        for run_id in self._seen.keys() - live:
            del self._seen[run_id]

    async def _unfinished(self) -> AsyncGenerator[RunRecord]:
        for status in _LIVE:
            async for record in self._journal.runs(status=status):
                yield record

    async def _read(self, record: RunRecord) -> RunState:
        """Return the run as its journal has it, read on from where it was read last."""
        state = self._seen.setdefault(record.run_id, RunState(record.run_id))
        while page := await self._journal.read(record.run_id, after=state.seq, limit=_PAGE):
            replay(state, page)
        return state
