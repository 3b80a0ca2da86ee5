"""The reconciler: for as long as an orchestrator is open, what the journal says is compared with what is done about it.

1. A timer or a deadline that has come by the clock, though not by the event loop's, is acted on: machines sleep, and
   clocks jump.
2. With `takeover`, a run whose process has died, or that this process has lost, is taken over within seconds. One that
   stands still, or waits for a person, is left alone; one that cannot be taken is named once, and keeps no other from
   being taken.
3. What looking again cannot help (its agents are not here or have changed, its journal is damaged or of a newer
   release) is looked at again when its journal has grown; every other trouble is met anew in the next round.
4. Nothing ends the rounds but the orchestrator's end.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

from agentorch.core.advance import replay
from agentorch.core.state import RunState
from agentorch.errors import ConfigurationError, JournalCompacted, JournalDamaged, JournalVersionError
from agentorch.ports.journal import Journal, KnowsOwners, RunRecord
from agentorch.runtime.complaints import Complaints
from agentorch.runtime.ownership import needs_its_owner
from agentorch.runtime.supervisor import Supervisor

log = logging.getLogger(__name__)

PAUSE: Final = 1.0
"""Seconds between two rounds."""
_PAGE: Final = 2000
_LIVE: Final = ("planning", "running")
_LASTING: Final = (ConfigurationError, JournalCompacted, JournalDamaged, JournalVersionError)
"""What stays as it is until the run's journal grows."""

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
        """Runs that cannot be taken, with the head at which that was found."""
        self._complaints = Complaints(log)
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
            try:
                self._supervisor.catch_up()
                if self._take_over is not None and isinstance(self._journal, KnowsOwners):
                    await self._look_for_orphans(self._journal, self._take_over)
            except Exception as error:  # noqa: BLE001  # whatever it was, the next round is due
                self._complain("the runs could not all be looked after", error)

    async def _look_for_orphans(self, owners: KnowsOwners, take_over: TakeOver) -> None:
        live: set[str] = set()
        async for record in self._unfinished():
            live.add(record.run_id)
            if record.run_id in self._supervisor.hosted or self._left.get(record.run_id) == record.head:
                continue
            try:
                await self._take_orphan(record, owners, take_over)
            except Exception as error:  # noqa: BLE001  # it must not keep the other runs from being taken
                self._leave(record, error)
        for run_id in self._seen.keys() - live:
            del self._seen[run_id]
        for run_id in self._left.keys() - live:
            del self._left[run_id]

    async def _take_orphan(self, record: RunRecord, owners: KnowsOwners, take_over: TakeOver) -> None:
        state = await self._read(record)
        is_ours = state.owner == self._supervisor.owner  # and not carried out here: it was lost
        if needs_its_owner(state) and (is_ours or not owners.is_alive(state.owner)):
            await take_over(record.run_id)
            log.info("run %s: %s has ended, or has lost it; it goes on here", record.run_id, state.owner)

    def _leave(self, record: RunRecord, error: Exception) -> None:
        """Leave a run alone: for good when looking again cannot help, else until the next round."""
        self._seen.pop(record.run_id, None)  # it may have been read half
        if isinstance(error, _LASTING):
            self._left[record.run_id] = record.head
        self._complain(f"run {record.run_id} cannot be taken over", error)

    def _complain(self, what: str, error: Exception) -> None:
        self._complaints.say(what, error, now=asyncio.get_running_loop().time())

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
