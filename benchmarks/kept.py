"""What was measured, kept as JSON: a file a table and a file a workload, from which the page is written."""

import datetime as dt
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.cells import Filled, from_json, to_json
from benchmarks.measurement import Measurement, read
from benchmarks.processes import ROOT

RESULTS: Final = ROOT / "benchmarks" / "results"
QUICK: Final = ROOT / "benchmarks" / ".quick"
"""Where a quick look keeps its own: it is no result."""


@dataclass
class Results:
    """What is kept in one folder, by the name of a table or of a workload."""

    folder: Path
    machine: dict[str, str] = field(default_factory=dict[str, str])
    """On what is measured now; what was measured on another is dropped."""

    def cells(self, table: str) -> list[Filled]:
        """Return the cells of a table."""
        return [from_json(raw) for raw in self._read(table).get("cells", [])]

    def keep(self, table: str, filled: Filled) -> None:
        """Put a cell into its table, in the place of the one that was there."""
        cells = {one.key: one for one in self.cells(table)} | {filled.key: filled}
        self._write(table, {"cells": [to_json(one) for one in cells.values()]})

    def drop(self, table: str, peers: Sequence[str] | None, measured: Collection[tuple[str, str, int]]) -> None:
        """Drop the cells of these peers, or of all, that are measured no more."""
        left = [
            one for one in self.cells(table) if (peers is not None and one.peer not in peers) or one.key in measured
        ]
        self._write(table, {"cells": [to_json(one) for one in left]})

    def figures(self, workload: str) -> dict[str, list[Measurement]]:
        """Return the figures of a workload, by subject; the one without a name is agentorch alone."""
        return {who: [read(raw) for raw in found] for who, found in self._read(workload).get("figures", {}).items()}

    def keep_figures(
        self, workload: str, subject: str, found: Sequence[Measurement], words: Sequence[str] = ()
    ) -> None:
        """Put the figures of a subject in the place of those that were there; `words` is a table of the workload."""
        figures = self._read(workload).get("figures", {}) | {subject: [asdict(one) for one in found]}
        self._write(workload, {"figures": figures, "words": list(words)})

    def words(self, workload: str) -> list[str]:
        """Return the table that a workload has told in words, by line."""
        return self._read(workload).get("words", [])

    def header(self, name: str) -> tuple[dict[str, str], str]:
        """Return the machine and the day of the last measurement."""
        kept = self._read(name)
        return kept.get("machine", {}), kept.get("measured", "")

    def names(self) -> list[str]:
        """Return what there is."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / f"{name}.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        return kept if not self.machine or kept.get("machine") == self.machine else {}

    def _write(self, name: str, what: dict[str, Any]) -> None:
        self.folder.mkdir(exist_ok=True)
        whole = {"machine": self.machine, "measured": today()} | what
        (self.folder / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n")


def today() -> str:
    """Return the day."""
    return dt.datetime.now(dt.UTC).date().isoformat()
