"""The rows of the list of runs: taken from events, and outside their chain, so that damage shows in no hash.

1. A cell that cannot be read keeps neither its run nor any other from being listed: the run's first event says it
   again.
2. Pages that are gone keep no row that is left from being read: the rows are then looked for one by one.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple, cast

from agentorch.core.events import Event
from agentorch.errors import JournalError
from agentorch.journal.chain import Link, anchor, last_of, parts, sound, unseal
from agentorch.journal.chain import Row as Block
from agentorch.journal.codec import CODEC
from agentorch.journal.listing import Opening, opening, owner_told_by, status_told_by
from agentorch.journal.schema import is_damage
from agentorch.ports.journal import RunRecord

COLUMNS: Final = "number, run_id, goal, status, started, updated, head, hash, tags, key, request"
BLOCK: Final = "coalesce(CAST(seq AS INTEGER), 0), coalesce(CAST(header AS BLOB), x'')"
"""Number and header of a block, as such also where a damaged cell has them as something else."""
_GAP: Final = 1_000
"""Numbers that are looked up behind the last row that could be read; a page has far fewer."""
_NO_TEXT: Final = "\ufffd"
"""What stands for bytes that are no text."""


class Row(NamedTuple):
    """One row as it is stored."""

    number: int
    run_id: str
    goal: str
    status: str
    started: float
    updated: float
    head: int
    hash: bytes
    tags: str
    key: str | None
    request: str | None

    @property
    def is_blank(self) -> bool:
        """Whether nothing is left of it that tells which run it is."""
        return self.run_id == _NO_TEXT and not self.head

    @property
    def end(self) -> Link:
        """Where the run's chain is said to end."""
        return Link(self.head, self.hash)


class Listed(NamedTuple):
    """Rows of the list, and what SQLite said where others could not be read."""

    rows: list[Row]
    lost: str = ""


class Telling:
    """What the events of a run say for its row, taken in one at a time."""

    def __init__(self) -> None:
        self.opening: Opening | None = None
        """What the first event says; None while it was not read."""
        self.status = "running"
        self.owner = ""
        """Who carries it out, or did last."""
        self.started = self.updated = 0.0

    def see(self, seq: int, at: float, event: Event | None) -> None:
        """Take in the event at `seq`; of one that was compacted only the time is known."""
        if seq == 1:
            self.started = at
            self.opening = None if event is None else opening(event)
        self.updated = at
        if event is not None:
            self.status = status_told_by((event,)) or self.status
            self.owner = owner_told_by(event) or self.owner

    def differences(self, row: Any) -> list[tuple[str, object, object]]:
        """Return what a row, or a line of an export, has otherwise: its name, what is there, what the events say."""
        said: dict[str, object] = {"started": self.started, "updated": self.updated}
        if self.opening is not None:
            said |= {"status": self.status, **self.opening._asdict(), "tags": dict(self.opening.tags)}
        shown = {name: getattr(row, name) for name in said}
        if "tags" in shown and (tags := tags_in(row.tags)) is not None:
            shown["tags"] = tags
        return [(name, shown[name], said[name]) for name in said if shown[name] != said[name]]


def tags_in(stored: object) -> dict[str, str] | None:
    """Return the tags that a cell holds; None when it cannot be read."""
    try:
        tags: object = json.loads(stored) if isinstance(stored, str) else stored
    except (ValueError, RecursionError):
        return None
    if not isinstance(tags, dict):
        return None
    pairs = cast("dict[str, object]", tags)
    return cast("dict[str, str]", pairs) if all(isinstance(value, str) for value in pairs.values()) else None


def row_of(connection: sqlite3.Connection, run_id: str) -> Row | None:
    """Return the row of a run, also where the index of the list is damaged."""
    try:
        for how in ("", "NOT INDEXED"):
            for row in run_rows(connection, f"{how} WHERE run_id = ?", (run_id,)):
                if row.run_id == run_id:  # and not one that a damaged index has led to
                    return row
    except sqlite3.DatabaseError as error:
        if not is_damage(connection, error):
            raise
        for row in _rows_left(connection, "run_id = ?", (run_id,)):
            return row
        raise
    return None


def run_rows(connection: sqlite3.Connection, where: str = "", values: tuple[Any, ...] = ()) -> list[Row]:
    """Return the rows that `where` lets through, in the order that it says."""
    return [_row(cells) for cells in connection.execute(f"SELECT {COLUMNS} FROM runs {where}", values)]  # noqa: S608


def listed(
    connection: sqlite3.Connection, where: str = "1", values: tuple[Any, ...] = (), *, newest: int | None = None
) -> Listed:
    """Return the rows that `where` lets through, oldest first, or the `newest` so many, newest first."""
    order = "" if newest is None else f" DESC LIMIT {newest}"
    try:
        return Listed(run_rows(connection, f"WHERE {where} ORDER BY number{order}", values))
    except sqlite3.DatabaseError as error:
        if not is_damage(connection, error):
            raise
        rows = list(_rows_left(connection, where, values))
        return Listed(rows if newest is None else rows[::-1][:newest], str(error))


def _rows_left(connection: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> Iterator[Row]:
    """Go through the rows, oldest first, whose pages are there."""
    for number in _numbers_left(connection):
        with suppress(sqlite3.DatabaseError):
            yield from run_rows(connection, f"NOT INDEXED WHERE number = ? AND {where}", (number, *values))


def _numbers_left(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of the rows that are left: up to the next page that is gone, then behind it, and so on."""
    found: list[int] = []
    place = 0
    whole = False
    while not whole:
        whole = True
        try:
            for (number,) in connection.execute("SELECT number FROM runs NOT INDEXED WHERE number > ?", (place,)):
                if number > place:  # a damaged page may lead back
                    place = number
                    found.append(number)
        except sqlite3.DatabaseError:
            behind = next((number for number in range(place + 1, place + _GAP) if _has(connection, number)), None)
            if behind is not None:
                whole, place = False, behind
                found.append(behind)
    return found


def _has(connection: sqlite3.Connection, number: int) -> bool:
    with suppress(sqlite3.DatabaseError):
        return connection.execute("SELECT 1 FROM runs WHERE number = ?", (number,)).fetchone() is not None
    return False


def _row(cells: tuple[Any, ...]) -> Row:
    """Return a row; where a cell is not of its type, it holds what stands for that."""
    row = Row(*cells)
    run_id, goal, status = (text if isinstance(text, str) else _NO_TEXT for text in cells[1:4])
    return row._replace(run_id=run_id, goal=goal, status=status, head=_number(row.head))


def _number(cell: object) -> int:
    return cell if isinstance(cell, int) else 0


def blocks_of(connection: sqlite3.Connection, run: Row) -> Iterator[Block]:
    """Go through the blocks of a run's events, up to its head where pages of their index are gone."""
    last = 0
    sql = f"SELECT {BLOCK}, payload FROM events {{}} WHERE run = ? AND seq > ?"  # noqa: S608
    try:
        for row in connection.execute(sql.format("") + " ORDER BY seq", (run.number, last)):
            yield row
            last = last_of(*row[:2])
    except sqlite3.DatabaseError as error:
        if not is_damage(connection, error):
            raise
        if last < run.head:  # they lie in their order without an index
            yield from connection.execute(sql.format("NOT INDEXED") + " LIMIT ?", (run.number, last, run.head - last))


def record_of(connection: sqlite3.Connection, row: Row) -> RunRecord:
    """Return what a row shows, and what of it cannot be read."""
    tags = tags_in(row.tags)
    told = Opening(row.goal, tags or {}, row.key, row.request)
    damage = "" if tags is not None else "its tags cannot be read"
    if tags is None or _NO_TEXT in f"{row.goal}{row.key}{row.request}":
        said = _first_event(connection, row)
        if said is not None and said != told:
            told, damage = said, damage or "it holds what is no text"
    if _NO_TEXT in row.run_id:
        damage = damage or "its id holds what is no text"
    goal, shown, key, request = told
    times = row.started or 0.0, row.updated or 0.0  # SQLite has null for what is no number
    return RunRecord(row.run_id, goal, row.status, *times, row.head, dict(shown), key, request, damage)


def _first_event(connection: sqlite3.Connection, row: Row) -> Opening | None:
    """Return what the run's first event says; None when it is not what was written."""
    sql = "SELECT header, payload FROM events WHERE run = ? AND seq = 1"
    try:
        found = connection.execute(sql, (row.number,)).fetchone()
    except sqlite3.DatabaseError as error:
        if not is_damage(connection, error):
            raise
        return None
    try:
        stored, payload = found
        header = unseal(stored)
        if header.previous != anchor(row.run_id).hash or not sound(header, payload):
            return None
        first = parts(header, payload)[0]
        return opening(CODEC.decode(header.types[0], header.versions[0], first, run_id=row.run_id, seq=1))
    except (TypeError, ValueError, JournalError):  # there is none, or it is compacted or damaged
        return None
