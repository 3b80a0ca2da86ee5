"""Blobs in memory, gone with the process."""

from hashlib import sha256 as digest_of


class MemoryBlobs:
    """A `Blobs` for runs that need not outlive the process."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    async def put(self, data: bytes) -> str:
        """Store `data` once; return its SHA-256."""
        sha256 = digest_of(data).hexdigest()
        self._data.setdefault(sha256, bytes(data))
        return sha256

    async def get(self, sha256: str) -> bytes:
        """Return the bytes; KeyError when there are none."""
        return self._data[sha256]
