"""Run ids: UUIDv7, so that they sort by time (RFC 9562; Python 3.11 has no uuid7)."""

import secrets
import uuid


def new_run_id(now: float) -> str:
    """Return a UUIDv7 for `now`, in seconds since the epoch."""
    milliseconds = int(now * 1000) & (2**48 - 1)
    tail = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & (2**62 - 1)
    return str(uuid.UUID(int=value))
