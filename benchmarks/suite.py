"""Measures what is asked for, a process a cell, and keeps each result as soon as it is there."""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.cells import Filled, Filler, Limits
from benchmarks.durable import READERS
from benchmarks.entrants import FLOOR, OURS, Entrant, entrants, programs
from benchmarks.kept import Results, today
from benchmarks.measurement import Measurement, figure, read
from benchmarks.processes import ROOT, carried_out, in_line, without_paths
from benchmarks.rows import TABLES, WORKLOADS, Table, Workload

DATA: Final = ROOT.parent / "shared" / "data"
HERE: Final = Path(sys.executable)


@dataclass
class Suite:
    """What is to be measured."""

    results: Results
    only: Sequence[str] = ()
    """Words of which one is in the name of what is measured; empty for all."""
    peers: Sequence[str] | None = None
    quick: bool = False
    limits: Limits = field(default_factory=Limits)
    data: Path = DATA

    def run(self) -> None:
        """Measure it."""
        tables = [table.quick() if self.quick else table for table in TABLES if self._wanted(table.name)]
        others = [one for one in WORKLOADS if self._wanted(one.name) and not (self.quick and one.quick is None)]
        taking_part: list[Entrant] = []
        if tables or any(one.durable for one in others):
            taking_part = [entrant for program in programs(self.peers) for entrant in entrants(program)]
        for table in tables:
            self._table(table, taking_part)
        for workload in others:
            self._workload(workload, taking_part)

    def _wanted(self, name: str) -> bool:
        return not self.only or any(word in name for word in self.only)

    def _table(self, table: Table, taking_part: Sequence[Entrant]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            options = self._options(table, Path(folder) / "seconds.json")
            if options is not None:
                self._fill(table, Filler(table.shape, self.limits, options), taking_part)

    def _options(self, table: Table, file: Path) -> list[str] | None:
        """Return what else each program is told; None where there is no recorded data."""
        slots = [] if table.slots is None else ["--slots", str(table.slots)]
        if not table.recorded:
            return slots
        arguments = ["--data", str(self.data), "--write", str(file)]
        ended = carried_out(HERE, "benchmarks.latencies", arguments, limit=self.limits.seconds)
        if not file.exists():
            progress(table.name, "", in_line(ended.said or ended.problem), 0.0)
            return None
        return [*slots, "--seconds", str(file)]

    def _fill(self, table: Table, filler: Filler, taking_part: Sequence[Entrant]) -> None:
        keys: list[tuple[str, str, int]] = []
        for size in table.sizes:
            for entrant in taking_part:
                began = time.monotonic()
                filled = filler.fill(entrant, size, memory=size in table.memory, measured=today())
                self.results.keep(table.name, filled)
                keys.append(filled.key)
                progress(f"{table.name} {size:,}", entrant.name, _told(filled), time.monotonic() - began)
        chosen = None if self.peers is None else [OURS, FLOOR, *self.peers]
        self.results.drop(table.name, chosen, keys)

    def _workload(self, workload: Workload, taking_part: Sequence[Entrant]) -> None:
        for subject, arguments in self._commands(workload, taking_part):
            began = time.monotonic()
            ended = carried_out(HERE, f"benchmarks.{workload.name}", arguments, limit=workload.limit)
            if workload.prose and ended.said:
                self.results.keep_words(workload.name, without_paths(ended.said).splitlines())
                progress(workload.name, subject, "told", time.monotonic() - began)
                continue
            found = _figures(workload, ended.told)
            if not found:
                found = [Measurement(workload.says, None, "", note=ended.problem or "it told no figure")]
            self.results.keep_figures(workload.name, subject, found)
            met = sum(one.met is True for one in found)
            told = f"{len(found)} figures, {met} of {sum(one.goal is not None for one in found)} goals met"
            missing = "; ".join(one.note for one in found if one.value is None)
            progress(workload.name, subject, missing or told, time.monotonic() - began)

    def _commands(self, workload: Workload, taking_part: Sequence[Entrant]) -> Iterator[tuple[str, list[str]]]:
        more = [*workload.arguments, *((workload.quick or ()) if self.quick else ())]
        more += ["--data", str(self.data)] if workload.data else []
        if not workload.durable:
            yield "", [*([] if workload.prose else ["--json"]), *more]
            return
        for entrant in taking_part:
            if entrant.resumes and not entrant.problem:
                program = entrant.program
                yield entrant.name, [str(program.python), program.module, entrant.name, *more]


def _figures(workload: Workload, told: Any) -> list[Measurement]:
    """Return what a program told as figures."""
    lines = [told] if isinstance(told, dict) else told or []
    if workload.name in READERS:
        return list(READERS[workload.name](lines))
    return [read(raw) for raw in lines]


def _told(filled: Filled) -> str:
    if filled.cell.error:
        return filled.cell.error
    memory = "" if filled.kilobytes is None else f", {filled.kilobytes:.2f} KB a task"
    return f"{figure(filled.median)} us a task{filled.times}{memory}"


def progress(what: str, who: str, told: str, seconds: float) -> None:
    """Say that something was measured."""
    print(f"{what:16} {who:34} {told}   [{seconds:.1f} s]", file=sys.stderr, flush=True)
