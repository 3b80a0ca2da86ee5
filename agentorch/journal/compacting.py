"""Compaction: the events of finished runs are dropped, their headers kept, and the file made as small as it can be.

1. The chain of a compacted run still holds; reading it says in one line that it was compacted. The list of runs keeps
   its goal and its status.
2. A run that has not finished is never touched, nor is one that is damaged: what is intact of it may be all there is.
3. A large value goes when no event that is left names it, and nobody is at work in the journal: a run that is under
   way may just have stored the same value, and not named it yet.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from agentorch.errors import JournalError
from agentorch.journal.chain import last_of
from agentorch.journal.checking import Check, Fault, Seen
from agentorch.journal.listing import FINISHED
from agentorch.journal.mentions import mentioned
from agentorch.journal.schema import undo

_BLOCKS: Final = "SELECT seq, header FROM events WHERE run = ? AND payload IS NOT NULL"
_DROP: Final = "UPDATE events SET payload = NULL WHERE run = ? AND payload IS NOT NULL"


@dataclass(slots=True)
class Compacted:
    """What was dropped."""

    runs: list[str] = field(default_factory=list[str])
    damaged: list[Fault] = field(default_factory=list[Fault])
    """What is wrong with runs that were left as they are."""
    events: int = 0
    blobs: int = 0
    kept_blobs: int = 0
    """Large values that no event names any more, kept because somebody is at work in the journal."""
    before: int = 0
    """Bytes of the file."""
    after: int = 0
    busy: bool = False
    """Whether the file could not be made smaller, because others are reading or writing it."""


class Compaction:
    """One compaction of the journal behind `connection`; `in_use` says whether anybody carries runs out in it."""

    def __init__(
        self, connection: sqlite3.Connection, *, in_use: Callable[[], bool], seen: Seen = lambda _done, _of: None
    ) -> None:
        self._connection = connection
        self._in_use = in_use
        self._seen = seen
        self.found = Compacted()

    def older_than(self, moment: float) -> list[str]:
        """Return the finished runs that were last written before `moment` and are still whole, oldest first."""
        marks = ", ".join("?" * len(FINISHED))
        sql = f"""SELECT run_id FROM runs WHERE status IN ({marks}) AND updated < ? AND EXISTS (
            SELECT 1 FROM events WHERE run = runs.number AND payload IS NOT NULL) ORDER BY number"""  # noqa: S608
        return [name for (name,) in self._connection.execute(sql, (*FINISHED, moment))]

    def compact(self, run_ids: Sequence[str]) -> Compacted:
        """Drop the events of these runs; JournalError, and nothing dropped, when one of them has not finished."""
        self.found.before = self._size()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            numbers = {run_id: self._finished(run_id) for run_id in run_ids}
            self.found.damaged = [fault for fault in Check(self._connection).run().faults if fault.run in numbers]
            for fault in self.found.damaged:
                numbers.pop(fault.run or "", None)
            self._drop(numbers)
            self._drop_blobs()
            self._connection.execute("COMMIT")
        except BaseException:
            undo(self._connection)
            raise
        self._shrink()
        self.found.after = self._size()
        return self.found

    def _finished(self, run_id: str) -> int:
        row = self._connection.execute("SELECT number, status FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise JournalError(f"no run {run_id} in this journal; `agentorch runs` lists them")
        if row[1] not in FINISHED:
            raise JournalError(f"run {run_id} has not finished ({row[1]}): resume or cancel it, then compact it")
        return row[0]

    def _drop(self, numbers: dict[str, int]) -> None:
        for done, (run_id, number) in enumerate(numbers.items(), 1):
            blocks = [*self._connection.execute(_BLOCKS, (number,))]
            if blocks:
                self._connection.execute(_DROP, (number,))
                self.found.runs.append(run_id)
                self.found.events += sum(last_of(seq, header) - seq + 1 for seq, header in blocks)
            self._seen(done, len(numbers))

    def _drop_blobs(self) -> None:
        stored = {name for (name,) in self._connection.execute("SELECT sha256 FROM blobs")}
        loose = sorted(stored - self._named(stored)) if stored else []
        if self._in_use():
            self.found.kept_blobs = len(loose)
            return
        self._connection.executemany("DELETE FROM blobs WHERE sha256 = ?", [(name,) for name in loose])
        self.found.blobs = len(loose)

    def _named(self, stored: set[str]) -> set[str]:
        """Return the blobs that events name, and those that these name in turn: files in a large output."""
        named: set[str] = set()
        for (payload,) in self._connection.execute("SELECT payload FROM events WHERE payload IS NOT NULL"):
            named |= mentioned(payload) & stored
        left = [*named]
        while left:
            row = self._connection.execute("SELECT data FROM blobs WHERE sha256 = ?", (left.pop(),)).fetchone()
            more = (mentioned(row[0]) & stored) - named
            named |= more
            left += more
        return named

    def _shrink(self) -> None:
        try:
            self._connection.execute("VACUUM")
            self.found.busy = bool(self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
        except sqlite3.OperationalError as error:
            if not str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise
            self.found.busy = True

    def _size(self) -> int:
        pages, size = (self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return pages * size
