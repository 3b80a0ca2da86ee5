"""An exported journal as lines of JSON: what is written, and what is read back byte for byte.

1. The first line is `{"agentorch": "journal", "format": 1, ...}`. Each run is a line `{"run": {...}}`, the blobs that
   it names, `{"blob": sha256, "data": base64}`, and its events in order. The last line counts the runs.
2. An event's line is `{"header": hex, "event": {...}}`, its event the very bytes of the journal: the chain is over
   bytes, and a file that was formatted anew is refused. The event of a compacted run is null.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from agentorch.errors import JournalError

FORMAT: Final = 1
_EVENT: Final = (b'{"header":"', b'","event":', b"}")
_HEADER_DIGITS: Final = 4096
"""A header is shorter: its type is the name of a class."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """What the list of runs says of one run, and where its chain ends."""

    run_id: str
    goal: str
    status: str
    started: float
    updated: float
    head: int
    hash: str
    tags: dict[str, str]
    key: str | None
    request: str | None


class BlobLine(NamedTuple):
    """One large value."""

    sha256: str
    data: bytes


class EventLine(NamedTuple):
    """One event as it is stored."""

    header: bytes
    payload: bytes | None


class EndLine(NamedTuple):
    """The last line."""

    runs: int


Line = RunLine | BlobLine | EventLine | EndLine


def first_line(release: str) -> bytes:
    """Return the line that says what the file is."""
    return _json({"agentorch": "journal", "format": FORMAT, "release": release})


def written(line: Line) -> bytes:
    """Return a line as bytes, its end included."""
    match line:
        case EventLine():
            before, between, behind = _EVENT
            payload = b"null" if line.payload is None else line.payload
            return b"".join((before, line.header.hex().encode(), between, payload, behind, b"\n"))
        case BlobLine():
            return _json({"blob": line.sha256, "data": base64.b64encode(line.data).decode()})
        case RunLine():
            return _json({"run": {name: getattr(line, name) for name in RunLine.__slots__}})
        case EndLine():
            return _json({"end": {"runs": line.runs}})


def check_first_line(data: bytes) -> None:
    """Raise JournalError unless this begins an export that this release can read."""
    try:
        said = json.loads(data)
        format = said["format"] if said["agentorch"] == "journal" else None
    except (ValueError, KeyError, TypeError):
        format = None
    if not isinstance(format, int):
        raise JournalError("it is no exported journal: `agentorch journal export` writes one")
    if format > FORMAT:
        raise JournalError(f"it has format {format}, this agentorch knows {FORMAT}: upgrade agentorch")


def read(data: bytes) -> Line:
    """Return what a line says; ValueError when it is none of an export."""
    data = data.rstrip(b"\r\n")
    before, between, behind = _EVENT
    if data.startswith(before):
        middle = data.index(between, 0, len(before) + _HEADER_DIGITS)
        payload = data[middle + len(between) : -len(behind)]
        return EventLine(bytes.fromhex(data[len(before) : middle].decode()), None if payload == b"null" else payload)
    said: Any = json.loads(data)
    try:
        if "blob" in said:
            return BlobLine(said["blob"], base64.b64decode(said["data"], validate=True))
        if "run" in said:
            return RunLine(**said["run"])
        return EndLine(int(said["end"]["runs"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no line of an export: {error}") from None


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
