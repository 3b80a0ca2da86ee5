"""A run that another process carries out, or nobody: read as the journal grows, never written."""

import asyncio
from typing import Final

from agentorch.core.advance import replay
from agentorch.core.state import RunState
from agentorch.errors import AgentorchError, JournalError, RunOwnedError
from agentorch.ports.journal import Journal, KnowsOwners
from agentorch.runtime.hosted import HostedRun

PAUSE: Final = 0.2
"""Seconds between two looks at a journal that somebody else writes: it has no way to call."""
PAGE: Final = 2000


class FollowedRun(HostedRun):
    """A run for reading. It is at rest when its journal says so, or when its owner has gone."""

    read_only = True

    def __init__(self, state: RunState, journal: Journal) -> None:
        super().__init__(state, journal)
        self._following: asyncio.Task[None] | None = None
        if self.state.finished:
            self.feed.end()
        else:
            self._following = asyncio.get_running_loop().create_task(self._follow(), name="agentorch follower")

    async def stop_following(self) -> None:
        """Look no more."""
        if self._following is not None and not self._following.done():
            self._following.cancel()
            await asyncio.wait([self._following])
        if not self.at_rest:
            self.lose(RunOwnedError(f"run {self.state.run_id} was only read here, and is not followed any more"))

    async def _follow(self) -> None:
        try:
            await self._until_it_ends()
        except AgentorchError as error:
            self.lose(error)
        except Exception as error:  # noqa: BLE001  # a journal may be anybody's: whoever waits must hear of it
            self.lose(JournalError(f"run {self.state.run_id} cannot be read: {error}"))

    async def _until_it_ends(self) -> None:
        while not self.state.finished:
            events = await self._journal.read(self.state.run_id, after=self.state.seq, limit=PAGE)
            if events:
                self.feed.go_on()
                replay(self.state, events)
                self.feed.publish(events)
                self.settle()
            elif (self.state.running or not self.state.idle) and self._is_ownerless():
                owner = self.state.owner or "its owner"
                self.lose(RunOwnedError(_GONE.format(run=self.state.run_id, owner=owner)))
                return
            else:
                if self.state.stopped is not None and self.state.idle:
                    self.feed.end()  # as it does where the run is carried out
                await asyncio.sleep(PAUSE)
        self.feed.end()

    def _is_ownerless(self) -> bool:
        return isinstance(self._journal, KnowsOwners) and not self._journal.is_alive(self.state.owner)


_GONE: Final = "run {run} is not carried out any more: {owner} has ended or let it go; resume it"
