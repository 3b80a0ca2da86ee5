"""The outside world's own book: one line for each thing that happened there, on the disk before anybody is told.

It belongs to nobody who is killed: what a killed process did last stands in it, whatever its journal says.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["asked", "answered", "stepped", "got", "fired", "keyed", "planned"]
"""A model was asked; it had answered; a step of the agent's own was taken; the agent had the result of either in its
hands; an effect happened; one that is safe to repeat under its key did; a planner was asked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the book."""

    kind: Kind
    key: str
    """Which call or effect: the same whenever it is made again."""
    process: int
    """Who made it."""
    what: str = ""
    """Of an effect: the tool and its arguments. What is done again under another key is the same here."""


class Ledger:
    """The book in the file at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, kind: Kind, key: str, what: str = "") -> None:
        """Write a line; it is on the disk when this returns."""
        line = json.dumps(asdict(Entry(kind, key, os.getpid(), what))) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def entries(self, kind: Kind | None = None) -> list[Entry]:
        """Return the lines, in order."""
        if not self.path.exists():
            return []
        entries = [Entry(**json.loads(line)) for line in self.path.read_text().splitlines()]
        return [entry for entry in entries if kind in {None, entry.kind}]

    def has(self, kind: Kind, key: str) -> bool:
        """Whether it happened."""
        return any(entry.key == key for entry in self.entries(kind))
