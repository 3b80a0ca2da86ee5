"""Measures what is asked for, a process a cell, and keeps each result as soon as it is there."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.cells import Filled, Filler, Limits
from benchmarks.entrants import FLOOR, OURS, Entrant, entrants, programs
from benchmarks.kept import Results, today
from benchmarks.measurement import Measurement, figure, read
from benchmarks.processes import ROOT, carried_out
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
        filler = Filler(table.shape, self.limits)
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
            limit = workload.limit
            ended = carried_out(HERE, f"benchmarks.{workload.name}", arguments, limit=limit)
            found = _figures(ended.told)
            if not found:
                why = ended.problem or "it told no figure"
                found = [Measurement(workload.says, None, "", note=why)]
            self.results.keep_figures(workload.name, subject, found)
            met = sum(one.met is True for one in found)
            told = f"{len(found)} figures, {met} of {sum(one.goal is not None for one in found)} goals met"
            missing = "; ".join(one.note for one in found if one.value is None)
            progress(workload.name, subject, missing or told, time.monotonic() - began)

    def _commands(self, workload: Workload, taking_part: Sequence[Entrant]) -> Iterator[tuple[str, list[str]]]:
        more = [*workload.arguments, *((workload.quick or ()) if self.quick else ())]
        more += ["--data", str(self.data)] if workload.data else []
        if not workload.durable:
            yield "", ["--json", *more]
            return
        for entrant in taking_part:
            if entrant.resumes and not entrant.problem:
                program = entrant.program
                yield entrant.name, [str(program.python), program.module, entrant.name, *more]


def _figures(told: Any) -> list[Measurement]:
    """Return what a program told: a list of figures, or one object whose numbers are the figures."""
    if isinstance(told, list):
        return [read(raw) for raw in told]
    return []


def _told(filled: Filled) -> str:
    if filled.cell.error:
        return filled.cell.error
    ratio = "" if filled.ratio is None else f" ({figure(filled.ratio)}x)"
    memory = "" if filled.kilobytes is None else f", {filled.kilobytes:.2f} KB a task"
    return f"{figure(filled.median)} us a task{ratio}{memory}"


def progress(what: str, who: str, told: str, seconds: float) -> None:
    """Say that something was measured."""
    print(f"{what:16} {who:34} {told}   [{seconds:.1f} s]", file=sys.stderr, flush=True)
