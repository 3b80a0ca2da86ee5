"""The journal's open file, and whether its name still means it: what is written to a file that was removed is lost.

An operating system lets go of a removed file only when the last process closes it. So nothing is acknowledged from
then on, and what the file holds is saved beside it, or in the system's folder for temporary files if that is gone too.
"""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from agentorch.errors import JournalError

_Mark = tuple[int, int] | None


class OpenFile:
    """The file at `path` as the writer has opened it."""

    log_bytes = 0
    """The length of its log when that was last looked at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places = str(path), f"{path}-wal"
        self._marks = self._look()
        self._error: JournalError | None = None

    def is_removed(self) -> bool:
        """Whether the file, or its log, is not the one that was opened."""
        return self._error is not None or self._look() != self._marks

    def said_of_removal(self, connection: sqlite3.Connection) -> JournalError:
        """Return in one line that it was removed; at the first time what `connection` sees is saved."""
        if self._error is None:
            saved = _saved(connection, self._path)
            hope = f"what it held is saved as {saved}: move that to its place" if saved else "start with another"
            self._error = JournalError(f"journal {self._path}: its file was removed while it was open; {hope}")
        return self._error

    def _look(self) -> tuple[_Mark, _Mark]:
        file, log = (_found(place) for place in self._places)
        self.log_bytes = log.st_size if log else 0
        return _mark(file), _mark(log)


def _found(place: str) -> os.stat_result | None:
    try:
        return os.stat(place)  # noqa: PTH116  # a path that is no Path: this is asked at every commit
    except OSError:
        return None


def _mark(found: os.stat_result | None) -> _Mark:
    return None if found is None else (found.st_dev, found.st_ino)


def _saved(connection: sqlite3.Connection, path: Path) -> Path | None:
    for folder in (path.parent, Path(tempfile.gettempdir())):
        place = folder / f"{path.name}.saved-{os.getpid()}"
        try:
            os.close(os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(place)) as copy:
                connection.backup(copy)
        except (OSError, sqlite3.Error):
            continue
        return place
    return None
