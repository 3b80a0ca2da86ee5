"""Checkpoints of a file whose own connection makes none: they wait for the disk, and nobody must wait for them.

1. Most is carried over while the file is written. Only the rest, and the truncation of the log, hold other writers up.
2. The first write to an empty log waits for the disk once more, so it is made here: a row is written as it was.
3. A log that somebody still reads keeps its length until the next time.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

_PATIENCE_MS: Final = 20
"""How long readers and writers are waited for; others are held up for as long."""
_SETTINGS: Final = "synchronous=NORMAL", "fullfsync=1", "wal_autocheckpoint=0", f"busy_timeout={_PATIENCE_MS}"
_FIRST_WRITE: Final = "UPDATE runs SET head = head WHERE number = (SELECT max(number) FROM runs)"


class Checkpoints:
    """The connection that makes the checkpoints of the file at `path`; it is opened for the first one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def make(self) -> None:
        """Carry the log over; where that fails it stays as it is: what is wrong shows when something is written."""
        with suppress(sqlite3.Error):
            connection = self._opened()
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not is_busy:
                connection.execute(_FIRST_WRITE)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            name = f"{self._path.resolve().as_uri()}?mode=rw"
            self._connection = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
            for setting in _SETTINGS:
                self._connection.execute(f"PRAGMA {setting}")
        return self._connection
