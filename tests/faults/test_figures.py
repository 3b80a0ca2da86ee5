"""Each row of the page can fail: made-up outputs of its program, of which one thing is not as it must be."""

from typing import Any, cast

import pytest

from tests.faults.figures import Extent
from tests.faults.report import SOURCES

KILLS: dict[str, Any] = {
    "points": 731, "every": 1, "places": 18, "places_done": 18, "passed": 921, "stories": 921, "kills": 1100,
    "commits": 9000, "committed_twice": 0, "fired": 2763, "fired_twice": 0, "calls": 15_000, "in_flight": 267,
    "repeated": 0,
}  # fmt: skip
CUTS: dict[str, Any] = {"cuts": 20, "acknowledged": 8000, "lost": 0, "resumed": 20}
CALLS: dict[str, Any] = {"name": "x", "kills": 30, "calls": 450, "repeated": 0, "most": 0, "unfinished": 0}
LONG: dict[str, Any] = {"tasks": 10_000, "events": 20_007, "bytes_per_task": 861, "seconds": 0.4, "cpu": 0.3}
GOOD: dict[str, Any] = {
    "Killed at every append and every send": KILLS,
    "Killed at random": KILLS | {"stories": 100, "passed": 100, "kills": 554},
    "Power cuts": {
        "power": CUTS | {"durability": "power"},
        "process": CUTS | {"durability": "process", "lost": 8000},
    },
    "Model calls paid for twice": {"agentorch": CALLS, "langgraph": [CALLS | {"repeated": 57, "most": 3}]},
    "Cancelled": {"moments": 200, "requests_before_cancel": 6000, "requests_after_cancel": 0, "control": 2},
    "Deterministic simulation": {
        "seeds": 2000, "violations": 0, "events": 300_000,
        "median_tasks": 24, "median_faults": 6, "median_crashes": 1.0,
    },
    "Budgets": {
        "runs": 36, "tasks": 40, "calls_of_a_task": 3, "stopped": 36, "calls": 1400, "beyond_one_estimate": 0,
        "worst_overshoot_in_estimates": 0.69,
    },
    "Long runs": [
        LONG | {"tasks": 100, "events": 207, "bytes_per_task": 860}, LONG | {"tasks": 1000, "events": 2007}, LONG,
    ],
}  # fmt: skip
KINDS = {source.title: source for source in SOURCES}


def missed(title: str, found: Any, extent: Extent | None = None) -> list[str]:
    """Return the figures that are missed."""
    source = KINDS[title]
    return [row.figure for row in source.rows(found, extent or source.whole) if row.holds is False]


def changed(found: Any, path: str, value: Any) -> Any:
    """Return `found` with another value at `path`."""
    head, _, rest = path.partition(".")
    if isinstance(found, list):
        several = cast("list[Any]", found)
        return [changed(one, rest, value) if str(index) == head else one for index, one in enumerate(several)]
    return found | {head: changed(found[head], rest, value) if rest else value}


def test_good_figures_hold() -> None:
    """Every program of the page is here, and what it prints when all is well misses nothing."""
    assert GOOD.keys() == KINDS.keys()
    assert {title: missed(title, found) for title, found in GOOD.items()} == {title: [] for title in GOOD}


@pytest.mark.parametrize(
    ("title", "path", "value", "figure"),
    [
        ("Killed at every append and every send", "points", 499, "distinct kill points"),
        ("Killed at every append and every send", "every", 2, "distinct kill points"),
        ("Killed at every append and every send", "places_done", 17, "distinct kill points"),
        ("Killed at every append and every send", "places", 0, "distinct kill points"),
        ("Killed at every append and every send", "passed", 920, "came to the same end"),
        ("Killed at every append and every send", "kills", 700, "came to the same end"),
        ("Killed at every append and every send", "committed_twice", 1, "committed twice"),
        ("Killed at every append and every send", "commits", 0, "committed twice"),
        ("Killed at every append and every send", "fired_twice", 1, "fired twice"),
        ("Killed at every append and every send", "fired", 0, "fired twice"),
        ("Killed at every append and every send", "repeated", 1, "repeated"),
        ("Killed at every append and every send", "calls", 0, "repeated"),
        ("Killed at random", "stories", 101, "came to the same end"),
        ("Killed at random", "kills", 50, "kills of them"),
        ("Power cuts", "power.lost", 1, "acknowledged events lost"),
        ("Power cuts", "power.acknowledged", 0, "acknowledged events lost"),
        ("Power cuts", "power.cuts", 19, "power cuts"),
        ("Power cuts", "process.cuts", 0, "power cuts"),
        ("Power cuts", "power.resumed", 19, "went on"),
        ("Power cuts", "process.resumed", 19, "went on"),
        ("Power cuts", "process.lost", 0, "the cut cuts"),
        ("Model calls paid for twice", "agentorch.repeated", 1, "agentorch"),
        ("Model calls paid for twice", "agentorch.kills", 29, "agentorch"),
        ("Model calls paid for twice", "agentorch.calls", 0, "agentorch"),
        ("Model calls paid for twice", "agentorch.unfinished", 1, "agentorch"),
        ("Model calls paid for twice", "langgraph.0.unfinished", 1, "the same"),
        ("Model calls paid for twice", "langgraph.0.kills", 0, "the same"),
        ("Cancelled", "requests_after_cancel", 1, "100 ms"),
        ("Cancelled", "requests_before_cancel", 0, "100 ms"),
        ("Cancelled", "moments", 199, "100 ms"),
        ("Cancelled", "control", 0, "100 ms"),
        ("Deterministic simulation", "seeds", 1999, "seeds"),
        ("Deterministic simulation", "violations", 1, "violations"),
        ("Deterministic simulation", "events", 0, "violations"),
        ("Deterministic simulation", "median_faults", 0, "median"),
        ("Budgets", "runs", 0, "their limit stopped"),
        ("Budgets", "stopped", 35, "their limit stopped"),
        ("Budgets", "beyond_one_estimate", 1, "more than one estimate"),
        ("Budgets", "worst_overshoot_in_estimates", 1.01, "worst"),
        ("Budgets", "worst_overshoot_in_estimates", float("nan"), "worst"),
        ("Long runs", "2.seconds", 1.0, "running again"),
        ("Long runs", "2.seconds", 0, "running again"),
        ("Long runs", "2.tasks", 9_000, "running again"),
        ("Long runs", "2.events", 7, "events in the journals"),
        ("Long runs", "2.bytes_per_task", 1000, "bytes"),
        ("Long runs", "0.tasks", 1000, "bytes"),
    ],
)
def test_a_figure_that_is_not_as_it_must_be_is_missed(title: str, path: str, value: Any, figure: str) -> None:
    """So is one beside which nothing, or less than was promised, was tried."""
    assert any(figure in one for one in missed(title, changed(GOOD[title], path, value)))


def test_nothing_holds_for_a_program_that_did_nothing() -> None:
    """Zeros everywhere: no row says that it holds."""

    def nothing(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: nothing(value) for name, value in cast("dict[str, Any]", found).items()}
        if isinstance(found, list):
            return [nothing(one) for one in cast("list[Any]", found)]
        return type(found)() if isinstance(found, int | float) else found

    held = {
        (title, row.figure)
        for title, found in GOOD.items()
        for row in KINDS[title].rows(nothing(found), KINDS[title].whole)
        if row.holds
    }
    assert held == set()
    assert missed("Long runs", nothing(GOOD["Long runs"]))


@pytest.mark.parametrize("sizes", [0, 1], ids=["no size", "one size"])
def test_one_size_is_not_constant(sizes: int) -> None:
    """Bytes a task are compared over several sizes, of which the largest is ten times the smallest or more."""
    found = missed("Long runs", GOOD["Long runs"][3 - sizes :])

    assert "bytes of the journal a task (tasks)" in found
    assert "bytes of the journal a task (tasks)" in missed("Long runs", [LONG, LONG | {"tasks": 9_950}, LONG])


def test_a_part_is_judged_as_a_part() -> None:
    """Of the points every 97th, of the sizes two: what was promised is less, and still must have been tried."""
    few = KILLS | {"points": 18, "every": 97, "stories": 18, "passed": 18, "kills": 18}
    short = [one | {"seconds": 2.0} for one in GOOD["Long runs"][:2]]

    assert (
        missed("Killed at every append and every send", few, KINDS["Killed at every append and every send"].part) == []
    )
    assert missed("Long runs", short, KINDS["Long runs"].part) == []
    assert missed("Long runs", short[:1], KINDS["Long runs"].part) == ["bytes of the journal a task (tasks)"]
