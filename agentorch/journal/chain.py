"""The hash chain of a run: each block's header names the header before it and the payload that it stands for.

1. A block is what was appended together, or a piece of that. The header of one event is `seq, version, at, previous,
   payload, type`: its sequence number, the version of its type, its time, the SHA-256 of the header before (of the
   run's id for the first), the SHA-256 of the payload, and the type's name.
2. Of several events, `seq` and `at` are the first one's and the version is 0. In place of the type there stand how many
   they are, the versions, times, lengths and CRC-32s of all, and their types, commas between; and so does their JSON in
   the payload.
3. The stored bytes are what is hashed, so that a payload can be erased later and the chain still holds. It shows
   damage; it does not prove who wrote. The sums tell which event of a block is damaged: those before it can be read.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple
from zlib import crc32

from agentorch.errors import JournalCompacted, JournalDamaged

_FIXED: Final = struct.Struct(">QHd32s32s")
_COUNT: Final = struct.Struct(">H")
_SEVERAL: Final = 0
"""In the place of the version."""
_BETWEEN: Final = b","
"""What stands between events, and between types."""

Row = tuple[int, bytes, bytes | None]
"""A block as it is stored: seq of its first event, header, payload."""


class Header(NamedTuple):
    """What the chain says of a block."""

    seq: int
    """Of the first event."""
    previous: bytes
    payload: bytes
    """SHA-256 of the payload."""
    versions: tuple[int, ...]
    times: tuple[float, ...]
    types: tuple[str, ...]
    sizes: tuple[int, ...] = ()
    """Bytes of each of several events."""
    sums: tuple[int, ...] = ()
    """CRC-32 of each of several events."""

    @property
    def last(self) -> int:
        """The sequence number of the last event."""
        return self.seq + len(self.types) - 1


Sealed = tuple[Header, bytes]
"""A block that is sound: its header and its payload."""


class Link(NamedTuple):
    """The end of a chain, or a place in it."""

    seq: int
    hash: bytes
    """SHA-256 of the header of the block that ends at `seq`."""


def anchor(run_id: str) -> Link:
    """Return what the first event of a run is chained to."""
    return Link(0, sha256(run_id.encode()).digest())


def seal(
    seq: int,
    previous: bytes,
    payloads: Sequence[bytes],
    versions: Sequence[int],
    times: Sequence[float],
    types: Sequence[bytes],
) -> tuple[bytes, bytes]:
    """Return the header and the payload of a block; types are encoded already."""
    count = len(payloads)
    if count == 1:
        (payload,) = payloads
        return _FIXED.pack(seq, versions[0], times[0], previous, sha256(payload).digest()) + types[0], payload
    payload = _BETWEEN.join(payloads)
    fixed = _FIXED.pack(seq, _SEVERAL, times[0], previous, sha256(payload).digest())
    each = _columns(count).pack(*versions, *times, *map(len, payloads), *map(crc32, payloads))
    return b"".join((fixed, _COUNT.pack(count), each, _BETWEEN.join(types))), payload


def unseal(header: bytes) -> Header:
    """Return the parts of a header; ValueError when these bytes are none."""
    try:
        seq, version, at, previous, payload = _FIXED.unpack_from(header)
        begin = _FIXED.size
        if version != _SEVERAL:
            return Header(seq, previous, payload, (version,), (at,), _named(header[begin:], 1))
        (count,) = _COUNT.unpack_from(header, begin)
        begin += _COUNT.size
        columns = _columns(count)
        each = columns.unpack_from(header, begin)
        types = _named(header[begin + columns.size :], count)
    except struct.error:
        raise ValueError(f"no header: {len(header)} bytes are too few for one") from None
    except TypeError:
        raise ValueError("no header: it is not even bytes") from None
    two, three = 2 * count, 3 * count
    return Header(seq, previous, payload, each[:count], each[count:two], types, each[two:three], each[three:])


def types_of(header: bytes) -> tuple[str, ...]:
    """Return the types of a block's events; () where they cannot be read."""
    try:
        return unseal(header).types
    except ValueError:
        return ()


def last_of(seq: int, header: bytes) -> int:
    """Return the number of the last event of the block that begins at `seq`, or that one where it cannot be read."""
    return seq + max(len(types_of(header)), 1) - 1


@lru_cache(maxsize=256)
def _columns(count: int) -> struct.Struct:
    return struct.Struct(f">{count}H{count}d{count}I{count}I")


@lru_cache(maxsize=256)
def _named(types: bytes, count: int) -> tuple[str, ...]:
    names = tuple(types.decode().split(_BETWEEN.decode()))
    if len(names) != count:
        raise ValueError(f"no header: it has {count} events and {len(names)} types")
    return names


def parts(header: Header, payload: bytes) -> list[bytes]:
    """Return the bytes of each event of a block."""
    return [*_cut(header, payload)] if header.sizes else [payload]


def _cut(header: Header, payload: bytes) -> Iterator[bytes]:
    end = -1
    for size in header.sizes:
        begin = end + 1
        end = begin + size
        yield payload[begin:end]


def sound(header: Header, payload: object) -> int:
    """Return how many events of a block are as they were written, up to the first that is not."""
    if not isinstance(payload, bytes):
        return 0
    count = len(header.types)
    fits = not header.sizes or sum(header.sizes) + count - 1 == len(payload)
    if fits and sha256(payload).digest() == header.payload:
        return count
    each = zip(_cut(header, payload), header.sums, strict=False)
    return next((done for done, (part, said) in enumerate(each) if crc32(part) != said), 0)


def walk(run_id: str, rows: Iterable[Row], *, start: Link, until: int) -> tuple[list[Sealed], Link]:
    """Return the blocks behind `start`, and where they end.

    JournalDamaged, with run and seq, at the first that does not follow from the one before or, up to the event `until`,
    does not match its payload. Behind `until` a block may be cut short.
    """
    found: list[Sealed] = []
    place = start
    for seq, stored, payload in rows:
        header = follow(run_id, place, seq, stored)
        whole = sound(header, payload)
        if type(payload) is not bytes or seq + whole <= min(header.last, until):
            raise damaged(run_id, seq + whole, "its payload is not what was written")
        found.append((header, payload))
        place = Link(header.last, sha256(stored).digest())
    return found, place


def follow(run_id: str, place: Link, seq: int, stored: bytes) -> Header:
    """Return the parts of the header stored at `seq`; JournalDamaged unless it is the next behind `place`."""
    if seq > place.seq + 1:
        raise damaged(run_id, place.seq + 1, f"it is missing; the next stored is {seq}")
    if seq <= place.seq:
        raise damaged(run_id, max(1, seq), "it is stored twice")
    try:
        header = unseal(stored)
    except ValueError as error:
        raise damaged(run_id, seq, str(error)) from None
    if header.seq != seq or header.previous != place.hash:
        raise damaged(run_id, seq, "its header does not follow from the one before")
    return header


def damaged(run_id: str, seq: int, what: str) -> JournalDamaged:
    """Return the error that names the place and what is wrong there."""
    return JournalDamaged(f"run {run_id}, seq {seq}: {what}; what stands before it can still be read")


def compacted(run_id: str) -> JournalCompacted:
    """Return the error that says why a run cannot be read."""
    return JournalCompacted(f"run {run_id} was compacted: its events were dropped, only their headers are left")
