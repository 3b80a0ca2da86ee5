"""One cell of a journal's tables damaged at a time, by one flipped bit."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

TABLES = ("runs", "events", "blobs", "requests")
_NAMES = {
    "runs": "run_id",
    "events": "(SELECT run_id FROM runs WHERE number = run)",
    "requests": "run_id",
    "blobs": "''",
}
_INTEGER_BITS = (1, 1 << 40)
_FLOAT_BITS = (1 << 30, 1 << 60)
_TEXT_PLACES = ((0, 0x80), (0.5, 0x01))
"""Parts of the way through, and the bit that is flipped there."""
_BYTES_PLACES = (*_TEXT_PLACES, *((eighth / 8, 1 << eighth - 1) for eighth in (1, 2, 3, 5, 6, 7, 8)))


class Flip(NamedTuple):
    """One flipped bit."""

    table: str
    row: int
    column: str
    before: object
    after: object
    run_id: str
    """The run that the row belongs to; "" when it is none's alone."""

    def __str__(self) -> str:
        return f"{self.table}.{self.column} of row {self.row}: {self.before!r:.60} -> {self.after!r:.60}"


def flips(path: Path, table: str) -> Iterator[Flip]:
    """Go through the flips of every cell of a table that is not null."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(f"SELECT {_NAMES[table]}, rowid, * FROM {table}")
        columns = [described[0] for described in rows.description][2:]
        for run_id, row, *values in rows.fetchall():
            for column, value in zip(columns, values, strict=True):
                for after in _flipped(value):
                    yield Flip(table, row, column, value, after, run_id)


def flip(path: Path, damage: Flip) -> bool:
    """Damage the closed file so; return whether the tables let that happen."""
    kind = " AS TEXT" if isinstance(damage.before, str) else ""
    value = f"CAST(?{kind})" if kind else "?"
    with closing(sqlite3.connect(path)) as connection, connection:
        sql = f'UPDATE {damage.table} SET "{damage.column}" = {value} WHERE rowid = ?'
        try:
            connection.execute(sql, (damage.after, damage.row))
        except sqlite3.IntegrityError:  # the number of another row
            return False
    return True


def _flipped(value: Any) -> Iterator[object]:
    if isinstance(value, int):
        yield from (value ^ bit for bit in _INTEGER_BITS)
    elif isinstance(value, float):
        (bits,) = struct.unpack(">Q", struct.pack(">d", value))
        yield from (struct.unpack(">d", struct.pack(">Q", bits ^ bit))[0] for bit in _FLOAT_BITS)
    elif value:
        data = value.encode() if isinstance(value, str) else value
        places = _BYTES_PLACES if isinstance(value, bytes) else _TEXT_PLACES
        for part, bit in places:
            place = int(part * (len(data) - 1))
            changed = bytearray(data)
            changed[place] ^= bit
            yield bytes(changed)
