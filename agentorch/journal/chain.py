"""The hash chain of a run: each event's header names the header before it and the payload it stands for.

A header is `seq, version, at, previous, payload, type`: the sequence number, the version of the event type, the time,
the SHA-256 of the header before (of the run's id for the first), the SHA-256 of the payload, and the type's name. The
stored bytes are what is hashed, so that a payload can be erased later and the chain still holds. It shows damage; it
does not prove who wrote.
"""

import struct
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from agentorch.errors import JournalCompacted, JournalDamaged

_FIXED: Final = struct.Struct(">QHd32s32s")
TYPE_FROM: Final = _FIXED.size
"""Where the type's name begins in a header."""


class Header(NamedTuple):
    """What the chain says of one event."""

    seq: int
    version: int
    at: float
    previous: bytes
    payload: bytes
    """SHA-256 of the payload."""
    type: str


Sealed = tuple[Header, bytes]
"""An event as it is stored: its header and its payload."""


class Link(NamedTuple):
    """The end of a chain, or a place in it."""

    seq: int
    hash: bytes
    """SHA-256 of the header at `seq`."""

    @classmethod
    def at(cls, seq: int, header: bytes) -> "Link":
        """Return the place that this header makes."""
        return cls(seq, sha256(header).digest())


def anchor(run_id: str) -> Link:
    """Return what the first event of a run is chained to."""
    return Link(0, sha256(run_id.encode()).digest())


def seal(seq: int, version: int, at: float, previous: bytes, payload: bytes, type: bytes) -> bytes:
    """Return the header of an event as bytes; `type` is encoded already."""
    return _FIXED.pack(seq, version, at, previous, sha256(payload).digest()) + type


def unseal(header: bytes) -> Header:
    """Return the parts of a header; ValueError when these bytes are none."""
    try:
        return Header._make((*_FIXED.unpack_from(header), _named(header[TYPE_FROM:])))
    except struct.error:
        raise ValueError(f"no header: {len(header)} bytes, a header has {TYPE_FROM} and its type") from None
    except TypeError:
        raise ValueError("no header: it is not even bytes") from None


@lru_cache(maxsize=256)
def _named(type: bytes) -> str:
    return type.decode()


def walk(run_id: str, rows: Iterable[tuple[int, bytes, bytes | None]], *, start: Link) -> tuple[list[Sealed], Link]:
    """Return the stored rows `(seq, header, payload)` behind `start`, and where they end.

    JournalDamaged, with run and seq, at the first that does not follow from the one before or does not match its
    payload.
    """
    found: list[Sealed] = []
    last, end = start
    for seq, stored, payload in rows:
        try:
            header = Header._make((*_FIXED.unpack_from(stored), _named(stored[TYPE_FROM:])))
        except (struct.error, TypeError, ValueError):
            header = None
        if header is None or header.seq != seq or seq != last + 1 or header.previous != end:
            header = _followed(run_id, last, end, seq, stored)  # which says what is wrong
        if type(payload) is not bytes or sha256(payload).digest() != header.payload:
            raise damaged(run_id, seq, "its payload is not what was written")
        last, end = seq, sha256(stored).digest()
        found.append((header, payload))
    return found, Link(last, end)


def follow(run_id: str, place: Link, seq: int, stored: bytes) -> Header:
    """Return the parts of the header stored at `seq`; JournalDamaged unless it is the next behind `place`."""
    return _followed(run_id, place.seq, place.hash, seq, stored)


def _followed(run_id: str, last: int, end: bytes, seq: int, stored: bytes) -> Header:
    if seq != last + 1:
        raise damaged(run_id, last + 1, f"it is missing; the next stored is {seq}")
    try:
        header = unseal(stored)
    except ValueError as error:
        raise damaged(run_id, seq, str(error)) from None
    if header.seq != seq or header.previous != end:
        raise damaged(run_id, seq, "its header does not follow from the one before")
    return header


def damaged(run_id: str, seq: int, what: str) -> JournalDamaged:
    """Return the error that names the place and what is wrong there."""
    return JournalDamaged(f"run {run_id}, seq {seq}: {what}; what stands before it can still be read")


def compacted(run_id: str) -> JournalCompacted:
    """Return the error that says why a run cannot be read."""
    return JournalCompacted(f"run {run_id} was compacted: its events were dropped, only their headers are left")
