"""What is told of durable subjects by `killed` and `growth`, as figures with the goals of agentorch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from benchmarks.measurement import Measurement

TAKEN_UP: Final = 20.0
"""Milliseconds from the end of the imports to the first task that is new."""
IN_FLIGHT: Final = 1
"""Tasks of a chain that can be at work when it is killed."""
CONSTANT: Final = 1.1
"""What a task of the longest chain may write beside one of the shortest."""

Lines = Sequence[Mapping[str, Any]]


def killed(lines: Lines) -> Iterator[Measurement]:
    """Return what a kill cost, of one line."""
    for line in lines:
        name = f"killed in a chain of {line['tasks']:,}"
        if line["error"]:
            yield Measurement(name, None, "ms", TAKEN_UP, note=line["error"])
            continue
        yield Measurement(f"{name}: to the first new task", line["new_ms"], "ms", TAKEN_UP)
        note = f"of {line['begun']:,} that had begun"
        yield Measurement(f"{name}: tasks that ran again", line["again"], "tasks", IN_FLIGHT, note=note)


def growth(lines: Lines) -> Iterator[Measurement]:
    """Return what a task writes, by the length of the chain."""
    kept: list[float] = []
    for line in lines:
        name = f"chain of {line['tasks']:,}, results of 1 KB"
        if line["error"]:
            yield Measurement(name, None, "bytes a task", note=line["error"])
            continue
        kept.append(line["kept_bytes"])
        yield Measurement(f"{name}: kept", line["kept_bytes"], "bytes a task")
        for field, unit in (("written_bytes", "bytes a task"), ("syncs", "fsyncs a task")):
            counted = not isinstance(line[field], str)
            note = "" if counted else line[field]
            yield Measurement(f"{name}: {field.split('_')[0]}", line[field] if counted else None, unit, note=note)
    if len(kept) > 1:
        yield Measurement(
            "a task of the longest chain beside one of the shortest", kept[-1] / kept[0], "times", CONSTANT
        )


READERS: Final = {"killed": killed, "growth": growth}
"""By workload."""
