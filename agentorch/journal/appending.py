"""Appends inside a transaction: compare-and-swap, chain, rows.

The heads of runs are remembered between transactions, as long as no other process has written (`data_version`).
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain as flat
from typing import Any, Final

from agentorch.core.events import Event
from agentorch.errors import JournalConflict
from agentorch.journal.chain import Link, anchor, seal
from agentorch.journal.codec import encode
from agentorch.journal.listing import Opening, check_place, opening, status_told_by

_REMEMBERED: Final = 4096
"""Heads that are remembered at most."""
_MOST_ROWS: Final = 512
"""Rows in one statement at most."""

_INSERT_EVENTS: Final = "INSERT INTO events (run_id, seq, header, payload) VALUES "
_INSERT_RUNS: Final = (
    "INSERT INTO runs (run_id, goal, status, started, updated, head, hash, tags, key, request) VALUES "
)
_OR_MOVE_HEAD: Final = (
    " ON CONFLICT (run_id) DO UPDATE SET head = excluded.head, hash = excluded.hash, updated = excluded.updated,"
    " status = CASE excluded.status WHEN '' THEN status ELSE excluded.status END"
)


@dataclass(slots=True)
class Append:
    """An append as the loop hands it to the writer: bytes only, with the future that waits."""

    future: "asyncio.Future[None]"
    run_id: str
    after: int
    events: list[tuple[int, float, bytes, bytes]]
    """Version, time, type and payload of each."""
    updated: float
    status: str
    """The status that these events tell, or ""."""
    opening: Opening | None
    """What the run's first event says, when it is among these."""
    started: float


def pack(future: "asyncio.Future[None]", run_id: str, events: Sequence[Event], after: int) -> Append:
    """Return `events` ready to be written; JournalError when one of them cannot be stored."""
    check_place(run_id, events, after)
    status = ""
    packed: list[tuple[int, float, bytes, bytes]] = []
    for event in events:
        packed.append((event.version, event.at, event.type.encode(), encode(event)))
        status = status_told_by(event) or status
    first = opening(events[0]) if after == 0 else None
    return Append(future, run_id, after, packed, events[-1].at, status, first, events[0].at)


class Appender:
    """Writes appends through one connection, inside the transactions of its caller."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._heads: dict[str, Link] = {}
        self._seen = -1

    def forget(self) -> None:
        """Drop what is remembered: the transaction did not commit."""
        self._heads.clear()

    def write(self, appends: Sequence[Append]) -> list[JournalConflict | None]:
        """Write those that follow from their run's head; say for each what kept it out, or None."""
        self._look_for_others()
        rows: list[tuple[str, int, bytes, bytes]] = []
        told: dict[str, list[Any]] = {}
        refused: list[JournalConflict | None] = []
        for append in appends:
            conflict = self._conflict(append, told)
            refused.append(conflict)
            if conflict is None:
                link = self._link(append, rows)
                self._heads[append.run_id] = link
                _tell(told, append, link)
        _insert(self._connection, _INSERT_EVENTS, 4, rows)
        _insert(self._connection, _INSERT_RUNS, 10, list(told.values()), _OR_MOVE_HEAD)
        return refused

    def _look_for_others(self) -> None:
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._seen or len(self._heads) > _REMEMBERED:
            self._heads.clear()
            self._seen = version

    def _conflict(self, append: Append, told: dict[str, list[Any]]) -> JournalConflict | None:
        run_id = append.run_id
        head = self._heads.get(run_id)
        if head is None:
            found = self._connection.execute("SELECT head, hash FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            head = self._heads[run_id] = Link(*found) if found else anchor(run_id)
        if head.seq != append.after:
            return JournalConflict(
                f"run {run_id} stands at {head.seq}, not at {append.after}: another writer was first"
            )
        if append.opening is not None and append.opening.key is not None:
            return self._key_conflict(append.opening.key, told)
        return None

    def _key_conflict(self, key: str, told: dict[str, list[Any]]) -> JournalConflict | None:
        holder = next((run_id for run_id, row in told.items() if row[8] == key), None)
        if holder is None:
            found = self._connection.execute("SELECT run_id FROM runs WHERE key = ?", (key,)).fetchone()
            holder = found[0] if found else None
        return None if holder is None else JournalConflict(f"key {key!r} belongs to run {holder} already")

    def _link(self, append: Append, rows: list[tuple[str, int, bytes, bytes]]) -> Link:
        seq, previous = self._heads[append.run_id]
        for version, at, type, payload in append.events:
            seq += 1
            header = seal(seq, version, at, previous, payload, type)
            previous = sha256(header).digest()
            rows.append((append.run_id, seq, header, payload))
        return Link(seq, previous)


def _tell(told: dict[str, list[Any]], append: Append, link: Link) -> None:
    """Bring the run's row up to date; a row is what `_INSERT_RUNS` takes."""
    row = told.get(append.run_id)
    if row is None:
        goal, tags, key, request = append.opening or Opening()
        status = "running" if append.opening is not None else ""
        text = json.dumps(dict(tags))
        row = told[append.run_id] = [append.run_id, goal, status, append.started, 0.0, 0, b"", text, key, request]
    row[2] = append.status or row[2]
    row[4:7] = append.updated, *link


def _insert(
    connection: sqlite3.Connection, head: str, width: int, rows: Sequence[Iterable[Any]], tail: str = ""
) -> None:
    """Insert `rows` by statements of 512, 256, ... 1 rows, so that few statements are ever compiled."""
    start = 0
    while start < len(rows):
        size = min(_MOST_ROWS, 1 << (len(rows) - start).bit_length() - 1)
        values = ",".join(["(" + ",".join("?" * width) + ")"] * size)
        connection.execute(head + values + tail, list(flat.from_iterable(rows[start : start + size])))
        start += size
