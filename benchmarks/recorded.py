"""What others have recorded: DAGs with durations, plans that agents work by, and what model calls took.

The data lies beside the project (see its README) and is no part of it: where it is absent, `missing` says so.
"""

import csv
import gzip
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.shapes import Shape

DATA: Final = Path(os.environ.get("AGENTORCH_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
DAGS: Final = ("dags_dagbench.jsonl.gz", "dags_estee.jsonl.gz")
GOLD: Final = "plans_gold_worfbench_half.jsonl.gz"
WRITTEN: Final = "plans_llm_taskbench_codellama13b.jsonl.gz"
CALLS: Final = "latency_llmperf.csv.gz"
SHORTEST: Final = 0.001
"""Seconds that a recorded task takes at least."""

Needs = Sequence[Sequence[int]]
"""For each task, the indices of those that it needs."""


def missing(folder: Path) -> str | None:
    """Say that there is no data in the folder; None if there is."""
    absent = [name for name in (*DAGS, GOLD, WRITTEN, CALLS) if not (folder / name).exists()]
    return f"skipped: there is no {absent[0]}; give its folder with --data" if absent else None


def dags(folder: Path) -> list[Shape]:
    """Return the recorded DAGs, each with its durations."""
    found: list[Shape] = []
    for raw in (raw for name in DAGS for raw in _lines(folder / name)):
        shape = shape_of(raw["name"], raw["deps"])
        assert shape is not None, f"{raw['name']} has a cycle"
        durations = {f"t{i}": max(SHORTEST, float(seconds)) for i, seconds in enumerate(raw["dur"])}
        found.append(Shape(shape.name, shape.tasks, seconds=durations))
    return found


def plans(folder: Path) -> list[Shape]:
    """Return the shapes of plans for agents: hand-checked ones without issues, and a model's own that can be run."""
    gold = [shape_of(raw["id"], _gold(raw)) for raw in _lines(folder / GOLD) if not raw["issues"]]
    written = [shape_of(raw["id"], _written(raw)) for raw in _lines(folder / WRITTEN)]
    return [shape for shape in (*gold, *written) if shape is not None]


def latencies(folder: Path) -> dict[str, list[float]]:
    """Return the seconds from end to end of every call that went well, by provider and model."""
    found: dict[str, list[float]] = {}
    with gzip.open(folder / CALLS, "rt") as file:
        for row in csv.DictReader(file):
            if not row["error_code"]:
                found.setdefault(row["provider_model"], []).append(float(row["e2e_s"]))
    return found


def shape_of(name: str, needs: Needs) -> Shape | None:
    """Return the tasks t0, t1, ... with each below those that it needs; None where one needs itself or what is not."""
    if any(not 0 <= need < len(needs) for those in needs for need in those):
        return None
    open_needs = [len(set(those)) for those in needs]
    dependents: list[list[int]] = [[] for _ in needs]
    for i, those in enumerate(needs):
        for need in set(those):
            dependents[need].append(i)
    free = deque(i for i, count in enumerate(open_needs) if not count)
    tasks: list[tuple[str, tuple[str, ...]]] = []
    while free:
        i = free.popleft()
        tasks.append((f"t{i}", tuple(f"t{need}" for need in sorted(set(needs[i])))))
        for other in dependents[i]:
            open_needs[other] -= 1
            if not open_needs[other]:
                free.append(other)
    return Shape(name, tasks) if len(tasks) == len(needs) else None


def _gold(raw: dict[str, Any]) -> Needs:
    place = {name: i for i, name in enumerate(raw["ids"])}
    needs: list[list[int]] = [[] for _ in place]
    for first, second in raw["edges"]:
        if first in place and second in place:  # the marks START and END are no tasks
            needs[place[second]].append(place[first])
    return needs


def _written(raw: dict[str, Any]) -> Needs:
    """Read the references of a plan; one that means nothing is an index that no task has."""
    return [
        [_index(argument) for argument in map(str, node["arguments"]) if argument.startswith("<node-")]
        for node in raw["task_nodes"]
    ]


def _index(reference: str) -> int:
    digits = reference.removeprefix("<node-").removesuffix(">")
    return int(digits) if digits.isdecimal() else -1


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            yield json.loads(line)
