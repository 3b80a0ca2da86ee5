"""What a program has measured, as records, and how they are shown. Standard library only."""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """One figure."""

    name: str
    value: float | None
    """The median, where it was taken several times; None where it could not be measured, and the note says why."""
    unit: str
    goal: float | None = None
    """What it is to be at most; None where it is only told."""
    low: float | None = None
    high: float | None = None
    """The least and the most, where it was taken several times."""
    more: bool = False
    """Whether the goal is what it is to be at least."""
    note: str = ""
    floor: float | None = None
    """The same of a program that does nothing else; None where there is none."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none, or no value."""
        return self._holds(self.value)

    @property
    def beyond(self) -> bool:
        """Whether the goal is missed, and the floor misses it too."""
        return self.met is False and self._holds(self.floor) is False

    def _holds(self, value: float | None) -> bool | None:
        if self.goal is None or value is None:
            return None
        return value >= self.goal if self.more else value <= self.goal

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return "" if self.value is None else f"{figure(self.value)} {self.unit}"

    @property
    def spread(self) -> str:
        """The least and the most."""
        return "" if self.low is None or self.high is None else f"{figure(self.low)} to {figure(self.high)}"

    @property
    def wanted(self) -> str:
        """The goal in words."""
        return "" if self.goal is None else f"{'at least' if self.more else 'at most'} {figure(self.goal)}"

    @property
    def verdict(self) -> str:
        """Whether the goal is met, in words."""
        if self.beyond:
            return "as the floor"
        return {True: "met", False: "NOT MET", None: "" if self.goal is None else "NOT MEASURED"}[self.met]


def several(
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    goal: float | None = None,
    more: bool = False,
    note: str = "",
    floor: float | None = None,
) -> Measurement:
    """Return the median of what was taken several times, with the least and the most."""
    return Measurement(name, statistics.median(values), unit, goal, min(values), max(values), more, note, floor)


def absent(name: str, why: str) -> list[Measurement]:
    """Return the one figure that stands where nothing could be measured."""
    return [Measurement(name, None, "", note=why)]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def parser_of(words: str | None) -> argparse.ArgumentParser:
    """Return the options that each program has."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="the records as JSON")
    return parser


def show(found: Sequence[Measurement], *, as_json: bool, words: Sequence[str] = ()) -> None:
    """Print the figures, a line each, below a table in words; or both as one JSON object."""
    if as_json:
        figures = [asdict(one) | {"met": one.met} for one in found]
        print(json.dumps({"figures": figures, "words": list(words)}, indent=2))
        return
    for line in words:
        print(line)
    for one in found:
        spread = f"({one.spread})" if one.spread else ""
        goal = "" if one.goal is None else f"{one.wanted}: {one.verdict}"
        value = "" if one.value is None else figure(one.value)
        line = f"{one.name:62} {value:>9} {one.unit:12} {spread:24} {goal:28} {one.note}"
        print(line.rstrip(), flush=True)


def read(raw: Mapping[str, Any]) -> Measurement:
    """Return a figure that was told as JSON."""
    return Measurement(**{field.name: raw[field.name] for field in fields(Measurement) if field.name in raw})


def figure(value: float) -> str:
    """Return a number with as many digits as anybody reads: near one, one more."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    if 1 < value < 2:
        return f"{value:.4g}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"
