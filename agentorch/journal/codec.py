"""Events as bytes: JSON that comes back equal, by type and version.

1. Every field is written out, defaults too: a later release may change a default, never what a journal says.
2. Nothing is written that cannot be read back: what the fast way cannot hold goes the slow one, and is tried first.
3. An older version is lifted by pure functions from field names and values to field names and values; what a newer
   release wrote is refused in one line.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from operator import is_
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from agentorch.core.events import AnyEvent, Event, PlanCompleted, RunStarted, TasksAccepted
from agentorch.core.policy import Policy
from agentorch.core.values import SHORT, in_line, reads_back
from agentorch.errors import JournalDamaged, JournalError, JournalVersionError

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""From the fields of one version of an event type to those of the next."""


@cache
def event_types() -> Mapping[str, type[Event]]:
    """Return every event class by its name."""
    union = get_args(AnyEvent)[0]
    return {model.__name__: model for model in get_args(union)}


@dataclass(frozen=True)
class Codec:
    """What this release can read."""

    models: Mapping[str, type[Event]] = field(default_factory=event_types)
    """Event classes by name."""
    upcasters: Mapping[tuple[str, int], Upcaster] = field(default_factory=dict[tuple[str, int], Upcaster])
    """By type and the version that they lift to the next."""

    def decode(self, type: str, version: int, payload: bytes, *, run_id: str, seq: int) -> Event:
        """Return the event of `payload`; JournalVersionError when it is newer than this release knows."""
        model = self.models.get(type)
        if model is None:
            raise JournalVersionError(f"run {run_id}, seq {seq}: unknown event type {type!r}: upgrade agentorch")
        if version > model.version:
            raise JournalVersionError(
                f"run {run_id}, seq {seq}: {type} has version {version}, this agentorch knows {model.version}: "
                "upgrade agentorch"
            )
        if version < 1:
            raise JournalDamaged(f"run {run_id}, seq {seq}: {type} has version {version}: the first is 1")
        try:
            if version == model.version:
                return _read(model, payload)
            return model.model_validate(self._lifted(type, version, model.version, json.loads(payload)))
        except (ValueError, RecursionError) as error:
            raise JournalDamaged(
                f"run {run_id}, seq {seq}: the bytes of {type} cannot be read: {_why(error)}"
            ) from None

    def decode_all(
        self, types: Sequence[str], versions: Sequence[int], payloads: Sequence[bytes], *, run_id: str, seq: int
    ) -> list[Event]:
        """Return the events of these payloads, the first of which has the number `seq`."""
        found: list[Event] = []
        models = self.models
        for kind, version, payload in zip(types, versions, payloads, strict=True):
            model = models.get(kind)
            if model is not None and version == model.version:
                try:
                    found.append(model.__pydantic_validator__.validate_json(payload))  # as nearly always
                    continue
                except ValidationError:
                    pass
            found.append(self.decode(kind, version, payload, run_id=run_id, seq=seq + len(found)))
        return found

    def _lifted(self, type: str, version: int, current: int, values: dict[str, Any]) -> dict[str, Any]:
        for step in range(version, current):
            values = self.upcasters[type, step](values)
        return values


CODEC: Final = Codec()
"""The codec of this release; no event type has had a second version yet."""

_SAID_AGAIN: Final = frozenset({RunStarted, TasksAccepted, PlanCompleted})
"""With these every run begins, and each of one plan says the same."""


def encode(event: Event) -> bytes:
    """Return `event` as JSON bytes; JournalError when it holds what is not a JSON value."""
    return encode_all((event,))[0]


def encode_all(events: Iterable[Event]) -> list[bytes]:
    """Return each event as JSON bytes; JournalError when one holds what is not a JSON value."""
    payloads: list[bytes] = []
    for event in events:
        # The serializer itself: `model_dump_json` takes twice as long.
        try:
            payload = _WRITE[type(event)](event)
        except (ValueError, RecursionError):
            payload = _encode_slowly(event)
        else:
            if (len(payload) > SHORT or not payload.isascii()) and not reads_back(payload):  # few are looked through
                payload = _encode_slowly(event)
        payloads.append(payload)
    return payloads


class _Again:
    """Writes events of a type of which many say the same of their runs: what all of these say is written once.

    They say the same when their values are the same objects: what was said in an event is never changed.
    """

    def __init__(self, write: Callable[[Event], bytes]) -> None:
        self._write = write
        self._said: tuple[Any, ...] = ()
        """The values of the last one that was written whole, but for its place."""
        self._rest = b""
        """How these were written."""

    def __call__(self, event: Event) -> bytes:
        """Return the event as JSON bytes."""
        seq, at, run_id, *said = event.__dict__.values()
        head = to_json({"seq": seq, "at": at, "run_id": run_id})[:-1]
        if self._said and all(map(is_, said, self._said)):
            return head + self._rest
        payload = self._write(event)
        if payload.startswith(head):
            self._said, self._rest = tuple(said), payload[len(head) :]
        return payload


class _Writers(dict[type[Event], Callable[[Event], bytes]]):
    """What writes each type, looked up once."""

    def __missing__(self, kind: type[Event]) -> Callable[[Event], bytes]:
        write = kind.__pydantic_serializer__.to_json
        self[kind] = found = _Again(write) if kind in _SAID_AGAIN else write
        return found


_WRITE: Final = _Writers()


def _encode_slowly(event: Event) -> bytes:
    """Lone surrogates and deep nesting pass through the json module alone."""
    try:
        values = {name: getattr(event, name) for name in type(event).model_fields}
        payload = json.dumps(values, default=_plain, separators=(",", ":")).encode("ascii")
        _read(type(event), payload)
    except (ValueError, TypeError, RecursionError) as error:
        raise JournalError(f"{event.type} {event.seq} of run {event.run_id} cannot be stored: {_why(error)}") from None
    return payload


def _plain(value: Any) -> Any:
    if isinstance(value, Policy):
        return value.model_dump()
    if isinstance(value, BaseModel):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    raise TypeError(f"{type(value).__name__} is not a JSON value: {value!r:.80}")


def _read(model: type[Event], payload: bytes) -> Event:
    try:
        return model.__pydantic_validator__.validate_json(payload)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] != "json_invalid":
            raise
    return model.model_validate(json.loads(payload))


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = in_line(".".join(str(part) for part in first["loc"]), 80)
        return f"{place}: {first['msg']}" if place else first["msg"]
    return " ".join(str(error).split()) or type(error).__name__
