"""Writing runs out of an SQLite journal, each checked before it is written.

1. A run whose events or blobs are damaged is left out whole. What the list says of a run is taken from its events,
   and a request that cannot be read is left out: neither keeps a run from being written.
2. A run that somebody carries out is left out too, unless it is asked for as a copy: it would go on in two places.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from agentorch.journal.checking import Check, Fault, Seen
from agentorch.journal.exported import BlobLine, BlockLine, EndLine, RequestLine, RunLine, first_line, written
from agentorch.journal.listing import FINISHED
from agentorch.journal.mentions import mentioned
from agentorch.journal.owners import Owners
from agentorch.journal.records import Row, Telling, blocks_of, listed, tags_in
from agentorch.journal.requests import read, rows_after, wrong_with
from agentorch.journal.schema import file_of


class Export:
    """The lines of one export; afterwards `faults` says which runs and blobs were left out, and why."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        release: str,
        is_there: Callable[[str], bool] | None = None,
        live: bool = False,
        seen: Seen = lambda _done, _of: None,
    ) -> None:
        """Whether an owner is there says `is_there`, by default the locks beside the file.

        `live` writes runs that somebody carries out too, marked as copies.
        """
        self._connection = connection
        self._release = release
        self._is_there = is_there or Owners(file_of(connection)).is_there
        self._live = live
        self._seen = seen
        self.runs = 0
        """Runs that were written."""
        self.faults: list[Fault] = []
        self.mended: list[Fault] = []
        """What is wrong with the list of runs and with requests: the runs are written all the same."""

    def lines(self, run_ids: Sequence[str] = ()) -> Iterator[bytes]:
        """Go through the lines for these runs, or for all, oldest first; a damaged run is left out whole."""
        yield first_line(self._release)
        found = listed(self._connection)
        if found.lost:
            self.mended.append(Fault(None, None, f"the list of runs has lost rows ({found.lost}): runs may be missing"))
        chosen = [row for row in found.rows if not run_ids or row.run_id in run_ids]
        done, of = 0, sum(row.head for row in chosen)
        for row in chosen:
            told = self._checked(row)
            if told is not None:
                yield from self._run(row, told)
                self.runs += 1
            done += row.head
            self._seen(done, of)
        yield written(EndLine(self.runs))

    def _checked(self, row: Row) -> RunLine | None:
        """Return what is said of a run; None when it is left out."""
        check = Check(self._connection)
        faults = check.run(row.run_id).faults
        telling = check.sound.get(row.run_id)
        if telling is None or (telling.opening is None and (row.status not in FINISHED or tags_in(row.tags) is None)):
            self.faults += [fault for fault in faults if fault not in self.faults]
            return None
        self.mended += faults
        told = _told(row, telling)
        if told.status in {*FINISHED, "stopped"} or not self._is_there(telling.owner):
            return told
        if not self._live:
            what = f"{telling.owner} carries it out: stop that first, or ask for a copy (--live)"
            self.faults.append(Fault(row.run_id, None, what))
            return None
        return replace(told, live=True)

    def _run(self, row: Row, told: RunLine) -> Iterator[bytes]:
        yield written(told)
        given: set[str] = set()
        for _, header, payload in blocks_of(self._connection, row):
            for name in sorted(mentioned(payload or b"") - given):
                given.add(name)
                yield from self._blob(name, given)
            yield written(BlockLine(header, payload))
        for asked in rows_after(self._connection) if told.status not in FINISHED else ():
            if asked.run_id == row.run_id and wrong_with(asked) is None:
                yield written(RequestLine(asked.kind, read(asked).payload, asked.by, asked.at))

    def _blob(self, name: str, given: set[str]) -> Iterator[bytes]:
        row = self._connection.execute("SELECT data FROM blobs WHERE sha256 = ?", (name,)).fetchone()
        if row is not None and sha256(row[0]).hexdigest() != name:
            self.faults.append(Fault(None, None, f"blob {name}: its bytes are not what was written"))
        elif row is not None:
            yield written(BlobLine(name, row[0]))
            for inner in sorted(mentioned(row[0]) - given):  # the files in a large output
                given.add(inner)
                yield from self._blob(inner, given)


def _told(row: Row, telling: Telling) -> RunLine:
    """Return what the events say of a run; of one that was compacted, what the list says."""
    goal, tags, key, request = telling.opening or (row.goal, tags_in(row.tags) or {}, row.key, row.request)
    status = row.status if telling.opening is None else telling.status
    times = telling.started, telling.updated
    return RunLine(row.run_id, goal, status, *times, row.head, row.hash.hex(), dict(tags), key, request)
