"""One cell: a subject carries a shape out, timed beside the floor, and once more for the peak of memory.

1. Each is a process of its own. All repeats of a subject are in one, so that it is as warm as it likes to be.
2. The floor alternates with the subject in that process. A subject with threads of its own would disturb it there:
   then the floor has a process of its own, before the subject's and after it.
3. Whatever goes wrong is the cell's error, in words. No cell is empty without one.
"""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.entrants import FLOOR, OURS, Entrant, Program, programs
from benchmarks.measurement import figure
from benchmarks.processes import Ended, carried_out, in_line
from benchmarks.subject import Cell


@dataclass(frozen=True)
class Limits:
    """How much is measured."""

    repeats: int = 5
    seconds: float = 120.0
    """What one process may take."""
    patience: float = 45.0
    """Seconds for all repeats of a cell, as far as they can be foreseen: a slow subject is repeated less often."""


@dataclass
class Filled:
    """A cell with all that was measured for it."""

    peer: str
    cell: Cell
    memory: Cell | None = None
    """None where memory was not asked for."""
    measured: str = ""
    """The day."""
    in_time: bool = True

    @property
    def key(self) -> tuple[str, str, int]:
        """What it is the cell of, within its table."""
        return self.peer, self.cell.subject, self.cell.size

    @property
    def microseconds(self) -> list[float]:
        """Of each repeat, a task."""
        return [seconds / self.cell.tasks * 1e6 for seconds in self.cell.seconds]

    @property
    def median(self) -> float:
        """Microseconds a task."""
        return statistics.median(self.microseconds)

    @property
    def ratio(self) -> float | None:
        """The median over that of the floor."""
        if not (self.cell.floor and self.cell.seconds):
            return None
        return statistics.median(self.cell.seconds) / statistics.median(self.cell.floor)

    @property
    def times(self) -> str:
        """The ratio in words; near 1 its last digits are what counts."""
        if self.ratio is None:
            return ""
        return f" ({self.ratio:.3f}x)" if self.ratio < 2 else f" ({figure(self.ratio)}x)"

    @property
    def kilobytes(self) -> float | None:
        """Growth of the peak of memory, a task."""
        if self.memory is None or self.memory.error:
            return None
        return self.memory.peak_kb / self.memory.tasks


@dataclass
class Filler:
    """Fills the cells of one table."""

    shape: str
    limits: Limits
    options: Sequence[str] = ()
    """What else the programs are told."""
    smaller: dict[tuple[str, str], Filled] = field(default_factory=dict[tuple[str, str], Filled])
    """What came of a subject at the size below."""

    def fill(self, entrant: Entrant, size: int, *, memory: bool, measured: str) -> Filled:
        """Return the cell of a subject at a size."""
        who = (entrant.program.peer, entrant.name)
        known = entrant.problem or entrant.lacks.get(self.shape, "") or self._too_long(who, size)
        if known:
            empty = Cell(entrant.name, self.shape, size, 0, error=known)
            return Filled(entrant.program.peer, empty, measured=measured)
        cell, in_time = self._timed(entrant, size)
        filled = Filled(entrant.program.peer, cell, measured=measured, in_time=in_time)
        self.smaller[who] = filled
        if memory and not cell.error:
            filled.memory, _ = self._cell(entrant.program, entrant.name, size, "--memory")
        return filled

    def _too_long(self, who: tuple[str, str], size: int) -> str:
        """Say why a size need not be tried; the empty string where it is to be."""
        below = self.smaller.get(who)
        if below is None:
            return ""
        if not below.in_time:
            return f"not tried: {below.cell.size:,} was not done in time"
        if not below.cell.error:
            once = statistics.median(below.cell.seconds)
            if once * size / below.cell.size > self.limits.seconds:
                return f"not tried: {below.cell.size:,} took {once:.1f} s, and {self.limits.seconds:g} s is the limit"
        return ""

    def _timed(self, entrant: Entrant, size: int) -> tuple[Cell, bool]:
        if not entrant.own_threads:
            return self._cell(entrant.program, entrant.name, size)
        before = self._floor(size)
        cell, in_time = self._cell(entrant.program, entrant.name, size)
        cell.floor = [*before, *self._floor(size)]
        return cell, in_time

    def _floor(self, size: int) -> list[float]:
        (floor,) = [program for program in programs([]) if program.peer == FLOOR]
        return self._cell(floor, "asyncio", size)[0].seconds

    def _cell(self, program: Program, subject: str, size: int, *more: str) -> tuple[Cell, bool]:
        limits = self.limits
        repeats = ("--repeats", str(limits.repeats), "--patience", str(limits.patience))
        arguments = (subject, self.shape, str(size), *repeats, *self.options, *more)
        ended = carried_out(program.python, program.module, arguments, limit=limits.seconds)
        return _read(ended, subject, self.shape, size), ended.in_time


def _read(ended: Ended, subject: str, shape: str, size: int) -> Cell:
    cell = Cell(**ended.told) if isinstance(ended.told, dict) else Cell(subject, shape, size, 0, error=ended.problem)
    cell.error = in_line(cell.error)
    return cell


def to_json(filled: Filled) -> dict[str, Any]:
    """Return it as it is kept."""
    return asdict(filled)


def from_json(raw: dict[str, Any]) -> Filled:
    """Return what was kept."""
    memory = None if raw["memory"] is None else Cell(**raw["memory"])
    return Filled(**(raw | {"cell": Cell(**raw["cell"]), "memory": memory}))


def ours(found: Sequence[Filled], subject: str, size: int) -> Filled | None:
    """Return agentorch's own cell, if it is there and filled."""
    fitting = [one for one in found if one.key == (OURS, subject, size) and not one.cell.error]
    return fitting[0] if fitting else None
