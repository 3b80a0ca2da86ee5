"""Hand-checked plans of others: they pass, and every graph mistake that is put into them is found.

The plans lie in the folder that AGENTORCH_DATA names, else in `../shared/data`; skipped where they are absent.
"""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agentorch.core.card import AgentCard
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import verify
from agentorch.planning.normalisation import normalise

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("AGENTORCH_DATA", BESIDE)) / "plans_gold_worfbench_half.jsonl.gz"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA.name} in AGENTORCH_DATA or ../shared/data")

DOER = AgentCard(name="doer", input={"type": "object", "additionalProperties": False}, output={"type": "string"})
CARDS = {"doer": DOER}
GRAPH_CODES = {"E_EMPTY", "E_DUP_ID", "E_UNKNOWN_AGENT", "E_UNKNOWN_DEP", "E_SELF_DEP", "E_CYCLE", "E_SCHEMA"}


def gold() -> Iterator[dict[str, Any]]:
    with gzip.open(DATA, "rt") as file:
        yield from map(json.loads, file)


@cache
def read_plans() -> list[tuple[dict[str, Any], list[Task], set[str]]]:
    """Every plan, its tasks, and the codes that it raises as it is."""
    return [(plan, *codes_of(plan)) for plan in gold()]


def codes_of(plan: dict[str, Any]) -> tuple[list[Task], set[str]]:
    nodes = [
        {"id": id, "agent": "doer", "objective": text} for id, text in zip(plan["ids"], plan["nodes"], strict=False)
    ]
    read = normalise({"tasks": nodes, "edges": plan["edges"]}, CARDS)
    checked = verify(Graph(tuple(read.tasks)), CARDS, strict=True)
    return read.tasks, {str(problem.code) for problem in (*read.problems, *checked.errors)}


def test_gold_plans_pass() -> None:
    """After normalisation no graph code is raised, unless the data set itself lists an issue."""
    wrong = {plan["id"]: codes for plan, _, codes in read_plans() if not plan["issues"] and codes & GRAPH_CODES}
    assert wrong == {}


Mutation = Callable[[list[Task]], list[Task]]


def _first(tasks: list[Task], **changes: Any) -> list[Task]:
    return [replace(tasks[0], **changes), *tasks[1:]]


MUTATIONS: dict[str, Mutation] = {
    "E_EMPTY": lambda tasks: [],
    "E_DUP_ID": lambda tasks: [*tasks, replace(tasks[0], objective="another")],
    "E_UNKNOWN_AGENT": lambda tasks: _first(tasks, agent="nobody"),
    "E_UNKNOWN_DEP": lambda tasks: _first(tasks, needs=("nowhere",)),
    "E_SELF_DEP": lambda tasks: _first(tasks, needs=(tasks[0].id,)),
    "E_CYCLE": lambda tasks: _first(
        [tasks[0], replace(tasks[1], needs=(tasks[0].id,)), *tasks[2:]], needs=(tasks[1].id,)
    ),
    "E_SCHEMA": lambda tasks: [*tasks, Task("Not An Id", "doer")],
    "E_ARGS": lambda tasks: _first(tasks, inputs={"unknown": 1}),
    "E_REF_PATH": lambda tasks: _first(tasks, objective=f"${{{tasks[-1].id}.part}}"),
}


@pytest.mark.parametrize("code", MUTATIONS)
def test_mutations_are_found(code: str) -> None:
    """Each mistake, put into each plan of two tasks or more, raises its code."""
    missed: list[str] = []
    for plan, tasks, codes in read_plans():
        if codes or len(tasks) < 2:
            continue
        checked = verify(Graph(tuple(MUTATIONS[code](tasks))), CARDS, strict=True)
        if code not in {problem.code for problem in checked.errors}:
            missed.append(plan["id"])
    assert missed == []


def test_limits_and_answers_are_checked_on_gold_plans() -> None:
    """Too many tasks, and an answer that is nobody's."""
    for _, tasks, codes in read_plans():
        if not codes:
            checked = verify(Graph(tuple(tasks), "$nowhere"), CARDS, max_tasks=len(tasks) - 1)
            assert {"E_LIMIT", "E_UNREACHABLE_FINAL"} <= {problem.code for problem in checked.errors}
