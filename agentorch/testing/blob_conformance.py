"""What every blob store must do: subclass `BlobConformance`, say how one is opened, and pytest runs the promises."""

import asyncio
import hashlib
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from agentorch.ports.blobs import Blobs


class BlobConformance:
    """The promises of `agentorch.ports.blobs`."""

    def opened(self, folder: Path) -> AbstractAsyncContextManager[Blobs]:
        """Return a context manager that opens an empty store."""
        raise NotImplementedError

    @pytest.mark.parametrize("data", [b"", b"\x00\xff", b"x" * 1_000_000], ids=["empty", "bytes", "large"])
    async def test_bytes_come_back(self, tmp_path: Path, data: bytes) -> None:
        """What was put is got by the SHA-256 of its bytes."""
        async with self.opened(tmp_path) as blobs:
            name = await blobs.put(data)
            assert name == hashlib.sha256(data).hexdigest()
            assert await blobs.get(name) == data

    async def test_the_same_bytes_are_the_same_blob(self, tmp_path: Path) -> None:
        """Putting twice, even at once, is putting once."""
        async with self.opened(tmp_path) as blobs:
            names = await asyncio.gather(*(blobs.put(b"same") for _ in range(20)))
            assert set(names) == {await blobs.put(b"same")}
            assert await blobs.get(names[0]) == b"same"

    async def test_a_name_that_is_not_there_is_a_key_error(self, tmp_path: Path) -> None:
        """The error is a KeyError with the name."""
        async with self.opened(tmp_path) as blobs:
            with pytest.raises(KeyError, match="ab" * 32):
                await blobs.get("ab" * 32)
