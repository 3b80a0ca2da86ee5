"""Everything that can be wrong with a journal's file, named by run and seq: chains, heads, blobs, requests, the list.

1. One fault, one line; what follows from a fault is not told again.
2. It reads through one connection and changes nothing. What is intact stays readable, whatever is found.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

from agentorch.core.events import Event, RunFinished
from agentorch.errors import JournalError
from agentorch.journal.chain import Header, Link, anchor, unseal
from agentorch.journal.codec import CODEC
from agentorch.journal.listing import NOTHING_SAID, Opening, opening, status_told_by
from agentorch.journal.mentions import needed

Seen = Callable[[int, int], None]
"""Told how many events are done, of how many."""
_LIST: Final = "SELECT number, run_id, head, hash, status, goal, key FROM runs ORDER BY number"


class Fault(NamedTuple):
    """One thing that is wrong."""

    run: str | None
    seq: int | None
    what: str

    def __str__(self) -> str:
        place = [f"run {self.run}"] if self.run is not None else []
        place += [f"seq {self.seq}"] if self.seq is not None else []
        return f"{', '.join(place)}: {self.what}" if place else self.what


@dataclass(slots=True)
class Checked:
    """What was looked at, and what is wrong."""

    runs: int = 0
    events: int = 0
    compacted: int = 0
    """Runs of which only the headers are left."""
    blobs: int = 0
    faults: list[Fault] = field(default_factory=list[Fault])


class Check:
    """One look at the journal behind `connection`; `seen` hears how far it is."""

    def __init__(
        self, connection: sqlite3.Connection, *, seen: Seen = lambda _done, _of: None, blobs: bool = True
    ) -> None:
        """Look at blobs too, unless told otherwise."""
        self._connection = connection
        self._seen = seen
        self._look_at_blobs = blobs
        self._blobs: dict[str, str | None] = {}
        """What is wrong with each blob that was looked at; None is nothing."""
        self._all = 0
        self.found = Checked()

    def run(self, run_id: str | None = None) -> Checked:
        """Check everything, or one run with its blobs and its requests."""
        try:
            self._check(run_id)
        except sqlite3.DatabaseError as error:
            self._add(Fault(run_id, None, f"the database file is damaged ({error}): restore it from a copy"))
        self.found.blobs = len(self._blobs)
        return self.found

    def _check(self, run_id: str | None) -> None:
        listed = [row for row in self._connection.execute(_LIST).fetchall() if run_id in {None, row[1]}]
        self._all = sum(row[2] for row in listed)
        for number, name, head, hash, *told in listed:
            self.found.runs += 1
            try:
                self._check_run(number, name, Link(head, hash), told)
            except sqlite3.DatabaseError as error:
                self._add(Fault(name, None, f"its rows cannot be read on: {error}"))
        known = {row[1] for row in listed}
        self._check_requests(None if run_id is None else known, known)
        if run_id is None:
            self._check_strays()
            self._check_blobs()
            self._check_file()

    def _add(self, fault: Fault) -> None:
        self.found.faults.append(fault)

    def _check_run(self, number: int, run_id: str, head: Link, told: Sequence[Any]) -> None:
        chain = _Chain(run_id, self._add)
        before = len(self.found.faults)
        rows = self._connection.execute("SELECT seq, header, payload FROM events WHERE run = ? ORDER BY seq", (number,))
        said, status, dropped, over = NOTHING_SAID, "running", 0, False
        for seq, stored, payload in rows:
            self.found.events += 1
            self._seen(self.found.events, self._all)
            header = chain.follow(seq, stored)
            if payload is None and dropped == seq - 1:
                dropped += 1
                over = over or (header is not None and header.type == RunFinished.__name__)
                continue
            event = self._read(run_id, seq, header, payload)
            if event is not None:
                said = opening(event) if seq == 1 else said
                status = status_told_by(event) or status
        chain.end(head)
        if dropped and not over:
            self._add(Fault(run_id, 1, "its payload is missing, and it was not compacted: it had not finished"))
        elif dropped:
            self.found.compacted += 1
        elif len(self.found.faults) == before:
            self._check_list(run_id, told, (status, said))

    def _read(self, run_id: str, seq: int, header: Header | None, payload: bytes | None) -> Event | None:
        """Return the event, its blobs looked at; None when there is a fault that keeps it from being read."""
        if header is None:
            return None
        if payload is None or sha256(payload).digest() != header.payload:
            self._add(Fault(run_id, seq, "its payload is not what was written"))
            return None
        try:
            event = CODEC.decode(header.type, header.version, payload, run_id=run_id, seq=seq)
        except JournalError as error:
            self._add(Fault(run_id, seq, str(error).removeprefix(f"run {run_id}, seq {seq}: ")))
            return None
        for name in needed(event) if self._look_at_blobs else ():
            wrong = self._wrong_with_blob(name)
            if wrong is not None:
                self._add(Fault(run_id, seq, f"blob {name}: {wrong}"))
        return event

    def _wrong_with_blob(self, name: str) -> str | None:
        if name not in self._blobs:
            row = self._connection.execute("SELECT data FROM blobs WHERE sha256 = ?", (name,)).fetchone()
            self._blobs[name] = _wrong_with(name, row)
        return self._blobs[name]

    def _check_list(self, run_id: str, told: Sequence[Any], said: tuple[str, Opening]) -> None:
        """What the list of runs shows is taken from the events, and outside the chain."""
        status, begun = said
        for what, shown, is_so in (
            ("status", told[0], status),
            ("goal", told[1], begun.goal),
            ("key", told[2], begun.key),
        ):
            if shown != is_so:
                self._add(Fault(run_id, None, f"the list of runs has the {what} {shown!r}, its events say {is_so!r}"))

    def _check_requests(self, wanted: set[str] | None, known: set[str]) -> None:
        for id, run_id, kind, payload in self._connection.execute("SELECT id, run_id, kind, payload FROM requests"):
            if wanted is not None and run_id not in wanted:
                continue
            if run_id not in known:
                self._add(Fault(run_id, None, f"request {id} ({kind}) is for it, and it is not in this journal"))
            try:
                json.loads(payload)
            except ValueError as error:
                self._add(Fault(run_id, None, f"request {id} ({kind}) cannot be read: {error}"))

    def _check_strays(self) -> None:
        sql = "SELECT run, min(seq), count(*) FROM events WHERE run NOT IN (SELECT number FROM runs) GROUP BY run"
        for number, seq, count in self._connection.execute(sql):
            self._add(Fault(None, None, f"{count} events from seq {seq} on belong to run number {number}, not listed"))

    def _check_blobs(self) -> None:
        for name, data in self._connection.execute("SELECT sha256, data FROM blobs"):
            if name not in self._blobs:
                wrong = self._blobs[name] = _wrong_with(name, (data,))
                if wrong is not None:
                    self._add(Fault(None, None, f"blob {name}: {wrong}; no event needs it"))

    def _check_file(self) -> None:
        """SQLite's own account of its pages and indexes, after what can be named by run and seq."""
        for (line,) in self._connection.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                self._add(Fault(None, None, f"the database file: {' '.join(line.split())}"))


class _Chain:
    """The headers of one run, each held to the one before."""

    def __init__(self, run_id: str, add: Callable[[Fault], None]) -> None:
        self._run_id = run_id
        self._add = add
        self._seq, self._hash = anchor(run_id)
        self._sure = True
        """Whether the next header can be held to the one before: not behind a gap, or behind one that is wrong."""

    def follow(self, seq: int, stored: bytes) -> Header | None:
        """Take in the next header; return its parts, None when they cannot be trusted."""
        if seq != self._seq + 1:
            self._break(self._seq + 1, f"it is missing; the next stored is {seq}")
        header = self._parts(seq, stored)
        sure, self._sure = self._sure, header is not None
        if header is not None and (header.seq != seq or (sure and header.previous != self._hash)):
            self._break(seq, "its header does not follow from the one before")
            header = None
        self._seq, self._hash = seq, sha256(stored).digest()
        return header

    def end(self, head: Link) -> None:
        """Hold the last header to what was acknowledged."""
        if self._seq < head.seq:
            self._break(self._seq + 1, f"it is missing; the run went up to {head.seq}")
        elif self._seq > head.seq or (self._sure and self._hash != head.hash):
            self._break(min(self._seq, head.seq + 1), "it is not the last event that was acknowledged")

    def _parts(self, seq: int, stored: bytes) -> Header | None:
        try:
            return unseal(stored)
        except ValueError as error:  # a UnicodeDecodeError too
            self._break(seq, f"its header cannot be read: {error}")
            return None

    def _break(self, seq: int, what: str) -> None:
        self._sure = False
        self._add(Fault(self._run_id, seq, what))


def _wrong_with(name: str, row: tuple[bytes] | None) -> str | None:
    if row is None:
        return "it is missing"
    return None if sha256(row[0]).hexdigest() == name else "its bytes are not what was written"
