"""What a program has measured, as records, and how they are shown. Standard library only."""

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Measurement:
    """One figure."""

    name: str
    value: float
    """The median, where it was taken several times."""
    unit: str
    goal: float | None = None
    """What it is to be at most; None where it is only told."""
    low: float | None = None
    high: float | None = None
    """The least and the most, where it was taken several times."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        return None if self.goal is None else self.value <= self.goal


def several(name: str, values: Sequence[float], unit: str, *, goal: float | None = None) -> Measurement:
    """Return the median of what was taken several times, with the least and the most."""
    return Measurement(name, statistics.median(values), unit, goal, min(values), max(values))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def parser_of(words: str | None) -> argparse.ArgumentParser:
    """Return the options that each program has."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="the records as JSON")
    return parser


def show(found: Sequence[Measurement], *, as_json: bool) -> None:
    """Print the figures, a line each, or as one JSON list."""
    if as_json:
        print(json.dumps([asdict(one) | {"met": one.met} for one in found], indent=2))
        return
    for one in found:
        spread = "" if one.low is None or one.high is None else f"({_figure(one.low)} to {_figure(one.high)})"
        goal = "" if one.goal is None else f"goal {_figure(one.goal)}: {'met' if one.met else 'NOT MET'}"
        print(f"{one.name:72} {_figure(one.value):>9} {one.unit:9} {spread:24} {goal}".rstrip(), flush=True)


def _figure(value: float) -> str:
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"
