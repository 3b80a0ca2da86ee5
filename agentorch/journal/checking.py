"""Everything that can be wrong with a journal's file, named by run and seq: chains, heads, blobs, requests, the list.

1. One fault, one line; what follows from a fault is not told again.
2. It reads through one connection and changes nothing. What is intact stays readable, whatever is found.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from agentorch.core.events import Event, RunFinished
from agentorch.errors import JournalError
from agentorch.journal.chain import Header, Link, anchor, last_of, parts, sound, unseal
from agentorch.journal.codec import CODEC
from agentorch.journal.listing import FINISHED
from agentorch.journal.mentions import needed
from agentorch.journal.records import BLOCK, Row, Telling, blocks_of, listed, tags_in
from agentorch.journal.requests import rows_after, wrong_with

Seen = Callable[[int, int], None]
"""Told how many events are done, of how many."""


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

    def __init__(self, connection: sqlite3.Connection, *, seen: Seen = lambda _done, _of: None) -> None:
        self._connection = connection
        self._seen = seen
        self._blobs: dict[str, str | None] = {}
        """What is wrong with each blob that was looked at; None is nothing."""
        self._all = 0
        self.found = Checked()
        self.sound: dict[str, Telling] = {}
        """What the events of each run say that is intact, whatever the list says of it."""

    def run(self, run_id: str | None = None) -> Checked:
        """Check everything, or one run with its blobs and its requests."""
        try:
            self._check(run_id)
        except sqlite3.DatabaseError as error:
            self._add(Fault(run_id, None, f"the database file is damaged ({error}): restore it from a copy"))
        self.found.blobs = len(self._blobs)
        return self.found

    def _check(self, run_id: str | None) -> None:
        found = listed(self._connection)
        chosen = [row for row in found.rows if run_id in {None, row.run_id}]
        if found.lost and (run_id is None or not chosen):
            words = f"the list of runs has lost rows ({found.lost}): restore the file from a copy"
            self._add(Fault(run_id, None, words))
        self._all = sum(row.head for row in chosen)
        for row in chosen:
            if row.is_blank:
                self._add(Fault(None, None, "a row of the list of runs cannot be read: restore the file from a copy"))
                continue
            self.found.runs += 1
            try:
                self._check_run(row)
            except sqlite3.DatabaseError as error:
                self._add(Fault(row.run_id, None, f"its rows cannot be read on: {error}"))
        known = {row.run_id for row in chosen}
        self._check_requests(None if run_id is None else known, known)
        if run_id is None:
            if not found.lost:
                self._check_strays()
            self._check_blobs()
            self._check_file()

    def _add(self, fault: Fault) -> None:
        if self.found.faults[-1:] != [fault]:
            self.found.faults.append(fault)

    def _check_run(self, row: Row) -> None:
        run_id = row.run_id
        chain = _Chain(run_id, self._add)
        telling = Telling()
        before, dropped, over = len(self.found.faults), 0, False
        for seq, stored, payload in blocks_of(self._connection, row):
            header = chain.follow(seq, stored)
            count = 1 if header is None else len(header.types)
            self.found.events += count
            self._seen(self.found.events, self._all)
            is_dropped = payload is None and dropped == seq - 1
            dropped += count if is_dropped else 0
            if header is None:
                continue
            over = over or (is_dropped and RunFinished.__name__ in header.types)
            events = [None] * count if is_dropped else self._read(run_id, header, payload)
            for place, (at, event) in enumerate(zip(header.times, events, strict=True), seq):
                telling.see(place, at, event)
        chain.end(row.end)
        if dropped and not over:
            self._add(Fault(run_id, 1, "its payload is missing, and it was not compacted: it had not finished"))
        self.found.compacted += bool(dropped and over)
        if len(self.found.faults) == before:
            self.sound[run_id] = telling
            self._check_list(row, telling)

    def _read(self, run_id: str, header: Header, payload: bytes | None) -> list[Event | None]:
        """Return the events of a block, None for each that a fault keeps from being read."""
        count = len(header.types)
        whole = sound(header, payload)
        if payload is None or whole < count:
            self._add(Fault(run_id, header.seq + whole, "its payload is not what was written"))
        each = [] if payload is None else parts(header, payload)[:whole]
        events = [self._event(run_id, header, place, part) for place, part in enumerate(each)]
        return [*events, *[None] * (count - len(events))]

    def _event(self, run_id: str, header: Header, place: int, part: bytes) -> Event | None:
        """Return an event, its blobs looked at; None when there is a fault that keeps it from being read."""
        seq = header.seq + place
        try:
            event = CODEC.decode(header.types[place], header.versions[place], part, run_id=run_id, seq=seq)
        except JournalError as error:
            self._add(Fault(run_id, seq, str(error).removeprefix(f"run {run_id}, seq {seq}: ")))
            return None
        for name in needed(event):
            wrong = self._wrong_with_blob(name)
            if wrong is not None:
                self._add(Fault(run_id, seq, f"blob {name}: {wrong}"))
        return event

    def _wrong_with_blob(self, name: str) -> str | None:
        if name not in self._blobs:
            row = self._connection.execute("SELECT data FROM blobs WHERE sha256 = ?", (name,)).fetchone()
            self._blobs[name] = _wrong_with(name, row)
        return self._blobs[name]

    def _check_list(self, row: Row, telling: Telling) -> None:
        """What the list of runs shows is taken from the events, and outside the chain."""
        for name, shown, said in telling.differences(row):
            words = f"the list of runs has the {name} {shown!r:.80}, its events say {said!r:.80}"
            self._add(Fault(row.run_id, None, words))
        if telling.opening is None and (row.status not in FINISHED or tags_in(row.tags) is None):
            self._add(Fault(row.run_id, None, "the list of runs cannot be read, and its events were compacted"))

    def _check_requests(self, wanted: set[str] | None, known: set[str]) -> None:
        for row in rows_after(self._connection):
            name = f"request {row.id} ({row.kind})"
            if wanted is not None and row.run_id not in wanted:
                continue
            if row.run_id not in known:
                self._add(Fault(row.run_id, None, f"{name} is for it, and it is not in this journal"))
            wrong = wrong_with(row)
            if wrong is not None:
                self._add(Fault(row.run_id, None, f"{name}: {wrong}"))

    def _check_strays(self) -> None:
        sql = f"SELECT run, {BLOCK} FROM events WHERE run NOT IN (SELECT number FROM runs) ORDER BY run, seq"  # noqa: S608
        for number, stray in groupby(self._connection.execute(sql), key=itemgetter(0)):
            found = [(seq, last_of(seq, header) - seq + 1) for _, seq, header in stray]
            count = sum(events for _, events in found)
            words = f"{count} events from seq {found[0][0]} on belong to run number {number}, not listed"
            self._add(Fault(None, None, words))

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
        """Whether the next header can be held to the one before: not behind a gap, or behind one that is wrong.

        How many events a wrong one had is not known either.
        """

    def follow(self, seq: int, stored: bytes) -> Header | None:
        """Take in the next header; return its parts, None when they cannot be trusted."""
        if self._sure and seq > self._seq + 1:
            self._break(self._seq + 1, f"it is missing; the next stored is {seq}")
        if seq <= self._seq:
            self._break(seq, "it is stored twice")
            return None
        header = self._parts(seq, stored)
        sure, self._sure = self._sure, header is not None
        if header is not None and (header.seq != seq or (sure and header.previous != self._hash)):
            self._break(seq, "its header does not follow from the one before")
            header = None
        self._seq = seq if header is None else header.last
        self._hash = b"" if header is None else sha256(stored).digest()
        return header

    def end(self, head: Link) -> None:
        """Hold the last header to what was acknowledged."""
        if self._sure and self._seq < head.seq:
            self._break(self._seq + 1, f"it is missing; the run went up to {head.seq}")
        elif self._seq > head.seq or (self._sure and self._hash != head.hash):
            self._break(max(1, min(self._seq, head.seq + 1)), "it is not the last event that was acknowledged")

    def _parts(self, seq: int, stored: bytes) -> Header | None:
        try:
            return unseal(stored)
        except ValueError as error:  # a UnicodeDecodeError too
            self._break(seq, f"its header cannot be read: {error}")
            return None

    def _break(self, seq: int, what: str) -> None:
        self._sure = False
        self._add(Fault(self._run_id, seq, what))


def _wrong_with(name: str, row: tuple[object] | None) -> str | None:
    if row is None:
        return "it is missing"
    is_so = isinstance(row[0], bytes) and sha256(row[0]).hexdigest() == name
    return None if is_so else "its bytes are not what was written"
