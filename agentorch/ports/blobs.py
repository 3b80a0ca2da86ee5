"""The blob port: large values, stored once by their SHA-256."""

from typing import Protocol


class Blobs(Protocol):
    """Content-addressed bytes. `put` of the same bytes twice stores them once."""

    async def put(self, data: bytes) -> str:
        """Store `data`; return its SHA-256 in hex. It is durable when this returns."""
        ...

    async def get(self, sha256: str) -> bytes:
        """Return the bytes; KeyError when there are none, JournalDamaged when they do not match their name."""
        ...
