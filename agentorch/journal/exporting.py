"""Writing runs out of an SQLite journal, each checked before it is written."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from agentorch.journal.checking import Check, Fault, Seen
from agentorch.journal.exported import BlobLine, EndLine, EventLine, RunLine, first_line, written
from agentorch.journal.mentions import mentioned

_COLUMNS: Final = "number, run_id, goal, status, started, updated, head, hash, tags, key, request"


class Export:
    """The lines of one export; afterwards `faults` says which runs and blobs were left out, and why."""

    def __init__(self, connection: sqlite3.Connection, *, release: str, seen: Seen = lambda _done, _of: None) -> None:
        self._connection = connection
        self._release = release
        self._seen = seen
        self.runs = 0
        """Runs that were written."""
        self.faults: list[Fault] = []

    def lines(self, run_ids: Sequence[str] = ()) -> Iterator[bytes]:
        """Go through the lines for these runs, or for all, oldest first; a damaged run is left out whole."""
        yield first_line(self._release)
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM runs ORDER BY number").fetchall()  # noqa: S608
        chosen = [row for row in rows if not run_ids or row[1] in run_ids]
        done, of = 0, sum(row[6] for row in chosen)
        for row in chosen:
            faults = Check(self._connection, blobs=False).run(row[1]).faults
            self.faults += faults
            if not faults:
                yield from self._run(*row)
                self.runs += 1
            done += row[6]
            self._seen(done, of)
        yield written(EndLine(self.runs))

    def _run(
        self,
        number: int,
        run_id: str,
        goal: str,
        status: str,
        started: float,
        updated: float,
        head: int,
        hash: bytes,
        tags: str,
        key: str | None,
        request: str | None,
    ) -> Iterator[bytes]:
        told = RunLine(run_id, goal, status, started, updated, head, hash.hex(), json.loads(tags), key, request)
        yield written(told)
        given: set[str] = set()
        events = self._connection.execute("SELECT header, payload FROM events WHERE run = ? ORDER BY seq", (number,))
        for header, payload in events:
            for name in sorted(mentioned(payload or b"") - given):
                given.add(name)
                yield from self._blob(name, given)
            yield written(EventLine(header, payload))

    def _blob(self, name: str, given: set[str]) -> Iterator[bytes]:
        row = self._connection.execute("SELECT data FROM blobs WHERE sha256 = ?", (name,)).fetchone()
        if row is not None and sha256(row[0]).hexdigest() != name:
            self.faults.append(Fault(None, None, f"blob {name}: its bytes are not what was written"))
        elif row is not None:
            yield written(BlobLine(name, row[0]))
            for inner in sorted(mentioned(row[0]) - given):  # the files in a large output
                given.add(inner)
                yield from self._blob(inner, given)
