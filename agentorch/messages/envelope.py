"""The envelope: CloudEvents attribute names around one payload."""

import json
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, Final, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json, to_jsonable_python
from typing_extensions import TypedDict

from agentorch.core.values import in_line
from agentorch.errors import BusError
from agentorch.messages.work import Payload, Result, TextDelta, Withdrawal, Work

TYPES: dict[str, TypeAdapter[Payload]] = {
    kind.__name__: TypeAdapter(kind) for kind in (Work, Result, Withdrawal, TextDelta)
}


@dataclass(slots=True)  # not frozen: that triples the cost, and each task makes one
class Envelope:
    """One message on the bus.

    In process the payload is handed over as the object that it is; `encode` and `decode` are what crosses a wire.
    """

    subject: str
    """Where it goes: `task.<agent>.<priority>`, `outcome.<owner>`."""
    data: Payload
    id: str = ""
    """Unique per message; a dispatch's is its key."""
    source: str = ""
    """Who sent it; a worker answers to `outcome.<source>`."""
    time: float = 0.0
    """Seconds since the epoch."""
    deadline: float | None = None
    """When the receiver may drop it, in seconds since the epoch."""
    traceparent: str | None = None
    """W3C trace context."""


def encode(envelope: Envelope) -> bytes:
    """Return the envelope as JSON bytes, its payload's type in `type`; BusError for what has no JSON."""
    kind = type(envelope.data).__name__
    head = {
        "specversion": "1.0",
        "type": kind,
        "id": envelope.id,
        "source": envelope.source,
        "subject": envelope.subject,
        "time": envelope.time,
        "deadline": envelope.deadline,
        "traceparent": envelope.traceparent,
    }
    try:
        return to_json(head)[:-1] + b',"data":' + TYPES[kind].dump_json(envelope.data) + b"}"
    except (ValueError, RecursionError):
        return _encode_slowly(head, envelope.data)


def decode(data: bytes) -> Envelope:
    """Return the envelope in `data`; BusError when it is none of ours."""
    try:
        given = _json(data)
        name: Any = cast("dict[str, Any]", given).get("type") if isinstance(given, dict) else None
        kind = TYPES.get(name) if isinstance(name, str) else None
        if kind is None:
            raise BusError(f"unknown envelope type in {given!r:.80}; this release knows {', '.join(TYPES)}")
        fields = _HEAD.validate_python(given)
        payload = kind.validate_python(fields["data"])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BusError(f"no envelope: {in_line(place, 80)}: {first['msg'][:200]}; {_REMEDY}") from None
    except (ValueError, RecursionError) as error:
        raise BusError(f"no envelope: {error}; {_REMEDY}") from None
    return Envelope(
        subject=fields["subject"],
        data=payload,
        id=fields["id"],
        source=fields["source"],
        time=fields["time"],
        deadline=fields["deadline"],
        traceparent=fields["traceparent"],
    )


_REMEDY: Final = "what sends here is no agentorch of this release"


class _Head(TypedDict):
    type: str
    id: str
    source: str
    subject: str
    time: float
    deadline: float | None
    traceparent: str | None
    data: Any


_HEAD: Final = TypeAdapter(_Head)


def _encode_slowly(head: dict[str, Any], payload: Payload) -> bytes:
    """Lone surrogates and deep nesting pass through the json module alone."""
    try:
        return json.dumps({**head, "data": payload}, default=_plain, separators=(",", ":")).encode("ascii")
    except (ValueError, TypeError, RecursionError) as error:
        raise BusError(f"the envelope {head['id']!r:.80} has no JSON: {error}") from None


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclass_fields(value)}
    return to_jsonable_python(value)


def _json(data: bytes) -> Any:
    try:
        return from_json(data)
    except ValueError:
        return json.loads(data)
