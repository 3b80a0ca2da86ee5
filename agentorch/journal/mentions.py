"""Which blobs events name: exactly, for what must be there; generously, for what must not be thrown away."""

import re
from collections.abc import Iterator
from typing import Any, Final, cast

from agentorch.core.events import Event, InputTrimmed, PlanPatched, TasksAccepted
from agentorch.core.task import Task
from agentorch.core.values import BLOB_KEY, is_blob_ref

_SHA256: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_PLANNED: Final = (TasksAccepted, PlanPatched)
"""What is written into a plan is never followed, whatever it looks like."""


def mentioned(payload: bytes) -> set[str]:
    """Return every SHA-256 that stands in an event's bytes, whatever it may be of."""
    return {found.decode() for found in _SHA256.findall(payload)}


def needed(event: Event) -> Iterator[str]:
    """Go through the blobs without which the values of `event` cannot be read."""
    if isinstance(event, InputTrimmed):
        yield event.blob
    elif not isinstance(event, _PLANNED):
        for value in vars(event).values():
            if isinstance(value, dict | list | Task):
                yield from _in(value)


def _in(whole: Any) -> Iterator[str]:
    """Go through the references in a JSON value, or in what a delegated task was given; without recursion."""
    stack = [whole]
    while stack:
        value = stack.pop()
        if isinstance(value, Task):
            stack.append(value.inputs)
        elif is_blob_ref(value):
            reference: Any = value[BLOB_KEY]
            if isinstance(reference, dict) and isinstance(name := cast("dict[str, Any]", reference).get("sha256"), str):
                yield name
        elif isinstance(value, dict):
            stack.extend(cast("dict[str, Any]", value).values())
        elif isinstance(value, list):
            stack.extend(cast("list[Any]", value))
