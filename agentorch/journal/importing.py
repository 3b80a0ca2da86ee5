"""Taking exported runs into an SQLite journal: each in one transaction, its chain checked, nothing overwritten.

1. A run that is there and equal is skipped, but that what of it is damaged or compacted here is given back. One that
   is there and different is refused, and stays as it is.
2. A run of which anything is wrong is refused whole; the others are taken.
3. A run that may still go on where it came from is not taken unasked: it would be carried out twice.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from agentorch.errors import JournalError
from agentorch.journal.checking import Fault, Seen
from agentorch.journal.exported import EndLine, Line, RunLine, check_first_line, read
from agentorch.journal.intake import Intake, Refused
from agentorch.journal.listing import FINISHED
from agentorch.journal.schema import undo

_AGAIN = "export it again"


@dataclass(slots=True)
class Imported:
    """What became of a file's runs."""

    taken: list[str] = field(default_factory=list[str])
    skipped: list[str] = field(default_factory=list[str])
    """Runs that were there, equal."""
    restored: list[str] = field(default_factory=list[str])
    """Runs that were there, and of which what was damaged or compacted has been given back."""
    unfinished: list[str] = field(default_factory=list[str])
    """Runs that were taken and are not over: each may go on in one journal only."""
    refused: list[Fault] = field(default_factory=list[Fault])


class Import:
    """The runs of one file, on their way into the journal behind `connection`."""

    def __init__(
        self, connection: sqlite3.Connection, *, live: bool = False, seen: Seen = lambda _done, _of: None
    ) -> None:
        """Take also, with `live`, copies of runs that somebody was carrying out when they were exported."""
        self._connection = connection
        self._live = live
        self._seen = seen
        self._lines = 0
        self._runs = 0
        self.found = Imported()

    def take(self, data: Iterable[bytes]) -> Imported:
        """Take what the lines say; JournalError for what is no export, is not whole, or was added to."""
        lines = iter(data)
        check_first_line(next(lines, b""))
        self._lines = 1
        reading = self._read(lines)
        line = next(reading, None)
        while isinstance(line, RunLine):
            self._runs += 1
            line = self._take_run(line, reading)
        if line is None:
            raise JournalError(f"line {self._lines}: it ends before its end: {_AGAIN}")
        if not isinstance(line, EndLine):
            raise JournalError(f"line {self._lines}: it belongs to no run: {_AGAIN}")
        if line.runs != self._runs:
            words = f"it counts {line.runs} runs, and {self._runs} are in the file"
            raise JournalError(f"line {self._lines}: {words}: {_AGAIN}")
        if any(rest.strip() for rest in lines):
            raise JournalError(f"line {self._lines + 1}: it goes on behind its end: {_AGAIN}")
        return self.found

    def _read(self, lines: Iterator[bytes]) -> Iterator[Line]:
        for data in lines:
            self._lines += 1
            self._seen(self._lines, 0)
            try:
                yield read(data)
            except ValueError as error:
                raise JournalError(f"line {self._lines}: {' '.join(str(error).split())}: {_AGAIN}") from None

    def _take_run(self, told: RunLine, lines: Iterator[Line]) -> Line | None:
        """Take one run; return the line behind it."""
        self._connection.execute("BEGIN IMMEDIATE")
        intake = Intake(self._connection, told, live=self._live)
        try:
            behind, refused = _taken(intake, lines)
        except BaseException:
            undo(self._connection)
            raise
        if refused is None:
            self._connection.execute("COMMIT")
        undo(self._connection)
        if refused is not None:
            self.found.refused.append(Fault(told.run_id, refused.seq, str(refused)))
        elif intake.is_new:
            self._say_taken(told)
        else:
            (self.found.restored if intake.changed else self.found.skipped).append(told.run_id)
        return behind

    def _say_taken(self, told: RunLine) -> None:
        self.found.taken.append(told.run_id)
        if told.status not in FINISHED:
            self.found.unfinished.append(told.run_id)


def _taken(intake: Intake, lines: Iterator[Line]) -> tuple[Line | None, Refused | None]:
    """Give the lines of one run to its intake; return the line behind them, and the first thing that is wrong."""
    refused: Refused | None = None
    behind: Line | None = None
    for line in lines:
        if isinstance(line, RunLine | EndLine):
            behind = line
            break
        if refused is None:
            refused = intake.tried(line)
    return behind, refused or intake.tried(None)
