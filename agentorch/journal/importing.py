"""Taking exported runs into an SQLite journal: each in one transaction, its chain checked, nothing overwritten.

1. A run that is there and equal is skipped; one that is there and different is refused, and stays as it is.
2. A run of which anything is wrong is refused whole; the others are taken.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from agentorch.core.events import Event
from agentorch.errors import JournalError
from agentorch.journal.chain import Header, Link, anchor, damaged, follow
from agentorch.journal.checking import Fault, Seen
from agentorch.journal.codec import CODEC
from agentorch.journal.exported import BlobLine, EndLine, EventLine, Line, RunLine, check_first_line, read
from agentorch.journal.listing import opening, status_told_by

_ADD_RUN: Final = (
    "INSERT INTO runs (number, run_id, goal, status, started, updated, head, hash, tags, key, request) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_EVENT: Final = "INSERT INTO events (run, seq, header, payload) VALUES (?, ?, ?, ?)"


@dataclass(slots=True)
class Imported:
    """What became of a file's runs."""

    taken: list[str] = field(default_factory=list[str])
    skipped: list[str] = field(default_factory=list[str])
    """Runs that were there, equal."""
    refused: list[Fault] = field(default_factory=list[Fault])


class _Refused(Exception):
    """One run cannot be taken."""

    def __init__(self, seq: int | None, what: str) -> None:
        super().__init__(what)
        self.seq = seq


class Import:
    """The runs of one file, on their way into the journal behind `connection`."""

    def __init__(self, connection: sqlite3.Connection, *, seen: Seen = lambda _done, _of: None) -> None:
        self._connection = connection
        self._seen = seen
        self._lines = 0
        self.found = Imported()

    def take(self, data: Iterable[bytes]) -> Imported:
        """Take what the lines say; JournalError for what is no export, or ends before its end."""
        lines = iter(data)
        check_first_line(next(lines, b""))
        self._lines = 1
        reading = self._read(lines)
        line = next(reading, None)
        while isinstance(line, RunLine):
            line = self._take_run(line, reading)
        if not isinstance(line, EndLine):
            raise JournalError(f"line {self._lines}: it ends before its end: export it again")
        return self.found

    def _read(self, lines: Iterator[bytes]) -> Iterator[Line]:
        for data in lines:
            self._lines += 1
            self._seen(self._lines, 0)
            try:
                yield read(data)
            except ValueError as error:
                raise JournalError(f"line {self._lines}: {' '.join(str(error).split())}") from None

    def _take_run(self, told: RunLine, lines: Iterator[Line]) -> Line | None:
        """Take one run; return the line behind it."""
        if self._is_there(told):
            return next((line for line in lines if isinstance(line, RunLine | EndLine)), None)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            refused, behind = _Intake(self._connection, told).take(lines)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        if refused is None:
            self._connection.execute("COMMIT")
            self.found.taken.append(told.run_id)
        else:
            self._connection.execute("ROLLBACK")
            self.found.refused.append(Fault(told.run_id, refused.seq, str(refused)))
        return behind

    def _is_there(self, told: RunLine) -> bool:
        row = self._connection.execute("SELECT head, hash FROM runs WHERE run_id = ?", (told.run_id,)).fetchone()
        if row is None:
            return False
        if (row[0], row[1].hex()) == (told.head, told.hash):
            self.found.skipped.append(told.run_id)
        else:
            what = f"it is here already and differs: up to seq {row[0]} here, up to {told.head} in the file"
            self.found.refused.append(Fault(told.run_id, None, what))
        return True


class _Intake:
    """One run on its way into the tables, inside a transaction."""

    def __init__(self, connection: sqlite3.Connection, told: RunLine) -> None:
        self._connection = connection
        self._told = told
        self._number = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM runs").fetchone()[0]
        self._end = anchor(told.run_id)
        self._first: Event | None = None
        self._status = "running"
        self._compacted = False

    def take(self, lines: Iterator[Line]) -> tuple[_Refused | None, Line | None]:
        """Write the run's rows; return the first thing that is wrong with it, and the line behind it."""
        refused: _Refused | None = None
        behind: Line | None = None
        for line in lines:
            if isinstance(line, RunLine | EndLine):
                behind = line
                break
            refused = refused or self._tried(lambda line=line: self._add(line))
        return refused or self._tried(self._finish), behind

    def _tried(self, do: Callable[[], None]) -> _Refused | None:
        try:
            do()
        except _Refused as refused:
            return refused
        return None

    def _add(self, line: EventLine | BlobLine) -> None:
        if isinstance(line, EventLine):
            self._event(line)
        else:
            self._blob(line)

    def _event(self, line: EventLine) -> None:
        run_id, seq = self._told.run_id, self._end.seq + 1
        try:
            header = follow(run_id, self._end, seq, line.header)
            if line.payload is None and (seq == 1 or self._compacted):
                self._compacted = True
            else:
                self._payload(header, line.payload)
        except JournalError as error:
            raise _Refused(seq, _bare(error, f"run {run_id}, seq {seq}: ")) from None
        self._end = Link.at(seq, line.header)
        self._connection.execute(_ADD_EVENT, (self._number, seq, line.header, line.payload))

    def _payload(self, header: Header, payload: bytes | None) -> None:
        run_id, seq = self._told.run_id, header.seq
        if payload is None or sha256(payload).digest() != header.payload:
            raise damaged(run_id, seq, "its payload is not what was written")
        event = CODEC.decode(header.type, header.version, payload, run_id=run_id, seq=seq)
        self._first = event if seq == 1 else self._first
        self._status = status_told_by(event) or self._status

    def _blob(self, line: BlobLine) -> None:
        if sha256(line.data).hexdigest() != line.sha256:
            raise _Refused(None, f"blob {line.sha256}: its bytes are not what was written")
        sql = "INSERT INTO blobs (sha256, data) VALUES (?, ?) ON CONFLICT DO NOTHING"
        self._connection.execute(sql, (line.sha256, line.data))

    def _finish(self) -> None:
        told = self._told
        if self._end.seq != told.head:
            raise _Refused(self._end.seq + 1, f"it is missing; the run goes up to {told.head}")
        if self._end.hash.hex() != told.hash:
            raise _Refused(told.head, "it is not the last event that was acknowledged")
        goal, tags, key, request, status = told.goal, told.tags, told.key, told.request, told.status
        if self._first is not None:  # what the list shows is outside the chain: the events know better
            (goal, tags, key, request), status = opening(self._first), self._status
        row = (self._number, told.run_id, goal, status, told.started, told.updated, *self._end)
        try:
            self._connection.execute(_ADD_RUN, (*row, json.dumps(dict(tags)), key, request))
        except sqlite3.IntegrityError:
            raise _Refused(None, f"its key {key!r} belongs to another run of this journal") from None


def _bare(error: JournalError, place: str) -> str:
    """Return the words of an error without the place that is said beside them."""
    return str(error).removeprefix(place).partition("; what stands")[0]
