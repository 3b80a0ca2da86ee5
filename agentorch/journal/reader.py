"""Reading an SQLite journal: its own connection, which cannot write, in its own thread, by short transactions.

What is read is checked against the chain every time: a flipped bit or a lost row is named, never passed on.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TypeVar

from agentorch.core.events import Event, RunFinished
from agentorch.errors import JournalError
from agentorch.journal.chain import (
    Header,
    Link,
    Row,
    Sealed,
    anchor,
    compacted,
    damaged,
    last_of,
    parts,
    types_of,
    unseal,
    walk,
)
from agentorch.journal.codec import CODEC
from agentorch.journal.records import BLOCK, listed, record_of, row_of, run_rows
from agentorch.journal.schema import FAULTS, in_words, is_damage, open_reader, undo
from agentorch.journal.waiting import to_the_end
from agentorch.ports.journal import RunRecord

T = TypeVar("T")

_HAS_TAG: Final = """EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(tags) THEN tags ELSE '{}' END) AS tag
    WHERE tag.key = ? AND tag.value = ?)"""
_NO_SEQ: Final = 1 << 62
"""No run has so many events."""
_BLOCKS: Final = f"SELECT {BLOCK}, payload FROM events {{}} WHERE run = ? AND seq BETWEEN ? AND ?"  # noqa: S608
_BEGUN: Final = f"SELECT {BLOCK} FROM events {{}} WHERE run = ? AND seq BETWEEN 1 AND ?"  # noqa: S608


class Reader:
    """Owner of the connection that reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def open(self, connect: Callable[[Path], sqlite3.Connection] = open_reader) -> None:
        """Open the file, which must be there, for reading, by `connect`."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="agentorch-journal-reader")
        try:
            await self._call(self._connect, connect)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Wait for what is being read, then let go of the file; no cancellation cuts this short."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            await to_the_end(asyncio.get_running_loop().run_in_executor(thread, self._release))
        finally:
            thread.shutdown()

    async def run(self, call: Callable[..., T], *args: Any) -> T:
        """Return `call(connection, *args)`, made in the thread inside one transaction."""
        return await self._call(self._in_transaction, call, args)

    def _connect(self, connect: Callable[[Path], sqlite3.Connection]) -> None:
        self._connection = connect(self._path)

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _in_transaction(self, call: Callable[..., T], args: Sequence[Any]) -> T:
        connection = self._connection
        if connection is None:
            raise JournalError(f"journal {self._path} is not open")
        connection.execute("BEGIN")
        try:
            return call(connection, *args)
        finally:
            undo(connection)  # nothing was written, and a COMMIT fails in a damaged file

    async def _call(self, call: Callable[..., T], *args: Any) -> T:
        if self._thread is None:
            raise JournalError(f"journal {self._path} is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)
        except FAULTS as error:
            raise in_words(self._path, error) from None


def events(connection: sqlite3.Connection, run_id: str, after: int, limit: int) -> list[Event]:
    """Return up to `limit` events of a run behind `after`, checked."""
    found: list[Event] = []
    for block in checked(connection, run_id, after, limit):
        found += _decoded(run_id, *block, *_asked(after, limit))
    return found


def _asked(after: int, limit: int) -> tuple[int, int]:
    """Return the numbers behind which, and up to which, events are asked for."""
    after = max(after, 0)
    return after, min(after + max(limit, 0), _NO_SEQ)


def _decoded(run_id: str, header: Header, payload: bytes, after: int, until: int) -> list[Event]:
    first = header.seq
    wanted = slice(max(0, after + 1 - first), max(0, until + 1 - first))
    each = header.types[wanted], header.versions[wanted], parts(header, payload)[wanted]
    return CODEC.decode_all(*each, run_id=run_id, seq=first + wanted.start)


def checked(connection: sqlite3.Connection, run_id: str, after: int, limit: int) -> list[Sealed]:
    """Return the blocks that have the `limit` events behind `after`.

    JournalDamaged when these do not follow from one another.
    """
    found = row_of(connection, run_id)
    if found is not None and found.head < 1:
        raise damaged(run_id, 1, f"the list of runs has {found.head} as the number of its last event")
    if found is None or after >= found.head:
        return []
    number, head = found.number, found.end
    after, until = _asked(after, limit)
    before = anchor(run_id) if after == 0 else _place(connection, run_id, number, after + 1)
    stored = _rows(connection, run_id, number, before.seq, until)
    if stored and stored[-1][0] > head.seq > before.seq:
        stored = _without_strays(stored, head)
    if stored and stored[0][2] is None and _is_compacted(connection, number, stored[0][0]):
        raise compacted(run_id)
    sealed, end = walk(run_id, stored, start=before, until=until)
    _check_end(run_id, end, head, until)
    return sealed


def _rows(connection: sqlite3.Connection, run_id: str, number: int, after: int, until: int) -> list[Row]:
    """Return the blocks that begin behind `after`, up to the one that has the event `until`.

    JournalDamaged names the first whose bytes the file does not give.
    """
    asked = (number, after + 1, until)
    rows: list[Row] = []
    try:
        rows.extend(connection.execute(_BLOCKS.format("") + " ORDER BY seq", asked))
    except sqlite3.DatabaseError as error:
        if not is_damage(connection, error):
            raise
        others: list[Row] = []
        with suppress(sqlite3.DatabaseError):  # the index may be what is gone; blocks lie in their order without it
            others.extend(connection.execute(_BLOCKS.format("NOT INDEXED"), asked))
        rows = max(rows, sorted(others, key=itemgetter(0)), key=len)
        last = last_of(*rows[-1][:2]) if rows else after
        if last < until:
            raise damaged(run_id, last + 1, f"its bytes cannot be read ({error})") from None
    return rows


def _without_strays(stored: list[Row], head: Link) -> list[Row]:
    """Return the rows up to the last event: what lies behind it, if that is sound, is another run's that got astray."""
    known = [row for row in stored if row[0] <= head.seq]
    return known if known and sha256(known[-1][1]).digest() == head.hash else stored


def _is_compacted(connection: sqlite3.Connection, number: int, seq: int) -> bool:
    """Whether the payloads were dropped on purpose: all from the first on, of a run that had finished."""
    over = False
    sql = "SELECT seq, header, payload IS NULL FROM events WHERE run = ? ORDER BY seq"
    for first, header, dropped in connection.execute(sql, (number,)):
        if not dropped and first <= seq:
            return False
        over = over or (dropped and RunFinished.__name__ in types_of(header))
    return over


def _place(connection: sqlite3.Connection, run_id: str, number: int, seq: int) -> Link:
    """Return where the chain stands before the block that has the event `seq`.

    JournalDamaged when the block in front does not lead there.
    """
    begun = _begun(connection, number, seq)
    if not begun[1:]:  # it is the first, or the first is missing
        return anchor(run_id)
    (first, stored), (behind, _) = begun[-2:]
    try:
        header = unseal(stored)
    except ValueError as error:
        raise damaged(run_id, first, str(error)) from None
    if header.seq != first:
        raise damaged(run_id, first, "its header is of another place")
    if header.last >= behind:
        raise damaged(run_id, behind, "it is stored twice")
    return Link(header.last, sha256(stored).digest())


def _begun(connection: sqlite3.Connection, number: int, seq: int) -> list[tuple[int, bytes]]:
    """Return the last two blocks that begin at `seq` or before, in their order."""
    asked = (number, seq)
    try:
        return connection.execute(_BEGUN.format("") + " ORDER BY seq DESC LIMIT 2", asked).fetchall()[::-1]
    except sqlite3.DatabaseError as error:
        if not is_damage(connection, error):
            raise
    found: list[tuple[int, bytes]] = []
    with suppress(sqlite3.DatabaseError):  # as in `_rows`
        found.extend(connection.execute(_BEGUN.format("NOT INDEXED"), asked))
    return sorted(found)[-2:]


def _check_end(run_id: str, end: Link, head: Link, until: int) -> None:
    """The run's head was committed with its last event: what is short of it, or beyond it, is damage.

    What was asked for up to `until` is given where it stands before that.
    """
    if end.seq < min(until, head.seq):
        raise damaged(run_id, end.seq + 1, f"it is missing; the run went up to {head.seq}")
    reached = min(end.seq, until)
    if reached > head.seq or (reached == head.seq and end != head):
        raise damaged(run_id, min(reached, head.seq + 1), "it is not the last event that was acknowledged")


def runs(
    connection: sqlite3.Connection, status: str | None, tags: dict[str, str], before: int, limit: int
) -> tuple[list[tuple[int, RunRecord]], str]:
    """Return up to `limit` runs that were started before the one of that number, newest first, with their numbers.

    Behind them stands what SQLite said where rows could not be read.
    """
    where = ["number < ?"]
    values: list[Any] = [before]
    if status is not None:
        where.append("status = ?")
        values.append(status)
    for name, value in tags.items():
        where.append(_HAS_TAG)
        values += [name, value]
    found = listed(connection, " AND ".join(where), tuple(values), newest=limit)
    return [(row.number, record_of(connection, row)) for row in found.rows], found.lost


def by_id(connection: sqlite3.Connection, run_id: str) -> RunRecord | None:
    """Return the record of one run."""
    row = row_of(connection, run_id)
    return None if row is None else record_of(connection, row)


def by_key(connection: sqlite3.Connection, key: str) -> RunRecord | None:
    """Return the record of the run that was started under `key`."""
    found = run_rows(connection, "WHERE key = ?", (key,))
    return record_of(connection, found[0]) if found else None
