"""Large values: stored once as blobs, passed by reference, read where they are used."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, cast

from pydantic_core import from_json, to_json

from agentorch.core.references import as_text, part
from agentorch.core.values import (
    BLOB_BYTES,
    BLOB_KEY,
    CERTAINLY_READ,
    CERTAINLY_SMALL,
    blob_ref,
    is_blob_ref,
    may_hold_blobs,
    reads_back,
)
from agentorch.errors import JournalDamaged
from agentorch.messages.work import Work
from agentorch.ports.blobs import Blobs

_KEY_BYTES: Final = f'"{BLOB_KEY}"'.encode()


class Unstorable(ValueError):
    """A value has no JSON that could be read back. The agent's fault."""


async def stored(value: Any, blobs: Blobs) -> Any:
    """Return `value`, or a reference to it when its JSON is longer than BLOB_BYTES.

    A value that looks as if it held references is stored too, so that what an agent made up is never followed.
    Raises Unstorable for what no journal could give back.
    """
    if not _may_be_large(value):
        return value
    data = _written(value)
    if len(data) <= BLOB_BYTES and not (_KEY_BYTES in data and may_hold_blobs(value)):
        return value
    sha256 = await blobs.put(data)
    if sha256 != hashlib.sha256(data).hexdigest():  # secrets were taken out of it
        data = await blobs.get(sha256)
    return blob_ref(sha256, len(data))


async def loaded(value: Any, blobs: Blobs) -> Any:
    """Return `value` with every blob reference in it replaced by what it stands for.

    Raises BrokenReference for a path that leads nowhere, JournalDamaged for a blob that is gone.
    """
    if is_blob_ref(value):
        reference = value[BLOB_KEY]
        whole = _read(await _got(reference["sha256"], blobs))
        return followed(whole, reference.get("path", ()))
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return {name: await loaded(item, blobs) for name, item in items.items()}
    if isinstance(value, list):
        parts = cast("list[Any]", value)
        return [await loaded(item, blobs) for item in parts]
    return value


async def _got(sha256: str, blobs: Blobs) -> bytes:
    try:
        return await blobs.get(sha256)
    except KeyError:
        words = "it is missing: `agentorch journal import` gives it back from an export that has it"
        raise JournalDamaged(f"blob {sha256}: {words}") from None


def followed(value: Any, path: Sequence[str]) -> Any:
    """Return the part of a value that a path names; null has parts, all of them null."""
    for step in path:
        if value is None:
            return None
        value = part("." + ".".join(path), step, value)
    return value


def names_blobs(work: Work) -> bool:
    """Whether a dispatch may name large values that are to be read before its agent is given them."""
    if not work.inputs and work.output is None:  # as of most small tasks
        return type(work.objective) is list
    return may_hold_blobs(work.inputs) or isinstance(work.objective, list) or is_blob_ref(work.output)


async def opened(work: Work, blobs: Blobs) -> Work:
    """Return `work` with every large value that it names."""
    if may_hold_blobs(work.inputs):
        work = replace(work, inputs=await loaded(work.inputs, blobs))
    if isinstance(work.objective, list):
        work = replace(work, objective=await loaded(work.objective, blobs))
    if is_blob_ref(work.output):
        work = replace(work, output=await loaded(work.output, blobs))
    return work


def objective_text(work: Work) -> str:
    """Return the whole objective."""
    if isinstance(work.objective, str):
        return work.objective
    return "".join(piece if isinstance(piece, str) else as_text(*piece.values()) for piece in work.objective)


def objective_beside(work: Work) -> tuple[str, dict[str, Any]]:
    """Return the objective with a mark for each large value, and these values by the names in the marks."""
    if isinstance(work.objective, str):
        return work.objective, {}
    beside: dict[str, Any] = {}
    words: list[str] = []
    for piece in work.objective:
        if isinstance(piece, str):
            words.append(piece)
            continue
        for reference, value in piece.items():
            name = reference if reference not in work.inputs else f"${reference}"
            beside[name] = value
            words.append(f'[the value "{name}", below]')
    return "".join(words), beside


def _written(value: Any) -> bytes:
    """Return `value` as JSON that can be read back, by the same rules as the journal's own."""
    try:
        data = to_json(value)
        if reads_back(data):
            return data
    except (ValueError, RecursionError):
        pass
    try:  # lone surrogates and deep nesting pass through the json module alone
        data = json.dumps(value, separators=(",", ":")).encode("ascii")
        json.loads(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise Unstorable(f"cannot be stored as JSON: {error}") from None
    return data


def _read(data: bytes) -> Any:
    try:
        return from_json(data)
    except ValueError:
        return json.loads(data)


def _may_be_large(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > CERTAINLY_SMALL
    if isinstance(value, int):
        return not -CERTAINLY_READ < value < CERTAINLY_READ
    return isinstance(value, dict | list) and bool(cast("list[Any]", value))
