"""The journal port: append-only event logs, one a run, with compare-and-swap on the run's sequence number.

What every implementation promises (the suite in `agentorch.testing.journal_conformance` checks it):

1. `append` is atomic: all of `events` or none. It succeeds only if the run's last sequence number is `after`;
   otherwise its future raises `JournalConflict` and nothing is written. `after=0` creates the run.
2. Appends are queued in the order of the calls, without waiting; the future is done when the fact is durable to the
   journal's promise. Cancelling whoever awaits the future does not undo the append.
3. `read` sees only what is durable, in order of `seq`, without gaps.
4. Events come back equal to what was appended.
5. A run's idempotency key is its own: starting a second run under it is a `JournalConflict`.
6. It may be opened by several users: it is open until each of them has closed it, and can be opened again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from agentorch.core.events import Event
from agentorch.ports.blobs import Blobs


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a list of runs shows of one run, derived from its events."""

    run_id: str
    goal: str
    status: str
    """The run's last known state: "planning", "running", "stopped" or the status of `RunFinished`."""
    started: float
    """Seconds since the epoch."""
    updated: float
    head: int
    """The run's last sequence number."""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    key: str | None = None
    request: str | None = None
    damage: str = ""
    """What of this cannot be read, in words; what the run's events say of it is in its place."""


class Journal(Protocol):
    """See the module's promises. Opened once, used from one event loop."""

    durable: bool
    """Whether what it holds outlives the process."""

    async def open(self) -> None:
        """Make it ready; raise JournalError, JournalVersionError or JournalDamaged in one line."""
        ...

    async def close(self) -> None:
        """Wait for what was queued, then release everything."""
        ...

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        """Queue `events` behind sequence number `after`; the future is done when they are durable."""
        ...

    async def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Return up to `limit` events with `seq > after`; [] when there are none (or no such run)."""
        ...

    def runs(
        self, *, status: str | None = None, tags: dict[str, str] | None = None, limit: int | None = None
    ) -> AsyncIterator[RunRecord]:
        """Go through the runs, newest first."""
        ...

    async def find(self, key: str) -> RunRecord | None:
        """Return the run that was started under the idempotency key."""
        ...

    async def record(self, run_id: str) -> RunRecord | None:
        """Return the record of one run."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """A wish of another process, or another part of this one, for the owner of a run to carry out."""

    id: int
    """Grows with each request and is never used again."""
    run_id: str
    kind: str
    """"cancel" (with a `reason`) or "answer" (with `request_id` and `value`)."""
    payload: dict[str, Any]
    by: str
    """Who asks."""
    at: float
    """Seconds since the epoch."""


@runtime_checkable
class Inbox(Protocol):
    """A journal that other processes can leave requests in; they are durable like its events."""

    async def request(self, run_id: str, kind: str, payload: dict[str, Any], *, by: str, at: float) -> int:
        """Leave a request; return its id."""
        ...

    async def requests(self, *, after: int = 0) -> list[Request]:
        """Return the requests with `id > after` that are not settled, in order."""
        ...

    async def settle(self, id: int) -> None:
        """Take a request out: it has been carried out or refused."""
        ...


@runtime_checkable
class TellsRequests(Protocol):
    """An inbox that says when a request comes, so that nobody need look."""

    def listen(self, heard: Callable[[], None]) -> Callable[[], None]:
        """Call `heard` at each request from now on; what is returned stops that."""
        ...


@runtime_checkable
class KeepsBlobs(Protocol):
    """A journal that keeps the large values of its runs with the same promise as its events."""

    blobs: Blobs


@runtime_checkable
class KnowsOwners(Protocol):
    """A journal that can tell whether the owner of a run is still alive."""

    def claim(self, owner: str) -> None:
        """Be `owner` until `disclaim`, or until this process ends."""
        ...

    def disclaim(self, owner: str, *, goes_on: bool = False) -> None:
        """Be `owner` no more; harmless when it was not claimed here.

        When something `goes_on` that cannot be stopped, `owner` is not alive, and yet beats (always the same) until
        the process ends.
        """
        ...

    def is_alive(self, owner: str) -> bool:
        """Whether somebody who lives has claimed to be `owner`, and has not been seen to stand still for long."""
        ...

    def beat(self, owner: str) -> int | None:
        """Return a number that changes, about twice a second, while `owner` runs; None when nobody is it any more."""
        ...
