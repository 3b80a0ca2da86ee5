"""An exported journal as lines of JSON: what is written, and what is read back byte for byte.

1. The first line is `{"agentorch": "journal", "format": 1, ...}`. Each run is a line `{"run": {...}}`, the blobs that
   it names, `{"blob": sha256, "data": base64}`, its events in order, and what is asked of it, `{"request": {...}}`. The
   last line counts the runs.
2. The line of a block is `{"header": hex, "events": [{...}, ...]}`, its events the very bytes of the journal: the chain
   is over bytes, and a file that was formatted anew is refused. The events of a compacted run are null. In format 1 a
   line had one event, `"event": {...}`.
3. Nothing that is read is trusted: each value has its type, or the line is refused in words.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, NamedTuple, cast

from agentorch.errors import JournalError
from agentorch.journal.records import tags_in

FORMAT: Final = 2
_BEGIN: Final = b'{"header":"'
_EVENTS: Final = (b'","events":[', b"]}")
_ONE: Final = (b'","event":', b"}")
_NONE: Final = b'","events":null}'
_LAST_PLACE: Final = 2**63 - 1
_HEX: Final = re.compile(rb"(?:[0-9a-f]{2})+")
_HASH_DIGITS: Final = 64
_Allows = Callable[[object], bool]
_SHOWN: Final = 60
"""Bytes of a line that stand in a message."""
_HEADER_DIGITS: Final = 16_384
"""A header is shorter: of 64 events, whose types are names of classes."""


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
    live: bool = False
    """Whether somebody was carrying it out when it was exported: the file has a copy, and the run goes on elsewhere."""


class BlobLine(NamedTuple):
    """One large value."""

    sha256: str
    data: bytes


class BlockLine(NamedTuple):
    """One block of events as it is stored."""

    header: bytes
    payload: bytes | None


class RequestLine(NamedTuple):
    """What was asked of the run, and not carried out yet."""

    kind: str
    payload: dict[str, Any]
    by: str
    at: float


class EndLine(NamedTuple):
    """The last line."""

    runs: int


Line = RunLine | BlobLine | BlockLine | RequestLine | EndLine


def first_line(release: str) -> bytes:
    """Return the line that says what the file is."""
    return _json({"agentorch": "journal", "format": FORMAT, "release": release})


def written(line: Line) -> bytes:
    """Return a line as bytes, its end included."""
    match line:
        case BlockLine():
            between, behind = _EVENTS
            rest = _NONE if line.payload is None else b"".join((between, line.payload, behind))
            return b"".join((_BEGIN, line.header.hex().encode(), rest, b"\n"))
        case BlobLine():
            return _json({"blob": line.sha256, "data": base64.b64encode(line.data).decode()})
        case RunLine():
            return _json({"run": {name: getattr(line, name) for name in RunLine.__slots__}})
        case RequestLine():
            return _json({"request": line._asdict()})
        case EndLine():
            return _json({"end": {"runs": line.runs}})


def check_first_line(data: bytes) -> None:
    """Raise JournalError unless this begins an export that this release can read."""
    try:
        said = json.loads(data)
        format = said["format"] if said["agentorch"] == "journal" else None
    except (ValueError, KeyError, TypeError, RecursionError):
        format = None
    if type(format) is not int or format < 1:
        raise JournalError("it is no exported journal: `agentorch journal export` writes one")
    if format > FORMAT:
        raise JournalError(f"it has format {format}, this agentorch knows {FORMAT}: upgrade agentorch")


def read(data: bytes) -> Line:
    """Return what a line says; ValueError in words when it is none of an export."""
    data = data.rstrip(b"\r\n")
    if data.startswith(_BEGIN):
        return _block(data)
    try:
        said: Any = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError(f"it is no JSON, or nested without end: {_shown(data)}") from None
    if isinstance(said, dict):
        line = cast("dict[str, Any]", said)
        match [*line]:
            case ["blob", "data"]:
                return _blob(line)
            case ["run"]:
                return RunLine(**_fields(line["run"], "run", _OF_RUN, {"live": False}))
            case ["request"]:
                return RequestLine(**_fields(line["request"], "request", _OF_REQUEST))
            case ["end"]:
                return EndLine(**_fields(line["end"], "end", {"runs": _is_count}))
            case _:
                pass
    raise ValueError(f"it is no line of an export: {_shown(data)}")


def _block(data: bytes) -> BlockLine:
    middle = data.find(b'"', len(_BEGIN), len(_BEGIN) + _HEADER_DIGITS)
    digits = data[len(_BEGIN) : middle]
    if middle < 0 or not _HEX.fullmatch(digits):
        raise ValueError(f"its events are not as they were written: {_shown(data)}")
    return BlockLine(bytes.fromhex(digits.decode()), _payload(data[middle:], data))


def _payload(rest: bytes, data: bytes) -> bytes | None:
    if rest == _NONE:
        return None
    for between, behind in (_EVENTS, _ONE):
        if rest.startswith(between) and rest.endswith(behind):
            payload = rest[len(between) : -len(behind)]
            return None if payload == b"null" else payload
    raise ValueError(f"its events are not as they were written: {_shown(data)}")


def _blob(line: dict[str, Any]) -> BlobLine:
    name, text = line["blob"], line["data"]
    if not _is_hash(name):
        raise ValueError(f"its blob is {name!r:.80}, which is no SHA-256")
    try:
        return BlobLine(name, base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise ValueError(f"the data of its blob {name} is no base64: {text!r:.40}") from None


def _fields(said: object, what: str, wanted: Mapping[str, _Allows], usual: Mapping[str, Any] | None = None) -> Any:
    """Return the fields of a line, which are all there, no more, and of their types."""
    if not isinstance(said, dict):
        raise ValueError(f"its {what} is {said!r:.80}, which is no object")  # noqa: TRY004  # a line is wrong, not a caller
    given = {**(usual or {}), **cast("dict[str, Any]", said)}
    for name in [*wanted, *given]:
        if name not in given:
            raise ValueError(f"its {what} lacks {name!r}")
        if name not in wanted:
            raise ValueError(f"its {what} has {name!r:.80}, which this release does not know")
        if not wanted[name](given[name]):
            raise ValueError(f"its {what} has the {name} {given[name]!r:.80}, which cannot be")
    return given


def _is_text(value: object) -> bool:
    try:
        str(value).encode()
    except UnicodeEncodeError:  # half of a character, which no table takes
        return False
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return bool(value) and _is_text(value)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _may_be_text(value: object) -> bool:
    return value is None or _is_text(value)


def _is_time(value: object) -> bool:
    try:
        return type(value) in {int, float} and isfinite(cast("float", value))
    except OverflowError:
        return False


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_place(value: object) -> bool:
    return type(value) is int and 1 <= value <= _LAST_PLACE


def _is_hash(value: object) -> bool:
    return (
        isinstance(value, str) and len(value) == _HASH_DIGITS and bool(_HEX.fullmatch(value.encode("utf-8", "replace")))
    )


def _are_tags(value: object) -> bool:
    return not isinstance(value, str) and tags_in(value) is not None


_OF_RUN: Final[Mapping[str, _Allows]] = {
    "run_id": _is_name,
    "goal": _is_text,
    "status": _is_name,
    "started": _is_time,
    "updated": _is_time,
    "head": _is_place,
    "hash": _is_hash,
    "tags": _are_tags,
    "key": _may_be_text,
    "request": _may_be_text,
    "live": _is_bool,
}
_OF_REQUEST: Final[Mapping[str, _Allows]] = {
    "kind": _is_name,
    "payload": _is_object,
    "by": _is_text,
    "at": _is_time,
}


def _shown(data: bytes) -> str:
    """Return the beginning of a line as it may stand in a message."""
    return repr(data[:_SHOWN].decode("utf-8", "replace")) + ("..." if len(data) > _SHOWN else "")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
