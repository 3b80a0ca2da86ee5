"""A journal in one SQLite file: events, runs, blobs and requests.

1. `append` encodes on the loop's side and hands bytes to the writer; the future is done after the commit.
2. `durability="power"`: what is acknowledged survives a power cut; "process": the death of the process.
3. Any number of processes may open one file. Who writes a run is decided by compare-and-swap, event by event.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from agentorch.core.events import Event
from agentorch.errors import JournalDamaged, JournalError
from agentorch.journal import reader
from agentorch.journal.appending import pack
from agentorch.journal.heartbeat import STALE
from agentorch.journal.kept import SqliteBlobs
from agentorch.journal.owners import Owners
from agentorch.journal.reader import Reader
from agentorch.journal.requests import RequestRow, leave, read, rows_after
from agentorch.journal.schema import Durability, damaged_file, open_unchanged, wrong_with_file
from agentorch.journal.writer import Writer
from agentorch.ports.journal import Request, RunRecord

_PAGE: Final = 200
"""Runs that are read at a time."""
_EVENTS: Final = 1000
"""Events that are checked at a time."""
_LAST: Final = 2**63 - 1
log = logging.getLogger(__name__)


class SqliteJournal:
    """A durable `Journal`, `Inbox` and `KeepsBlobs` in the file at `path`, which is made when it is not there."""

    durable = True

    def __init__(self, path: str | Path, durability: Durability = "power", *, stale: float = STALE) -> None:
        """`stale` are the seconds without a heartbeat after which the owner of a run counts as dead."""
        self.path = Path(path)
        """The file."""
        self._writer = Writer(self.path, durability)
        self._reader = Reader(self.path)
        self._owners = Owners(self.path, stale=stale)
        self._openings = 0
        self._left = False
        """Whether it was opened to read: then what is left of a damaged file is what there is."""
        self.damage: JournalDamaged | None = None
        """What is wrong with the file as a whole, although it was opened to read what is left of it."""
        self._unread: set[int] = set()
        """Requests that cannot be read, and of which that was said."""
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self.blobs = SqliteBlobs(self._writer, self._reader)
        """Where the large values of the runs are kept."""

    async def open(self) -> None:
        """Make the file if need be, and open it; every way in which that fails is a JournalError in one line."""
        async with self._turn():
            if not self._openings:
                await self._open()
            self._openings += 1

    async def open_to_read(self) -> None:
        """Open the file, which may be one that cannot be written, that somebody keeps locked, or that was cut off.

        It is opened for writing when first something is to be written, and that then gets the JournalError.
        `damage` says what keeps the file from being read whole; what can be read of it, is.
        """
        async with self._turn():
            if not self._openings:
                await self._open_to_read()
            self._openings += 1

    async def close(self) -> None:
        """At the last closing, wait for what was queued, then release the file; harmless when it is not open."""
        async with self._turn():
            self._openings -= 1
            if not self._openings:
                await self._close()
            self._openings = max(0, self._openings)

    def _turn(self) -> asyncio.Lock:
        """Return the lock of opening and closing; it belongs to one event loop, the journal to one after another."""
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = loop, asyncio.Lock()
        return self._lock[1]

    async def _open(self) -> None:
        self._left = False
        self.damage = None
        await self._writer.open()
        try:
            await self._reader.open()
        except BaseException:
            await self._writer.close()
            raise

    async def _open_to_read(self) -> None:
        await self._reader.open(open_unchanged)
        try:
            wrong = await self._reader.run(wrong_with_file)
        except BaseException:
            await self._reader.close()
            raise
        self._left = True
        self.damage = None if wrong is None else damaged_file(self.path, wrong)
        self._writer.open_when_needed()

    async def _close(self) -> None:
        try:
            # The reader first: the last connection, which tidies the file up, must be the one that writes.
            await self._reader.close()
        finally:
            await self._writer.close()

    def claim(self, owner: str) -> None:
        """Be `owner` until `disclaim`."""
        self._owners.claim(owner)

    def disclaim(self, owner: str, *, goes_on: bool = False) -> None:
        """Be `owner` no more; what `goes_on` keeps its lock."""
        self._owners.disclaim(owner, goes_on=goes_on)

    def is_alive(self, owner: str) -> bool:
        """Whether a live process has claimed to be `owner`."""
        return self._owners.is_alive(owner)

    def beat(self, owner: str) -> int | None:
        """Return a number that changes while `owner` runs; None when nobody holds its lock."""
        return self._owners.beat(owner)

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        """Queue `events` behind `after`; the future is done when they are on the disk."""
        future = self._writer.future()
        try:
            append = pack(future, run_id, events, after)
        except JournalError as error:
            future.set_exception(error)
        else:
            self._writer.put(append)
        return future

    async def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Return up to `limit` events with `seq > after`, checked against the chain."""
        return await self._reader.run(reader.events, run_id, after, limit)

    async def runs(
        self, *, status: str | None = None, tags: dict[str, str] | None = None, limit: int | None = None
    ) -> AsyncIterator[RunRecord]:
        """Go through the runs, newest first."""
        before = _LAST
        left = _LAST if limit is None else limit
        lost, page = "", []
        while left > 0:
            page, wrong = await self._reader.run(reader.runs, status, tags or {}, before, min(left, _PAGE))
            lost = wrong or lost
            for _, record in page:
                yield record
            if len(page) < _PAGE:
                break
            before = page[-1][0]
            left -= len(page)
        if lost:
            self._miss(damaged_file(self.path, lost), all_of_it=before == _LAST and not page)

    async def find(self, key: str) -> RunRecord | None:
        """Return the run that was started under `key`."""
        return await self._reader.run(reader.by_key, key)

    async def record(self, run_id: str) -> RunRecord | None:
        """Return the record of one run."""
        try:
            return await self._reader.run(reader.by_id, run_id)
        except JournalDamaged as error:
            self._miss(error)
            return None

    def _miss(self, error: JournalDamaged, *, all_of_it: bool = False) -> None:
        """Raise the error that keeps runs from being found, but where what is left is asked for, and something is."""
        if all_of_it or not self._left:
            raise error
        self.damage = self.damage or error

    async def verify(self, run_id: str) -> int:
        """Check the run's whole chain; return its head. JournalDamaged names the run and seq of the first fault."""
        after = 0  # a block may be cut by the end of a page: its rest is held to its sums with the next
        while page := await self._reader.run(reader.checked, run_id, after, _EVENTS):
            after = min(page[-1][0].last, after + _EVENTS)
        return after

    async def request(self, run_id: str, kind: str, payload: dict[str, Any], *, by: str, at: float) -> int:
        """Leave a request for the owner of a run; return its id."""
        return await self._writer.run(partial(leave, request=Request(0, run_id, kind, payload, by, at)))

    async def requests(self, *, after: int = 0) -> list[Request]:
        """Return the requests with `id > after` that are not settled, in order."""
        requests: list[Request] = []
        for row in await self._reader.run(rows_after, after):
            try:
                requests.append(read(row))
            except ValueError as error:
                self._say_unread(row, error)
        return requests

    def _say_unread(self, row: RequestRow, error: ValueError) -> None:
        if row.id not in self._unread:
            self._unread.add(row.id)
            log.warning("journal %s: run %s: request %s: %s", self.path, row.run_id, row.id, error)

    async def settle(self, id: int) -> None:
        """Take a request out."""
        await self._writer.run(
            lambda connection: connection.execute("DELETE FROM requests WHERE id = ?", (id,)) and None
        )
