"""Tables: what was kept, as rows of words, for a terminal and for a page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.cells import Filled
from benchmarks.entrants import FLOOR, OURS
from benchmarks.goals import GOALS
from benchmarks.kept import Results
from benchmarks.measurement import Measurement, figure
from benchmarks.rows import TABLES, WORKLOADS, Table

Names = Collection[str]
NAMES: Final[Names] = tuple(one.name for one in (*TABLES, *WORKLOADS))
REPEATS: Final = 5
"""What is repeated less often is said to be."""
OWN: Final = ("", "agentorch", "agentorch, SQLite", "agentorch, SQLite FULL")
"""Whose figures have goals."""
SHORT: Final = 48
"""Letters of an error that stand in a cell; the whole of it stands in the table of errors."""


@dataclass(frozen=True)
class Grid:
    """A table of words."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    below: str = ""
    words: Sequence[str] = ()
    """Lines below it as they were printed."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to be shown."""
        return not (self.rows or self.words)

    def text(self) -> str:
        """Return it for a terminal."""
        lines = [self.header, *self.rows] if self.rows else []
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header) if lines else 0)]
        told = ["  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)) for line in lines]
        whole = [self.title, "-" * len(self.title), *told, *([self.below] if self.below else [])]
        return "\n".join(line.rstrip() for line in [*whole, *self.words])

    def markdown(self) -> str:
        """Return it for a page."""
        lines = [self.header, ["---"] * len(self.header), *self.rows] if self.rows else []
        told = ["| " + " | ".join(word.replace("|", "\\|") for word in line) + " |" for line in lines]
        words = ["```text", *self.words, "```"] if self.words else []
        parts = ["\n".join(part) for part in (told, [self.below] if self.below else [], words) if part]
        return "\n\n".join(parts)


def beside(table: Table, results: Results) -> Grid:
    """Return who carried the shape out, and at what cost."""
    found = results.cells(table.name)
    sizes = sorted({one.cell.size for one in found})
    weighed = [size for size in sizes if any(one.memory for one in found if one.cell.size == size)]
    header = ["us a task (times the floor)", *(f"{size:,}" for size in sizes)]
    header += [f"KB a task, {size:,}" for size in weighed]
    rows: list[list[str]] = []
    for who in dict.fromkeys((one.peer, one.cell.subject) for one in sorted(found, key=_place)):
        cells = {one.cell.size: one for one in found if (one.peer, one.cell.subject) == who}
        costs = [_cost(cells.get(size)) for size in sizes]
        rows.append([who[1], *costs, *(_weight(cells.get(size)) for size in weighed)])
    return Grid(f"{table.name}: {table.says}", header, rows, _checked(found))


def _place(filled: Filled) -> tuple[bool, bool, str]:
    return filled.peer != OURS, filled.peer != FLOOR, filled.peer


def _cost(filled: Filled | None) -> str:
    if filled is None:
        return "not measured"
    cell = filled.cell
    if cell.error:
        return cell.error if len(cell.error) <= SHORT else f"{cell.error[:SHORT]}..."
    spread = f"{_digits(min(filled.microseconds))}-{_digits(max(filled.microseconds))}"
    repeats = len(cell.seconds)
    fewer = f", n = {repeats}" if repeats < REPEATS else ""
    runs = cell.tasks // 5 if cell.shape == "diamonds" else 0
    rate = f", {figure(round(runs / (filled.median * cell.tasks / 1e6)))} runs/s" if runs else ""
    return f"{_digits(filled.median)}{filled.times} [{spread}]{rate}{fewer}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _weight(filled: Filled | None) -> str:
    if filled is None or (filled.memory is None and not filled.cell.error):
        return "not measured"
    return "error" if filled.kilobytes is None else f"{filled.kilobytes:.2f}"


def _checked(found: Sequence[Filled]) -> str:
    full = [one for one in found if not one.cell.error]
    repeats = sum(len(one.cell.seconds) + (one.memory is not None) for one in full)
    tasks = sum(one.cell.tasks * len(one.cell.seconds) for one in full)
    empty = len(found) - len(full)
    return (
        f"Outputs: {figure(tasks)} in {repeats} repeats of {len(full)} cells were compared with what is expected of "
        f"the shape, and all are right; {empty} cells hold an error instead."
    )


def goals(results: Results, names: Names = NAMES) -> Grid:
    """Return what agentorch is to reach, and whether it does."""
    figures = goal_figures(results, names)
    rows = [[one.name, one.shown or "not measured", one.wanted, one.verdict, _note(one)] for one in figures]
    reached = sum(one.met is True for one in figures)
    asked = sum(one.goal is not None for one in figures)
    beyond = sum(one.beyond for one in figures)
    words = f"{reached} of {asked} goals are met."
    if beyond:
        words += f" {beyond} are missed by a program too that does nothing else (the floor)."
    return Grid("goals", ["figure", "is", "goal", "", ""], rows, words)


def goal_figures(results: Results, names: Names = NAMES) -> list[Measurement]:
    """Return the figures of agentorch for which there is a goal, and what stands beside them."""
    figures: list[Measurement] = []
    for table in TABLES:
        if table.name in names and table.name in GOALS and (found := results.cells(table.name)):
            figures += GOALS[table.name](found)
    for one in WORKLOADS:
        if one.name in names:
            for who, told in results.figures(one.name).items():
                asked = [each for each in told if each.goal is not None and who in OWN]
                figures += [replace(each, name=f"{who}: {each.name}" if who else each.name) for each in asked]
    return figures


def _note(one: Measurement) -> str:
    return ", ".join(part for part in (one.spread, one.note) if part)


def workload(name: str, results: Results) -> Grid:
    """Return the figures of a program."""
    says = next((one.says for one in WORKLOADS if one.name == name), name)
    rows = [
        [who, one.name, one.shown or "not measured", *goal, _note(one)]
        for who, told in results.figures(name).items()
        for one in told
        for goal in ([one.wanted, one.verdict] if who in OWN else ["", ""],)
    ]
    header = ["", "figure", "is", "goal", "", ""]
    if not any(row[0] for row in rows):
        header, rows = header[1:], [row[1:] for row in rows]
    return Grid(f"{name}: {says}", header, rows, words=results.words(name))


def _all_cells(results: Results, names: Names) -> list[tuple[Table, Filled]]:
    tables = [table for table in TABLES if table.name in names]
    return [(table, one) for table in tables for one in sorted(results.cells(table.name), key=_place)]


def idioms(results: Results, names: Names = NAMES) -> Grid:
    """Return what of each subject was used."""
    used: dict[tuple[str, str], list[str]] = {}
    for table, one in _all_cells(results, names):
        if one.cell.idiom:
            used.setdefault((one.cell.subject, one.cell.idiom), []).append(table.name)
    rows = [[*who, ", ".join(dict.fromkeys(shapes))] for who, shapes in used.items()]
    return Grid("idioms", ["subject", "idiom", "for"], rows)


def errors(results: Results, names: Names = NAMES) -> Grid:
    """Return why cells are empty."""
    found: dict[tuple[str, str], list[str]] = {}
    for table, one in _all_cells(results, names):
        for cell, what in ((one.cell, ""), (one.memory, ", memory")):
            if cell is not None and cell.error:
                cells = found.setdefault((cell.subject, cell.error), [])
                cells.append(f"{table.name} of {cell.size:,}{what}")
    rows = [[subject, "; ".join(cells), error] for (subject, error), cells in found.items()]
    return Grid("errors", ["subject", "cells", "why they are empty"], rows)


def versions(results: Results, names: Names = NAMES) -> Grid:
    """Return the exact versions, out of the cells."""
    cells = [one.cell for _, one in _all_cells(results, names)]
    found = {f"{name} {version}" for cell in cells for name, version in cell.versions.items()}
    return Grid("versions", ["measured"], [[name] for name in sorted(found)])


def machine(results: Results, names: Names = NAMES) -> Grid:
    """Return on what it was measured, and when."""
    headers = [results.header(name) for name in results.names() if name in names]
    facts: dict[str, str] = {}
    for known, _ in headers:
        facts |= known
    days = sorted({day for _, day in headers if day})
    measured = [["measured", " to ".join(dict.fromkeys((days[0], days[-1])))]] if days else []
    return Grid("machine", ["", ""], [*([name, value] for name, value in facts.items()), *measured])


WHOLE: Final = {"machine": machine, "versions": versions, "goals": goals, "idioms": idioms, "errors": errors}
"""What is made out of all tables."""


def by_name(name: str, results: Results, names: Names = NAMES) -> Grid:
    """Return a table by its name, or one that is made out of all with these names; KeyError where there is none."""
    if name in WHOLE:
        return WHOLE[name](results, names)
    for table in TABLES:
        if table.name == name:
            return beside(table, results)
    if name in NAMES:
        return workload(name, results)
    raise KeyError(name)
