"""What crosses the boundary: frames of JSON, each after its length in four bytes.

1. Nothing but JSON crosses, read by pydantic into one of the types below. No code, no pickled object.
2. What goes wrong on one side is raised on the other as the same exception of the tree, with its words; any other
   exception arrives as `Elsewhere`, which knows what it was called. A group arrives as one of all that was in it.
"""

import asyncio
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, cast

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from agentorch import errors
from agentorch.core.failures import members_of
from agentorch.core.task import Task
from agentorch.core.values import whole_characters
from agentorch.isolation.place import Place
from agentorch.signatures import MalformedInput

LENGTH: Final = 4
"""Bytes that say how long a frame is."""
LONGEST: Final = 256 * 1024 * 1024
"""Bytes of one frame."""


class Elsewhere(Exception):
    """An exception that is none of agentorch's, raised in the other process; `name` is its type's."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name = name


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception, as JSON."""

    name: str
    words: str
    kind: str | None = None
    retry_after: float | None = None
    text: str = ""
    effect: str = ""
    members: list["Fault"] = field(default_factory=list["Fault"])
    """Those of an exception group, and of the groups in it."""


@dataclass(frozen=True, slots=True)
class Load:
    """To the child: load this agent, and say when it is there."""

    place: Place
    version: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the context of a dispatch tells without asking."""

    task: Task
    key: str
    run_id: str
    attempt: int
    deadline: float | None
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Begin:
    """To the child: do the work."""

    inputs: dict[str, Any]
    problems: list[str]
    memory: int | None
    facts: Facts


@dataclass(frozen=True, slots=True)
class Invoke:
    """To the child: call what an `Ask` has named, a tool or a step's function."""

    number: int
    callable: int
    arguments: Any
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an `Ask` or an `Invoke`, in either direction."""

    number: int
    value: Any = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """From the child: the agent is there, or why it is not."""

    fault: Fault | None = None


Method = Literal["budget", "converse", "judge", "use", "call", "step", "ask", "put_blob", "get_blob"]


@dataclass(frozen=True, slots=True)
class Ask:
    """From the child: a call of its context; `within` is the `Invoke` that it is made in, 0 the agent's body."""

    number: int
    method: Method
    arguments: dict[str, Any]
    within: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """From the child: a line of progress."""

    text: str
    within: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """From the child: what came of the work."""

    output: Any = None
    problems: list[str] = field(default_factory=list[str])
    """What the output breaks of its type."""
    fault: Fault | None = None


Frame = Load | Begin | Invoke | Reply | Loaded | Ask | Report | Ended
_KINDS: Final[dict[str, type[Frame]]] = {
    kind.__name__: kind for kind in (Load, Begin, Invoke, Reply, Loaded, Ask, Report, Ended)
}


def encode(frame: Frame) -> bytes:
    """Return the bytes of a frame, its length in front; ValueError when it is too long or no JSON."""
    kind = type(frame).__name__
    fields = {"type": kind, "frame": _type(kind).dump_python(frame, mode="json")}
    try:
        body = to_json(fields)
    except ValueError:  # lone surrogates pass through the json module alone
        body = json.dumps(fields, separators=(",", ":")).encode("ascii")
    if len(body) > LONGEST:
        raise ValueError(f"{len(body):,} bytes at once; an isolated agent may exchange {LONGEST:,}")
    return len(body).to_bytes(LENGTH, "big") + body


def decode(body: bytes) -> Frame:
    """Return the frame in `body`; ValueError when it is none."""
    try:
        fields = from_json(body)
    except ValueError:
        fields = json.loads(body)
    if fields["type"] not in _KINDS:
        raise ValueError(f"unknown frame {fields['type']!r:.40}")
    return _type(fields["type"]).validate_python(fields["frame"])


@cache
def _type(kind: str) -> TypeAdapter[Frame]:
    """Return what reads and writes frames of a kind: built when the first one crosses, for most programs have none."""
    return TypeAdapter(_KINDS[kind])


async def receive(reader: asyncio.StreamReader) -> Frame | None:
    """Return the next frame; None when the other side is gone. ValueError for what is none of ours."""
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH), "big")
        if length > LONGEST:
            raise ValueError(f"a frame of {length:,} bytes; at most {LONGEST:,} are read")
        return decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, OSError):
        return None


def fault_of(error: BaseException) -> Fault:
    """Return an exception as JSON, whatever its words hold."""
    if isinstance(error, BaseExceptionGroup):
        several = cast("BaseExceptionGroup[Any]", error)
        members = [fault_of(one) for one in members_of(several)]
        return Fault("BaseExceptionGroup", whole_characters(several.message), members=members)
    name = error.name if isinstance(error, Elsewhere) else type(error).__name__
    try:
        words = str(error)
    except Exception:  # noqa: BLE001  # its words are the agent's code too
        words = ""
    known = next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _KNOWN), name)
    return Fault(
        whole_characters(known),
        whole_characters(words),
        kind=str(error.kind) if isinstance(error, errors.ModelError) else None,
        retry_after=error.retry_after if isinstance(error, errors.ModelError | errors.TransientError) else None,
        text=whole_characters(error.text) if isinstance(error, errors.MalformedOutput) else "",
        effect=(error.effect or "") if isinstance(error, errors.EffectUnknown | errors.EffectNotDone) else "",
    )


def raised(fault: Fault) -> BaseException:
    """Return the exception that a fault tells of."""
    if fault.members:
        return BaseExceptionGroup(fault.words, [raised(member) for member in fault.members])
    match fault.name:
        case "CancelledError":
            return asyncio.CancelledError(fault.words)
        case "TransientError":
            return errors.TransientError(fault.words, retry_after=fault.retry_after)
        case "EffectUnknown":
            return errors.EffectUnknown(fault.words, effect=fault.effect)
        case "EffectNotDone":
            error = errors.EffectNotDone(fault.words)
            error.effect = fault.effect or None
            return error
        case "MalformedOutput":
            return errors.MalformedOutput(fault.words, text=fault.text)
        case "ModelError":
            kind = errors.FailureKind(fault.kind or errors.FailureKind.PERMANENT)
            return errors.ModelError(fault.words, kind=kind, retry_after=fault.retry_after)
        case _:
            known = _KNOWN.get(fault.name)
            return known(fault.words) if known is not None else Elsewhere(fault.name, fault.words)


_KNOWN: Final[dict[str, Any]] = {
    kind.__name__: kind
    for kind in (
        asyncio.CancelledError,
        errors.TransientError,
        errors.PermanentError,
        errors.BudgetExceeded,
        errors.EffectNotDone,
        errors.EffectUnknown,
        errors.ModelRefusal,
        errors.ModelTimeout,
        errors.MalformedOutput,
        errors.ModelError,
        errors.FileAccessError,
        errors.ConfigurationError,
        MalformedInput,
        MemoryError,
    )
}
"""What is raised on the other side as what it is."""
