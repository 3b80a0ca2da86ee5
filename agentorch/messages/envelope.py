"""The envelope: CloudEvents attribute names around one payload."""

from dataclasses import dataclass

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

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
    """Return the envelope as JSON bytes, its payload's type in `type`."""
    kind = type(envelope.data).__name__
    body = TYPES[kind].dump_json(envelope.data)
    head = to_json(
        {
            "specversion": "1.0",
            "type": kind,
            "id": envelope.id,
            "source": envelope.source,
            "subject": envelope.subject,
            "time": envelope.time,
            "deadline": envelope.deadline,
            "traceparent": envelope.traceparent,
        }
    )
    return head[:-1] + b',"data":' + body + b"}"


def decode(data: bytes) -> Envelope:
    """Return the envelope in `data`; ValueError when it is none of ours."""
    fields = from_json(data)
    kind = TYPES.get(fields.get("type", ""))
    if kind is None:
        raise ValueError(f"unknown envelope type {fields.get('type')!r}; this release knows {', '.join(TYPES)}")
    return Envelope(
        subject=fields["subject"],
        data=kind.validate_python(fields["data"]),
        id=fields["id"],
        source=fields["source"],
        time=fields["time"],
        deadline=fields["deadline"],
        traceparent=fields["traceparent"],
    )
