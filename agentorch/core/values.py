"""Values in a run: JSON, small ones as they are, large ones as a reference to a blob."""

import re
from typing import Any, Final, TypeGuard, cast

BLOB_KEY: Final = "$blob"
"""The only key of an object that stands for a large value."""
BLOB_BYTES: Final = 64 * 1024
"""Values whose JSON is longer than this are stored as blobs."""
CERTAINLY_SMALL: Final = BLOB_BYTES // 6
"""A string of so few characters is small whatever they are: JSON writes at most six bytes for one."""
CERTAINLY_READ: Final = 1 << 64
"""Integers below it need no second look: any JSON reader takes them."""

SHORT: Final = 4300
"""Digits beyond which Python refuses to read an integer: no shorter JSON holds such a one."""
_BLOCK: Final = SHORT // 2
"""A longer one fills at least one whole block of so many bytes, wherever it begins."""
_TOO_LONG: Final = re.compile(rb"\d{%d}" % (SHORT + 1))
_REPLACED: Final = "\ufffd".encode()
"""What stands for a lone surrogate in the name of a field, where pydantic does not complain."""


def reads_back(data: bytes) -> bool:
    """Whether JSON that pydantic wrote can be read, and says what it was to say."""
    if len(data) > SHORT:
        blocks = (data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK))
        if any(map(bytes.isdigit, blocks)) and _TOO_LONG.search(data):  # to search all takes a hundred times as long
            return False
    return data.isascii() or _REPLACED not in data


def blob_ref(sha256: str, size: int) -> dict[str, Any]:
    """Return the value that stands for the blob `sha256` of `size` bytes of JSON."""
    return {BLOB_KEY: {"sha256": sha256, "size": size}}


def blob_part(reference: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return the value that stands for a part of what `reference` stands for."""
    blob = reference[BLOB_KEY]
    return {BLOB_KEY: {**blob, "path": [*blob.get("path", ()), *path]}}


def is_blob_ref(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether `value` stands for a blob."""
    return isinstance(value, dict) and len(value) == 1 and BLOB_KEY in value  # pyright: ignore[reportUnknownArgumentType]


def may_hold_blobs(value: Any) -> bool:
    """Whether `value` may have a blob reference in it."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return BLOB_KEY in items or any(may_hold_blobs(item) for item in items.values())
    if isinstance(value, list):
        parts = cast("list[Any]", value)
        return any(may_hold_blobs(item) for item in parts)
    return False


def fresh(value: Any) -> Any:
    """Return an equal JSON value that shares no list and no object with `value`: it can be changed for itself."""
    if isinstance(value, dict):
        return {name: fresh(item) for name, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [fresh(item) for item in cast("list[Any]", value)]
    return value


def whole_characters(text: str) -> str:
    """Return `text` with "?" for lone surrogates: halves of characters, which no server takes and few parsers."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def in_line(text: str, longest: int) -> str:
    """Return a name that somebody else chose as it may stand in a message: printable, in one line, clipped."""
    line = text if text.isprintable() else " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clipped(line, longest)


def clipped(text: str, longest: int) -> str:
    """Return `text`, or its beginning and how much of it there was."""
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"
