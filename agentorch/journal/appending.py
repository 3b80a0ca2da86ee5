"""Appends inside a transaction: compare-and-swap, chain, rows.

1. What was appended together is one row, a block (see `chain`), of 64 events or 64 KiB at most: a row and two hashes
   are shared by many small tasks, and what a damaged block keeps from being read is bounded.
2. The heads of runs are remembered between transactions, as long as no other process has written (`data_version`).
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

from agentorch.core.events import Event
from agentorch.errors import JournalConflict
from agentorch.journal.chain import Link, anchor, seal
from agentorch.journal.codec import encode_all
from agentorch.journal.listing import NOTHING_SAID, OTHER_WRITER, Opening, check_place, opening, status_told_by

_BLOCK_EVENTS: Final = 64
_BLOCK_BYTES: Final = 65_536
_REMEMBERED: Final = 4096
"""Heads that are remembered at most."""
_MOST_ROWS: Final = 512
"""Rows in one statement at most."""
_FEW_ROWS: Final = 16
"""So many, and fewer, are written by a statement of their own: a small run is one."""

_NO_NUMBER: Final = 1 << 53
"""Runs are counted from one: what is beyond that is damage."""

_FIND: Final = """SELECT run_id, number, head, hash, EXISTS (SELECT 1 FROM events WHERE run = number AND seq > head)
    FROM runs {} WHERE run_id = ?"""
_ADD_EVENTS: Final = "INSERT INTO events (run, seq, header, payload) VALUES", ""
_ADD_RUNS: Final = (
    "INSERT INTO runs (number, run_id, goal, status, started, updated, head, hash, tags, key, request) VALUES",
    "",
)
_MOVE_RUN: Final = """UPDATE runs SET head = ?2, hash = ?3, updated = ?4,
    status = CASE ?5 WHEN '' THEN status ELSE ?5 END WHERE number = ?1"""
_MOVE_RUNS: Final = (
    "WITH moved (number, head, hash, updated, status) AS (VALUES",
    """) UPDATE runs SET head = moved.head, hash = moved.hash, updated = moved.updated,
    status = CASE moved.status WHEN '' THEN runs.status ELSE moved.status END
    FROM moved WHERE runs.number = moved.number""",
)


@dataclass(slots=True)
class Append:
    """An append as the loop hands it to the writer: bytes only, with the future that waits."""

    future: "asyncio.Future[None]"
    run_id: str
    after: int
    payloads: list[bytes]
    versions: list[int]
    times: list[float]
    types: list[bytes]
    status: str
    """The status that these events tell, or ""."""
    opening: Opening
    """What the run's first event says, when it is among these."""


def pack(future: "asyncio.Future[None]", run_id: str, events: Sequence[Event], after: int) -> Append:
    """Return `events` ready to be written; JournalError when one of them cannot be stored."""
    check_place(run_id, events, after)
    return Append(
        future,
        run_id,
        after,
        encode_all(events),
        [event.version for event in events],
        [event.at for event in events],
        [_named(event.__class__) for event in events],
        status_told_by(events),
        opening(events[0]) if after == 0 else NOTHING_SAID,
    )


@cache
def _named(kind: type[Event]) -> bytes:
    return kind.__name__.encode()


@dataclass(slots=True)
class _Run:
    """A run as it stands behind the appends written so far."""

    number: int
    head: Link
    status: str = ""
    updated: float = 0.0
    begun: Append | None = None
    """The append that began it, while its row is not in the table yet."""


class Appender:
    """Writes appends through one connection, inside the transactions of its caller."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._runs: dict[str, _Run] = {}
        self._last_number = 0
        self._seen = -1

    def forget(self) -> None:
        """Drop what is remembered: the transaction did not commit."""
        self._runs.clear()
        self._seen = -1

    def write(self, appends: Sequence[Append]) -> list[JournalConflict | None]:
        """Write those that follow from their run's head; say for each what kept it out, or None."""
        if not appends:
            return []
        self._look_for_others()
        rows: list[int | bytes] = []
        changed: dict[str, _Run] = {}
        refused: list[JournalConflict | None] = []
        for append in appends:
            run = self._runs.get(append.run_id) or self._find(append.run_id, is_new=append.after == 0)
            conflict = self._conflict(append, run, changed)
            refused.append(conflict)
            if conflict is None:
                changed[append.run_id] = _extend(run or self._begin(append), append, rows)
        self._save(changed)
        _in_bulk(self._connection, _ADD_EVENTS, rows, 4)
        return refused

    def _look_for_others(self) -> None:
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._seen or len(self._runs) > _REMEMBERED:
            self._runs.clear()
            self._seen = version
            self._last_number = next_number(self._connection) - 1

    def _find(self, run_id: str, *, is_new: bool) -> _Run | None:
        found = self._connection.execute(_FIND.format(""), (run_id,)).fetchone()
        if not is_new and (found is None or found[0] != run_id):  # the index may be damaged
            found = self._connection.execute(_FIND.format("NOT INDEXED"), (run_id,)).fetchone()
        if found is None or found[0] != run_id:
            return None
        _, number, head, hash, is_followed = found
        run = self._runs[run_id] = _Run(number, Link(head, hash))
        if is_followed:
            self._put_aside(run)
        return run

    def _put_aside(self, run: _Run) -> None:
        """Free the place behind a run's last event of rows that a damaged cell has brought there; they are kept."""
        behind = (run.number, run.head.seq)
        sql = "SELECT header FROM events WHERE run = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
        last = self._connection.execute(sql, behind).fetchone()
        if last is not None and sha256(last[0]).digest() == run.head.hash:
            self._last_number += 1
            sql = "UPDATE events SET run = ? WHERE run = ? AND seq > ?"
            self._connection.execute(sql, (self._last_number, *behind))

    def _begin(self, append: Append) -> _Run:
        self._last_number += 1
        run = _Run(self._last_number, anchor(append.run_id), status="running", begun=append)
        self._runs[append.run_id] = run
        return run

    def _conflict(self, append: Append, run: _Run | None, changed: dict[str, _Run]) -> JournalConflict | None:
        head = run.head.seq if run else 0
        if head != append.after:
            return JournalConflict(f"run {append.run_id} stands at {head}, not at {append.after}: {OTHER_WRITER}")
        if append.opening.key is None:
            return None
        holder = self._holder(append.opening.key, changed)
        return (
            None if holder is None else JournalConflict(f"key {append.opening.key!r} belongs to run {holder} already")
        )

    def _holder(self, key: str, changed: dict[str, _Run]) -> str | None:
        for run_id, run in changed.items():
            if run.begun is not None and run.begun.opening.key == key:
                return run_id
        found = self._connection.execute("SELECT run_id FROM runs WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def _save(self, changed: dict[str, _Run]) -> None:
        begun: list[Any] = []
        moved: list[Any] = []
        for run in changed.values():
            if run.begun is None:
                moved += (run.number, *run.head, run.updated, run.status)
                continue
            first, run.begun = run.begun, None
            goal, tags, key, request = first.opening
            said = json.dumps(dict(tags)) if tags else "{}"
            told = (first.run_id, goal, run.status, first.times[0], run.updated, *run.head, said)
            begun += (run.number, *told, key, request)
        _in_bulk(self._connection, _ADD_RUNS, begun, 11)
        if len(changed) == 1 and moved:  # as mostly where the loop writes; the other way takes four times as long
            self._connection.execute(_MOVE_RUN, moved)
        else:
            _in_bulk(self._connection, _MOVE_RUNS, moved, 5)


def _extend(run: _Run, append: Append, rows: list[int | bytes]) -> _Run:
    """Chain the append's events to the run and add their rows."""
    seq, previous = run.head
    for block in _blocks(append.payloads):
        each = append.payloads[block], append.versions[block], append.times[block], append.types[block]
        header, payload = seal(seq + 1, previous, *each)
        rows += (run.number, seq + 1, header, payload)
        previous = sha256(header).digest()
        seq += len(each[0])
    run.head = Link(seq, previous)
    run.updated = append.times[-1]
    run.status = append.status or run.status
    return run


def _blocks(payloads: Sequence[bytes]) -> Iterator[slice]:
    """Go through the pieces in which these are stored."""
    begin = size = 0
    for end, payload in enumerate(payloads):
        if end > begin and (end - begin == _BLOCK_EVENTS or size + len(payload) > _BLOCK_BYTES):
            yield slice(begin, end)
            begin, size = end, 0
        size += len(payload)
    yield slice(begin, len(payloads))


def next_number(connection: sqlite3.Connection) -> int:
    """Return a number that no run has, nor any event: one of them may have lost the other to a damaged cell."""
    sql = """SELECT max(coalesce((SELECT max(number) FROM runs WHERE number < ?1), 0),
        coalesce((SELECT max(run) FROM events WHERE run < ?1), 0)) + 1"""
    return connection.execute(sql, (_NO_NUMBER,)).fetchone()[0]


def _in_bulk(connection: sqlite3.Connection, sql: tuple[str, str], values: Sequence[Any], width: int) -> None:
    """Carry out `sql` with rows of `width` values between its halves, by 512, 256, ... 16 or fewer: few are compiled.

    `executemany` would give up the interpreter lock at each row; behind a busy loop each time may cost 5 ms.
    """
    start = 0
    while start < len(values):
        left = (len(values) - start) // width
        rows = left if left <= _FEW_ROWS else min(_MOST_ROWS, 1 << left.bit_length() - 1)
        end = start + rows * width
        connection.execute(_statement(sql, rows, width), values[start:end])
        start = end


@cache
def _statement(sql: tuple[str, str], rows: int, width: int) -> str:
    row = "(" + ",".join("?" * width) + ")"
    return f"{sql[0]} {','.join([row] * rows)} {sql[1]}"
