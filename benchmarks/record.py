"""One figure of a workload, and how it is told: on a line, and as JSON. Standard library only."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Record:
    """A figure, and whether it is what it was to be."""

    name: str
    value: float | str | None
    """None where it could not be measured; the note says why."""
    unit: str = ""
    goal: str = ""
    """In words; empty for what is only shown beside another figure."""
    met: bool | None = None
    """None where there is no goal, or no value."""
    note: str = ""

    @property
    def shown(self) -> str:
        """The value with its unit."""
        if self.value is None:
            return ""
        return f"{number(self.value) if isinstance(self.value, int | float) else self.value} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """Whether the goal is met, in words."""
        return {True: "met", False: "not met", None: "not measured" if self.goal else ""}[self.met]


def at_most(name: str, value: float, limit: float, unit: str, *, note: str = "") -> Record:
    """Return the record of what is to be no more than `limit`."""
    return Record(name, value, unit, f"at most {number(limit)} {unit}".strip(), value <= limit, note)


def at_least(name: str, value: float, limit: float, unit: str, *, note: str = "") -> Record:
    """Return the record of what is to be no less than `limit`."""
    return Record(name, value, unit, f"at least {number(limit)} {unit}".strip(), value >= limit, note)


def number(value: float) -> str:
    """Return a number with as many digits as anybody reads."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def tell(records: Iterable[Record]) -> None:
    """Print the records of a workload: as lines, or with `--json` on the command line as one line of JSON."""
    found = list(records)
    if "--json" in sys.argv:
        print(json.dumps([asdict(record) for record in found]))
        return
    for record in found:
        goal = f"   {record.goal}: {record.verdict}" if record.goal else ""
        print(f"{record.name:60} {record.shown:>14}{goal}   {record.note}".rstrip())


def read(raw: Any) -> Record:
    """Return a record that was told as JSON; whatever else it holds is left."""
    fields = ("name", "value", "unit", "goal", "met", "note")
    return Record(**{field: raw[field] for field in fields if raw.get(field) is not None or field == "value"})
