"""One exported run on its way into the tables, inside a transaction of its caller.

1. Nothing is written before it has been held to the chain. What is there already and is sound is left as it is.
2. A run is whole when its chain ends where its line says, its list agrees with its events, and every blob that they
   need is in the journal.
"""

import json
import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from agentorch.core.events import Event, RunFinished
from agentorch.errors import JournalError
from agentorch.journal.appending import next_number
from agentorch.journal.chain import Header, Link, anchor, follow, parts, sound
from agentorch.journal.codec import CODEC
from agentorch.journal.exported import BlobLine, BlockLine, Line, RequestLine, RunLine
from agentorch.journal.kept import keep
from agentorch.journal.listing import FINISHED
from agentorch.journal.mentions import needed
from agentorch.journal.records import Telling, row_of
from agentorch.journal.requests import leave
from agentorch.ports.journal import Request

_ADD_RUN: Final = """INSERT INTO runs (number, run_id, goal, status, started, updated, head, hash, tags, key, request)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run_id) DO UPDATE SET goal = excluded.goal, status = excluded.status, started = excluded.started,
    updated = excluded.updated, head = excluded.head, hash = excluded.hash, tags = excluded.tags, key = excluded.key,
    request = excluded.request"""
_ADD_BLOCK: Final = """INSERT INTO events (run, seq, header, payload) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET header = excluded.header, payload = excluded.payload"""


class Refused(Exception):
    """A run cannot be taken."""

    def __init__(self, seq: int | None, what: str) -> None:
        super().__init__(what)
        self.seq = seq


class Intake:
    """The lines of one run, taken in one at a time."""

    def __init__(self, connection: sqlite3.Connection, told: RunLine, *, live: bool) -> None:
        """Take a copy of a run that somebody was carrying out only if it may be `live`."""
        self._connection = connection
        self._told = told
        self._row = row_of(connection, told.run_id)
        self._number = next_number(connection) if self._row is None else self._row.number
        self._unwanted = self._differs()
        if self._row is None and told.live and not live:
            self._unwanted = "somebody was carrying it out: if that has ended for good, import it with --live"
        self._end = anchor(told.run_id)
        self._telling = Telling()
        self._needed: dict[str, int] = {}
        """Blobs, each with the first event that needs it."""
        self._dropped = 0
        self._over = False
        self.changed = False
        """Whether anything of the run was written."""

    @property
    def is_new(self) -> bool:
        """Whether the journal has no such run yet."""
        return self._row is None

    def tried(self, line: Line | None) -> Refused | None:
        """Take a line in, or None for the end of the run; return why it cannot be taken."""
        try:
            self._refuse_unwanted()
            match line:
                case BlockLine():
                    self._block(line)
                case BlobLine():
                    self._blob(line)
                case RequestLine():
                    self._request(line)
                case _:
                    self._finish()
        except Refused as refused:
            return refused
        return None

    def _refuse_unwanted(self) -> None:
        if self._unwanted:
            raise Refused(None, self._unwanted)

    def _differs(self) -> str:
        """Return in words that another history of the run is here; "" when its hash or last event is the file's."""
        here, told = self._row, self._told
        if here is None or here.hash.hex() == told.hash:
            return ""
        sql = "SELECT header FROM events WHERE run = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
        last = self._connection.execute(sql, (self._number, told.head)).fetchone()
        if here.head == told.head and last is not None and sha256(last[0]).hexdigest() == told.hash:
            return ""
        return f"it is here already and differs: up to seq {here.head} here, up to {told.head} in the file"

    def _stored(self, seq: int) -> tuple[bytes, bytes | None] | None:
        sql = "SELECT header, payload FROM events WHERE run = ? AND seq = ?"
        return self._connection.execute(sql, (self._number, seq)).fetchone()

    def _block(self, line: BlockLine) -> None:
        seq = self._end.seq + 1
        try:
            header = follow(self._told.run_id, self._end, seq, line.header)
        except JournalError as error:
            raise self._refused(seq, error) from None
        for place, event in enumerate(self._read(header, line.payload)):
            self._telling.see(seq + place, header.times[place], event)
            for name in () if event is None else needed(event):
                self._needed.setdefault(name, seq + place)
        self._end = Link(header.last, sha256(line.header).digest())
        if not self._is_sound(seq, line):
            self.changed = True
            self._connection.execute(_ADD_BLOCK, (self._number, seq, line.header, line.payload))
        if not self.is_new:  # what a damaged cell has brought among its events
            sql = "DELETE FROM events WHERE run = ? AND seq > ? AND seq <= ?"
            self.changed |= self._connection.execute(sql, (self._number, seq, header.last)).rowcount > 0

    def _refused(self, seq: int, error: JournalError) -> Refused:
        return Refused(seq, _bare(error, f"run {self._told.run_id}, seq {seq}: "))

    def _is_sound(self, seq: int, line: BlockLine) -> bool:
        """Whether what is here of a block is as good as the file's: the chain is the same, so the bytes must be."""
        here = self._stored(seq)
        return here is not None and here[0] == line.header and (line.payload is None or here[1] == line.payload)

    def _read(self, header: Header, payload: bytes | None) -> Sequence[Event | None]:
        """Return the events of a block; None for each when they were compacted."""
        count = len(header.types)
        if payload is None and self._dropped == header.seq - 1:
            self._dropped = header.last
            self._over = self._over or RunFinished.__name__ in header.types
            return [None] * count
        whole = sound(header, payload)
        if payload is None or whole < count:
            raise Refused(header.seq + whole, "its payload is not what was written")
        return [self._event(header, place, part) for place, part in enumerate(parts(header, payload))]

    def _event(self, header: Header, place: int, part: bytes) -> Event:
        run_id, seq = self._told.run_id, header.seq + place
        try:
            event = CODEC.decode(header.types[place], header.versions[place], part, run_id=run_id, seq=seq)
        except JournalError as error:
            raise self._refused(seq, error) from None
        if (event.run_id, event.seq) != (run_id, seq):
            raise Refused(seq, f"it is event {event.seq} of run {event.run_id}")
        return event

    def _blob(self, line: BlobLine) -> None:
        if sha256(line.data).hexdigest() != line.sha256:
            raise Refused(None, f"blob {line.sha256}: its bytes are not what was written")
        self.changed |= keep(self._connection, line.sha256, line.data)

    def _request(self, line: RequestLine) -> None:
        if self.is_new:  # what was asked of a run that is here was asked here
            leave(self._connection, Request(0, self._told.run_id, *line))

    def _finish(self) -> None:
        told = self._told
        if self._end.seq != told.head:
            seq = min(self._end.seq, told.head) + 1
            raise Refused(
                seq, f"it is {'missing' if seq > self._end.seq else 'too much'}; the run goes up to {told.head}"
            )
        if self._end.hash.hex() != told.hash:
            raise Refused(told.head, "it is not the last event that was acknowledged")
        if self._dropped and not self._over:
            raise Refused(1, "its payload is missing, and it was not compacted: it had not finished")
        self._check_list()
        self._check_blobs()
        sql = "DELETE FROM events WHERE run = ? AND seq NOT BETWEEN 1 AND ?"  # the chain, which agrees, has none such
        self.changed |= self._connection.execute(sql, (self._number, told.head)).rowcount > 0
        self._list()

    def _check_list(self) -> None:
        for name, shown, said in self._telling.differences(self._told):
            raise Refused(None, f"its line has the {name} {shown!r:.80}, its events say {said!r:.80}")
        if self._telling.opening is None and self._told.status not in FINISHED:
            raise Refused(None, f"its line has the status {self._told.status!r:.80}, and it had finished")

    def _check_blobs(self) -> None:
        for name, seq in self._needed.items():
            row = self._connection.execute("SELECT data FROM blobs WHERE sha256 = ?", (name,)).fetchone()
            if row is None or sha256(row[0]).hexdigest() != name:
                raise Refused(seq, f"blob {name}: it is not in the file, nor whole in this journal")

    def _list(self) -> None:
        """Write the run's row, unless it is so already, or says more than a compacted run's events."""
        told, here = self._told, self._row
        if here is not None and here.end == self._end and not self._telling.differences(here):
            return
        if told.key is not None:
            self._check_key(told.key)
        self.changed = True
        row = (self._number, told.run_id, told.goal, told.status, told.started, told.updated, *self._end)
        self._connection.execute(_ADD_RUN, (*row, json.dumps(told.tags), told.key, told.request))

    def _check_key(self, key: str) -> None:
        sql = "SELECT run_id FROM runs WHERE key = ? AND run_id != ?"
        if self._connection.execute(sql, (key, self._told.run_id)).fetchone():
            raise Refused(None, f"its key {key!r} belongs to another run of this journal")


def _bare(error: JournalError, place: str) -> str:
    """Return the words of an error without the place that is said beside them."""
    return str(error).removeprefix(place).partition("; what stands")[0]
