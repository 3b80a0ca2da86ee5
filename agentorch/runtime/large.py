"""Large values: stored once as blobs, passed by reference, read where they are used."""

from typing import Any, Final, cast

from pydantic_core import from_json, to_json

from agentorch.core.values import BLOB_BYTES, BLOB_KEY, blob_ref, is_blob_ref
from agentorch.ports.blobs import Blobs

_CERTAINLY_SMALL: Final = BLOB_BYTES // 6
"""A string of so few characters is small whatever they are: JSON writes at most six bytes for one."""


async def stored(value: Any, blobs: Blobs) -> Any:
    """Return `value`, or a reference to it when its JSON is longer than BLOB_BYTES."""
    if not _may_be_large(value):
        return value
    data = to_json(value)
    if len(data) <= BLOB_BYTES:
        return value
    return blob_ref(await blobs.put(data), len(data))


async def loaded(value: Any, blobs: Blobs) -> Any:
    """Return `value` with every blob reference in it replaced by what it stands for."""
    if is_blob_ref(value):
        reference = value[BLOB_KEY]
        whole: Any = from_json(await blobs.get(reference["sha256"]))
        for step in reference.get("path", ()):
            whole = part(whole, step)
        return whole
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return {name: await loaded(item, blobs) for name, item in items.items()}
    if isinstance(value, list):
        parts = cast("list[Any]", value)
        return [await loaded(item, blobs) for item in parts]
    return value


def part(value: Any, step: str) -> Any:
    """Return the part of a list or an object that one step of a path names."""
    return cast("list[Any]", value)[int(step)] if isinstance(value, list) else value[step]


def may_hold_blobs(value: Any) -> bool:
    """Whether `value` may have a blob reference in it."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return BLOB_KEY in items or any(may_hold_blobs(item) for item in items.values())
    if isinstance(value, list):
        parts = cast("list[Any]", value)
        return any(may_hold_blobs(item) for item in parts)
    return False


def _may_be_large(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > _CERTAINLY_SMALL
    return isinstance(value, dict | list) and bool(cast("list[Any]", value))
