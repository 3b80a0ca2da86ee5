"""A run that another process carries out, or nobody: read as the journal grows, never written.

1. Whoever waits for its rest sees what its owner had done by then, not what was last read of it.
2. What was asked of its owner here is waited for, until that has obeyed or refused, or has gone.
"""

import asyncio
from contextlib import suppress
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
        self._reading = asyncio.Lock()
        self._asked: set[int] = set()
        """Requests left for its owner, by their ids in the inbox."""
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

    @property
    def at_rest(self) -> bool:
        """Whether nothing more will happen until somebody acts, as far as is known here."""
        return super().at_rest and (self.lost is not None or self.state.finished or not self._asked)

    async def rest(self) -> None:
        """Wait until the run is at rest; raise what lost it."""
        if self._following is not None and not self._following.done():
            with suppress(Exception):  # the follower meets it too, and tells it
                await self._read_on()
        await super().rest()

    def asked(self, request: int) -> None:
        """Take note of a request that was left for its owner."""
        self._asked.add(request)

    async def _follow(self) -> None:
        try:
            await self._until_it_ends()
        except AgentorchError as error:
            self.lose(error)
        except Exception as error:  # noqa: BLE001  # a journal may be anybody's: whoever waits must hear of it
            self.lose(JournalError(f"run {self.state.run_id} cannot be read: {error}"))

    async def _until_it_ends(self) -> None:
        while not self.state.finished:
            if await self._read_on():
                continue
            if (self.state.running or not self.state.idle) and self._is_ownerless():
                owner = self.state.owner or "its owner"
                self.lose(RunOwnedError(_GONE.format(run=self.state.run_id, owner=owner)))
                return
            if self.state.stopped is not None and self.state.idle:
                self.feed.end()  # as it does where the run is carried out
            await asyncio.sleep(PAUSE)
        self.feed.end()

    async def _read_on(self) -> bool:
        """Read what has come since the last look; return whether there was something."""
        async with self._reading:
            settled = await self._settled_requests()
            events = await self._journal.read(self.state.run_id, after=self.state.seq, limit=PAGE)
            if events:
                self.feed.go_on()
                replay(self.state, events)
                self.feed.publish(events)
            self._asked -= settled
            self.settle()
            return bool(events)

    async def _settled_requests(self) -> set[int]:
        """Return those that nobody will obey any more: an owner takes one out when it has written what it did."""
        if not self._asked or self.inbox is None or self._is_ownerless():
            return {*self._asked}
        there = await self.inbox.requests(after=min(self._asked) - 1)
        return self._asked.difference(request.id for request in there)

    def _is_ownerless(self) -> bool:
        return isinstance(self._journal, KnowsOwners) and not self._journal.is_alive(self.state.owner)


_GONE: Final = "run {run} is not carried out any more: {owner} has ended or let it go; resume it"
