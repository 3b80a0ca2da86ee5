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

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._marks = _mark(path), _mark(self._log)
        self._error: JournalError | None = None

    def removed(self, connection: sqlite3.Connection) -> JournalError | None:
        """Return in one line that the file, or its log, is not what `connection` writes to any more; None while it is.

        At the first time what `connection` sees is saved.
        """
        if self._error is None and (_mark(self._path), _mark(self._log)) != self._marks:
            saved = _saved(connection, self._path)
            hope = f"what it held is saved as {saved}: move that to its place" if saved else "start with another"
            self._error = JournalError(f"journal {self._path}: its file was removed while it was open; {hope}")
        return self._error


def _mark(path: Path) -> _Mark:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
