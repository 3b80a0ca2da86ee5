"""A journal in memory: encoded bytes by run, gone with the process.

1. An append is done when the call returns: its future is one that was done before.
2. Events are kept as bytes and decoded when read: a tenth of the objects' size, and no shared mutable values.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from agentorch.blobs.memory import MemoryBlobs
from agentorch.core.events import Event
from agentorch.errors import JournalConflict, JournalError
from agentorch.journal.codec import CODEC, encode_all
from agentorch.journal.listing import OTHER_WRITER, Opening, check_place, opening, status_told_by
from agentorch.ports.journal import Request, RunRecord


class _Log:
    """One run's events."""

    __slots__ = ("models", "opening", "payloads", "started", "status", "updated")

    def __init__(self, opening: Opening, started: float) -> None:
        self.opening = opening
        self.started = self.updated = started
        self.status = "running"
        self.models: list[type[Event]] = []
        self.payloads: list[bytes] = []

    def record(self, run_id: str) -> RunRecord:
        goal, tags, key, request = self.opening
        return RunRecord(
            run_id=run_id,
            goal=goal,
            status=self.status,
            started=self.started,
            updated=self.updated,
            head=len(self.payloads),
            tags=dict(tags),
            key=key,
            request=request,
        )


class MemoryJournal:
    """A `Journal`, `Inbox`, `KeepsBlobs` and `KnowsOwners` for runs that need not outlive the process."""

    durable = False

    def __init__(self) -> None:
        self.blobs = MemoryBlobs()
        self._logs: dict[str, _Log] = {}
        self._keys: dict[str, str] = {}
        self._requests: dict[int, Request] = {}
        self._last_request = 0
        self._listeners: list[Callable[[], None]] = []
        self._owners: set[str] = set()
        self._leaving: set[str] = set()
        """Owners that are none any more, and of which something goes on."""
        self._beats = 0
        self._openings = 0
        self._done: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Make it ready for the running event loop; what an earlier opening appended is still there."""
        self._openings += 1
        self._done = asyncio.get_running_loop().create_future()
        self._done.set_result(None)

    async def close(self) -> None:
        """Refuse further appends from the last closing on; reading goes on."""
        self._openings = max(0, self._openings - 1)
        if not self._openings:
            self._done = None

    def claim(self, owner: str) -> None:
        """Be `owner` until `disclaim`."""
        self._owners.add(owner)
        self._leaving.discard(owner)

    def disclaim(self, owner: str, *, goes_on: bool = False) -> None:
        """Be `owner` no more; what `goes_on` keeps it beating."""
        if goes_on and owner in self._owners:
            self._leaving.add(owner)
        self._owners.discard(owner)

    def is_alive(self, owner: str) -> bool:
        """Whether `owner` is claimed."""
        return owner in self._owners

    def beat(self, owner: str) -> int | None:
        """Return a number that changes with each look while `owner` is claimed: it is this process that runs."""
        if owner not in self._owners:
            return 0 if owner in self._leaving else None
        self._beats += 1
        return self._beats

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        """Add `events` behind `after`; the future is done already."""
        if self._done is None:
            raise JournalError("the journal is not open")
        try:
            self._add(run_id, events, after)
        except JournalError as error:
            failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed
        return self._done

    def _add(self, run_id: str, events: Sequence[Event], after: int) -> None:
        log = self._logs.get(run_id)
        head = len(log.payloads) if log else 0
        if head != after:
            raise JournalConflict(f"run {run_id} stands at {head}, not at {after}: {OTHER_WRITER}")
        check_place(run_id, events, after)
        payloads = encode_all(events)
        if log is None:
            log = self._begin(run_id, events[0])
        log.payloads += payloads
        log.models += map(type, events)
        log.status = status_told_by(events) or log.status
        log.updated = events[-1].at

    def _begin(self, run_id: str, first: Event) -> _Log:
        said = opening(first)
        if said.key is not None:
            if said.key in self._keys:
                raise JournalConflict(f"key {said.key!r} belongs to run {self._keys[said.key]} already")
            self._keys[said.key] = run_id
        log = self._logs[run_id] = _Log(said, first.at)
        return log

    async def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Return up to `limit` events with `seq > after`."""
        log = self._logs.get(run_id)
        if log is None:
            return []
        stop = min(after + limit, len(log.payloads))
        return [
            CODEC.decode(log.models[i].__name__, log.models[i].version, log.payloads[i], run_id=run_id, seq=i + 1)
            for i in range(after, stop)
        ]

    async def runs(
        self, *, status: str | None = None, tags: dict[str, str] | None = None, limit: int | None = None
    ) -> AsyncIterator[RunRecord]:
        """Go through the runs, newest first."""
        wanted = (tags or {}).items()
        given = 0
        for run_id, log in reversed(list(self._logs.items())):
            if given == limit:
                return
            if status in {None, log.status} and wanted <= dict(log.opening.tags).items():
                given += 1
                yield log.record(run_id)

    async def find(self, key: str) -> RunRecord | None:
        """Return the run that was started under `key`."""
        run_id = self._keys.get(key)
        return None if run_id is None else await self.record(run_id)

    async def record(self, run_id: str) -> RunRecord | None:
        """Return the record of one run."""
        log = self._logs.get(run_id)
        return log.record(run_id) if log else None

    async def request(self, run_id: str, kind: str, payload: dict[str, Any], *, by: str, at: float) -> int:
        """Leave a request for the owner of a run; return its id."""
        self._last_request += 1
        self._requests[self._last_request] = Request(self._last_request, run_id, kind, payload, by, at)
        for heard in list(self._listeners):
            heard()
        return self._last_request

    def listen(self, heard: Callable[[], None]) -> Callable[[], None]:
        """Call `heard` at each request from now on; what is returned stops that."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    async def requests(self, *, after: int = 0) -> list[Request]:
        """Return the requests with `id > after` that are not settled, in order."""
        return [request for id, request in self._requests.items() if id > after]

    async def settle(self, id: int) -> None:
        """Take a request out."""
        self._requests.pop(id, None)
