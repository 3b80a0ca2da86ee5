"""The library of one command, its index kept between commands: a second question finds the files read.

An index holds what the files say, so only its owner may read it. It is found by the folders that were given; one that
nobody asked for in 30 days is removed. Where none can be kept, it is made in memory.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from agentorch.cli.settings import Setup, data_folder
from agentorch.errors import FileAccessError
from agentorch.library import Library

_KEPT: Final = 30 * 24 * 3600.0
"""Seconds without use after which an index is removed."""


def kept_library(setup: Setup) -> Library:
    """Return the library over the set-up's files; when no run is to be kept, no index is either."""
    if not setup.files or setup.journal == "memory:":
        return Library(setup.files)
    try:
        place = _place(setup.files)
    except OSError:
        return Library(setup.files)
    try:
        return Library(setup.files, index=place)
    except FileAccessError:  # the index is ours: a damaged one is made anew
        with suppress(OSError):
            place.unlink()
        return Library(setup.files)


def _place(files: Sequence[str]) -> Path:
    """Return where the index of these folders is kept, a file that only its owner may read."""
    folder = data_folder() / "library"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = time.time()
    for old in folder.glob("*.db"):
        if now - old.stat().st_mtime > _KEPT:
            old.unlink()
    given = sorted({os.path.realpath(file) for file in files})
    place = folder / f"{hashlib.sha256(os.fsencode(chr(0).join(given))).hexdigest()[:24]}.db"
    os.close(os.open(place, os.O_RDWR | os.O_CREAT, 0o600))
    os.utime(place)
    return place
