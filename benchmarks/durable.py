"""What is told of durable subjects by `killed` and `growth`, as figures with the goals of agentorch."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from benchmarks.measurement import Measurement, several

TAKEN_UP: Final = 20.0
"""Milliseconds from the end of the imports to the first task that is new, where tasks take no time."""
IN_FLIGHT: Final = 1
"""Tasks of a chain that can be at work when it is killed."""
SHORT: Final = 1000
"""Tasks of the chain that a longer one is held against."""
CONSTANT: Final = 1.1
"""What a task of the longest chain may write beside one of the short one."""

Line = Mapping[str, Any]
Lines = Sequence[Line]


def killed(lines: Lines) -> Iterator[Measurement]:
    """Return what kills cost, a line each, by how long tasks sleep."""
    for sleep in dict.fromkeys(line["sleep"] for line in lines):
        alike = [line for line in lines if line["sleep"] == sleep]
        what = f"tasks of {sleep * 1000:g} ms" if sleep else "no-op tasks"
        name = f"killed in a chain of {alike[0]['tasks']:,} {what}"
        errors = [line["error"] for line in alike if line["error"]]
        if errors:
            yield Measurement(name, None, "ms", TAKEN_UP, note=errors[0])
            continue
        # A task that runs again takes its own time before the first new one can begin.
        field, first = ("first_ms", "first task") if sleep else ("new_ms", "first new task")
        yield several(f"{name}: to the {first}", [line[field] for line in alike], "ms", goal=TAKEN_UP)
        note = f"of {round(statistics.median(line['begun'] for line in alike)):,} that had begun"
        goal = IN_FLIGHT if sleep else None
        again = [line["again"] for line in alike]
        yield several(f"{name}: tasks that ran again", again, "tasks", goal=goal, note=note)


def growth(lines: Lines) -> Iterator[Measurement]:
    """Return what a task writes, by the length of the chain."""
    for line in lines:
        name = f"chain of {line['tasks']:,}, results of 1 KB"
        if line["error"]:
            yield Measurement(name, None, "bytes a task", note=line["error"])
            continue
        for field, (what, unit) in FIELDS.items():
            counted = not isinstance(line[field], str)
            note = "" if counted else line[field]
            yield Measurement(f"{name}: {what}", line[field] if counted else None, unit, note=note)
    for field, (what, _) in FIELDS.items():
        yield from _constant(lines, field, what)


FIELDS: Final = {
    "kept_bytes": ("kept", "bytes a task"),
    "written_bytes": ("written", "bytes a task"),
    "syncs": ("syncs", "fsyncs a task"),
}


def _constant(lines: Lines, field: str, what: str) -> Iterator[Measurement]:
    """Return what a task of the longest chain writes, beside one of the short chain."""
    short = next((line for line in lines if line["tasks"] == SHORT), None)
    if short is None or short["error"] or not isinstance(short[field], float) or short is lines[-1]:
        return
    long = lines[-1]
    name = f"{what}: a task of {long['tasks']:,} beside one of {SHORT:,}"
    if long["error"]:
        yield Measurement(name, None, "times", CONSTANT, note=long["error"])
    elif short[field]:
        yield Measurement(name, long[field] / short[field], "times", CONSTANT)
    else:
        yield Measurement(name, None, "times", note="it waits for no disk")


READERS: Final = {"killed": killed, "growth": growth}
"""By workload."""
