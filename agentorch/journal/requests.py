"""The rows of the inbox, one by one: a row that cannot be read is left alone, and keeps no other from being read."""

import json
import sqlite3
from typing import Final, NamedTuple, cast

from agentorch.ports.journal import Request

KINDS: Final = ("cancel", "answer")
"""What can be asked of a run."""


class RequestRow(NamedTuple):
    """One row as it is stored."""

    id: int
    run_id: str
    kind: str
    payload: str
    by: str
    at: float


def rows_after(connection: sqlite3.Connection, after: int = 0) -> list[RequestRow]:
    """Return the rows with `id > after`, in order."""
    sql = 'SELECT id, run_id, kind, payload, "by", at FROM requests WHERE id > ? ORDER BY id'
    return [RequestRow(*row) for row in connection.execute(sql, (after,))]


def read(row: RequestRow) -> Request:
    """Return the request that a row holds; ValueError in words when it is none."""
    try:
        payload: object = json.loads(row.payload)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"it cannot be read ({error}); ask again") from None
    if not isinstance(payload, dict):
        raise ValueError("it cannot be read (it is no object); ask again")  # noqa: TRY004  # a row is wrong, not a caller
    return Request(row.id, row.run_id, row.kind, cast("dict[str, object]", payload), row.by, row.at)


def wrong_with(row: RequestRow) -> str | None:
    """Return what is wrong with a row, in words."""
    try:
        read(row)
    except ValueError as error:
        return str(error)
    if row.kind not in KINDS:
        return f"nothing of the kind {row.kind!r} can be asked of a run"
    return None


def leave(connection: sqlite3.Connection, request: Request) -> int:
    """Write a request, whose id is not looked at; return the id that it has got."""
    row = (request.run_id, request.kind, json.dumps(request.payload), request.by, request.at)
    sql = 'INSERT INTO requests (run_id, kind, payload, "by", at) VALUES (?, ?, ?, ?, ?)'
    return connection.execute(sql, row).lastrowid or 0
