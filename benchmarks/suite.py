"""Measures what is asked for, a process a cell, and keeps each result as soon as it is there.

1. agentorch and the floors come first, with every workload that has a goal; then one peer after the other, the slow
   ones last; then what only tells. A run that is ended early has what counts most.
2. A peer has less time than agentorch and the floors, so that a slow one is repeated less often; its cells say so.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.cells import Filled, Filler, Limits
from benchmarks.durable import READERS
from benchmarks.entrants import FLOORS, OURS, Entrant, entrants, programs
from benchmarks.kept import Results, today
from benchmarks.measurement import Measurement, figure, read
from benchmarks.processes import carried_out, in_line, without_paths
from benchmarks.recorded import DATA
from benchmarks.rows import TABLES, WORKLOADS, Table, Workload

HERE: Final = Path(sys.executable)
IN_MEMORY: Final = "used in memory here: no idiom of it that takes up a run is measured"
CRITICAL: Final = 2.0
"""Seconds of the critical path where tasks sleep as long as recorded calls took."""
ASLEEP: Final = CRITICAL * 4.5
"""Seconds for all repeats there: two, each beside the floor. What sleeps is much the same each time."""


@dataclass
class Suite:
    """What is to be measured."""

    results: Results
    only: Sequence[str] = ()
    """Words of which one is in the name of what is measured; empty for all."""
    peers: Sequence[str] | None = None
    quick: bool = False
    limits: Limits = field(default_factory=Limits)
    """Of agentorch and the floors."""
    peer_limits: Limits = field(default_factory=Limits)
    data: Path = DATA
    measured: dict[str, list[tuple[str, str, int]]] = field(default_factory=lambda: defaultdict(list))
    """The cells that were, by table."""

    def run(self) -> None:
        """Measure it."""
        others = [one for one in WORKLOADS if self._wanted(one.name) and not (self.quick and one.quick is None)]
        durable = [one for one in others if one.durable]
        with tempfile.TemporaryDirectory() as folder:
            tables = list(self._tables(Path(folder)))
            groups = self._groups() if tables or durable else iter([])
            self._group(next(groups, []), tables, durable, self.limits)
            for workload in others:
                if not (workload.durable or workload.prose):
                    self._alone(workload)
            for group in groups:
                self._group(group, tables, durable, self.peer_limits)
        for table, _ in tables:
            chosen = None if self.peers is None else [OURS, *FLOORS, *self.peers]
            self.results.drop(table.name, chosen, self.measured[table.name])
        for workload in others:
            if workload.prose:
                self._alone(workload)

    def _wanted(self, name: str) -> bool:
        return not self.only or any(word in name for word in self.only)

    def _groups(self) -> Iterator[list[Entrant]]:
        """Yield agentorch with the floors, and then one peer after the other."""
        found = programs(self.peers)
        yield [one for program in found if program.peer in (OURS, *FLOORS) for one in entrants(program)]
        for program in found:
            if program.peer not in (OURS, *FLOORS):
                yield list(entrants(program))

    def _tables(self, folder: Path) -> Iterator[tuple[Table, list[str]]]:
        """Yield each table with what its programs are told besides; those whose data is not there are left out."""
        file = folder / "seconds.json"
        for table in TABLES:
            if not self._wanted(table.name):
                continue
            slots = [] if table.slots is None else ["--slots", str(table.slots)]
            seconds: list[str] = []
            if table.recorded:
                arguments = ["--data", str(self.data), "--write", str(file), "--seconds", str(CRITICAL)]
                ended = carried_out(HERE, "benchmarks.latencies", arguments, limit=self.limits.seconds)
                if not file.exists():
                    progress(table.name, "", in_line(ended.said or ended.problem), 0.0)
                    continue
                seconds = ["--seconds", str(file)]
            yield table.quick() if self.quick else table, [*slots, *seconds]

    def _group(
        self,
        group: Sequence[Entrant],
        tables: Sequence[tuple[Table, Sequence[str]]],
        durable: Sequence[Workload],
        limits: Limits,
    ) -> None:
        for table, options in tables:
            filler = Filler(table.shape, replace(limits, patience=ASLEEP) if table.recorded else limits, options)
            for size in table.sizes:
                for entrant in group:
                    self._cell(table, size, entrant, filler)
        for workload in durable:
            for entrant in group:
                if entrant.resumes and not entrant.problem:
                    program = entrant.program
                    self._workload(workload, entrant.name, [str(program.python), program.module, entrant.name])
            if group and not any(entrant.resumes for entrant in group):
                why = group[0].problem or IN_MEMORY
                self.results.keep_figures(
                    workload.name, group[0].name, [Measurement(workload.says, None, "", note=why)]
                )
                progress(workload.name, group[0].name, why, 0.0)

    def _cell(self, table: Table, size: int, entrant: Entrant, filler: Filler) -> None:
        began = time.monotonic()
        filled = filler.fill(entrant, size, memory=size in table.memory, measured=today())
        self.results.keep(table.name, filled)
        self.measured[table.name].append(filled.key)
        progress(f"{table.name} {size:,}", entrant.name, _told(filled), time.monotonic() - began)

    def _alone(self, workload: Workload) -> None:
        self._workload(workload, "", [] if workload.prose else ["--json"])

    def _workload(self, workload: Workload, subject: str, arguments: Sequence[str]) -> None:
        began = time.monotonic()
        more = [*workload.arguments, *((workload.quick or ()) if self.quick else ())]
        data = ["--data", str(self.data)] if workload.data else []
        ended = carried_out(HERE, f"benchmarks.{workload.name}", [*arguments, *more, *data], limit=workload.limit)
        if workload.prose and ended.said:
            self.results.keep_figures(workload.name, subject, [], without_paths(ended.said).splitlines())
            progress(workload.name, subject, "told", time.monotonic() - began)
            return
        found, words = _figures(workload, ended.told)
        if not found:
            found = [Measurement(workload.says, None, "", note=ended.problem or "it told no figure")]
        self.results.keep_figures(workload.name, subject, found, words)
        met = sum(one.met is True for one in found)
        told = f"{len(found)} figures, {met} of {sum(one.goal is not None for one in found)} goals met"
        missing = "; ".join(f"{one.name}: {one.note}" for one in found if one.value is None)
        progress(workload.name, subject, "; ".join(filter(None, (told, missing))), time.monotonic() - began)


def _figures(workload: Workload, told: Any) -> tuple[list[Measurement], list[str]]:
    """Return what a program told as figures, and in words."""
    if workload.name in READERS:
        return list(READERS[workload.name]([told] if isinstance(told, dict) else told or [])), []
    whole = told if isinstance(told, dict) else {}
    return [read(raw) for raw in whole.get("figures", [])], whole.get("words", [])


def _told(filled: Filled) -> str:
    if filled.cell.error:
        return filled.cell.error
    memory = "" if filled.kilobytes is None else f", {filled.kilobytes:.2f} KB a task"
    return f"{figure(filled.median)} us a task{filled.times}{memory}"


def progress(what: str, who: str, told: str, seconds: float) -> None:
    """Say that something was measured."""
    print(f"{what:16} {who:34} {told}   [{seconds:.1f} s]", file=sys.stderr, flush=True)
