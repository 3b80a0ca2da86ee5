"""The rows of docs/reliability.md: what each program's figures must be, judged by what it printed.

1. A figure that must be 0 holds only beside a count of what was tried that is not 0: nothing tried is a figure missed.
2. What was promised to be tried, `Extent.tries`, must have been tried.
3. What is only shown beside another figure holds nothing; a work that came to no end is missed there too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

LONG: Final = 10_000
"""Finished tasks of the run that must be running again within a second."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    figure: str
    wanted: str
    """Empty for what is only shown beside another figure."""
    reached: str
    holds: bool | None
    """None when nothing was asked of it, or it was not run."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a measurement is made."""

    arguments: tuple[str, ...]
    """Of the program."""
    tries: int
    """How many kill points, runs, cuts, moments, seeds or sizes it promises at least."""
    part: bool = False
    """Whether it is only a part, to see that the program works."""


def kills(found: Any, extent: Extent) -> Iterator[Row]:
    """Read `tests.faults.kills`."""
    points, every, places, done = (found[name] for name in ("points", "every", "places", "places_done"))
    whole = f"all there are: {done} of {places} places were tried until none was left"
    which = whole if every == 1 else f"every {every}th one at {places} places"
    yield Row(
        "distinct kill points tried",
        f"at least {extent.tries:,}" + ("" if extent.part else ", and all of them"),
        f"{points:,}, {which}",
        points >= extent.tries and done == places > 0 and (extent.part or every == 1),
    )
    yield Row(
        "runs killed once or twice that came to the same end",
        "all",
        f"{found['passed']:,} of {found['stories']:,}, {found['kills']:,} kills",
        found["passed"] == found["stories"] >= points and found["kills"] >= points > 0,
    )
    yield from _promises(found)


def random_kills(found: Any, extent: Extent) -> Iterator[Row]:
    """Read `tests.faults.kills --random`."""
    yield Row(
        "runs of two processes killed at random that came to the same end",
        f"all, at least {extent.tries}",
        f"{found['passed']:,} of {found['stories']:,}",
        found["passed"] == found["stories"] >= extent.tries,
    )
    yield _at_least("kills of them", found["kills"], extent.tries)  # how many fit into a run is the machine's matter
    yield from _promises(found)


def _promises(found: Any) -> Iterator[Row]:
    calls = found["calls"]
    yield _none("tasks committed twice", found["committed_twice"], found["commits"], "commits")
    yield _none("keyed effects fired twice, under one key or two", found["fired_twice"], found["fired"], "effects")
    yield _none(
        "model calls and steps repeated although their result had arrived", found["repeated"], calls, "model calls"
    )
    yield Row("calls in flight at a kill, and made again", "", f"{found['in_flight']:,} of {calls:,}", None)


def power(found: Any, extent: Extent) -> Iterator[Row]:
    """Read `tests.faults.power`."""
    safe, fast = found["power"], found["process"]
    for cut in (safe, fast):
        yield _at_least(f'power cuts, `durability="{cut["durability"]}"`', cut["cuts"], extent.tries)
    yield _none('acknowledged events lost, `durability="power"`', safe["lost"], safe["acknowledged"], "events")
    yield Row(
        'the same, `durability="process"`: that the cut cuts',
        "more than 0",
        f"{fast['lost']:,} of {fast['acknowledged']:,} events",
        0 < fast["lost"] <= fast["acknowledged"],
    )
    for cut in (safe, fast):
        yield Row(
            f'runs that went on after the cut, `durability="{cut["durability"]}"`',
            "all",
            f"{cut['resumed']} of {cut['cuts']}",
            cut["resumed"] == cut["cuts"] >= extent.tries,
        )


def beside(found: Any, extent: Extent) -> Iterator[Row]:
    """Read `tests.faults.beside`."""
    mine = found["agentorch"]
    holds = mine["repeated"] == 0 and _was_killed(mine, extent)
    yield Row("model calls repeated after a kill, agentorch", f"0 in {extent.tries} kills", _repeated(mine), holds)
    theirs = found.get("langgraph", [])
    for other in theirs:
        compares = None if _was_killed(other, extent) else False
        yield Row(f"the same, {other['name']}", "", _repeated(other), compares)
    if not theirs:
        yield Row("the same, LangGraph", "", f"not run: {found['not run']}", None)


def _was_killed(figures: Any, extent: Extent) -> bool:
    """Whether each work was killed, and brought to its end afterwards."""
    return figures["kills"] >= extent.tries and figures["unfinished"] == 0 < figures["calls"]


def _repeated(figures: Any) -> str:
    lost = f"; {figures['unfinished']} were not killed or not finished" if figures["unfinished"] else ""
    counted = f"{figures['repeated']} of {figures['calls']} calls in {figures['kills']} kills"
    return f"{counted}, at most {figures['most']} a kill{lost}"


def restart(found: Any, extent: Extent) -> Iterator[Row]:
    """Read `tests.faults.restart`."""
    for run in found:
        wanted, holds = ("under 1 s", 0 < run["seconds"] < 1) if run["tasks"] == LONG else ("", None)
        took = f"{run['seconds']} s, {run['cpu']} s of it computing"
        yield Row(f"from `resume` to running again, {run['tasks']:,} finished tasks", wanted, took, holds)
    yield _at_least("events in the journals", sum(run["events"] for run in found), 2 * sum(_tasks(found)))
    if not extent.part and LONG not in _tasks(found):
        yield Row(f"from `resume` to running again, {LONG:,} finished tasks", "under 1 s", "no such run", holds=False)
    told = ", ".join(f"{run['bytes_per_task']:,.0f} ({run['tasks']:,})" for run in found)
    sizes = sorted(run["bytes_per_task"] for run in found)
    several = len({*_tasks(found)}) >= extent.tries > 1 and max(_tasks(found)) >= 10 * min(_tasks(found))
    steady = several and 0 < sizes[-1] < 1.1 * sizes[0]
    yield Row("bytes of the journal a task (tasks)", f"constant over {extent.tries} sizes", told or "none", steady)


def _tasks(found: Any) -> list[int]:
    return [run["tasks"] for run in found]


def cancelled(found: Any, extent: Extent) -> Iterator[Row]:
    """Read `tests.faults.cancelled`."""
    yield _at_least("moments at which a run was cancelled", found["moments"], extent.tries)
    before = found["requests_before_cancel"]
    yield Row("requests before the cancel", "more than 0", f"{before:,}", before > 0)
    yield _at_least("requests that follow any of the moments where nobody cancels, at the fewest", found["control"], 1)
    late = found["requests_after_cancel"]
    tried = found["moments"] >= extent.tries > 0 and before > 0 and found["control"] > 0
    yield Row("requests more than 100 ms after a cancel", "0", f"{late:,}", late == 0 and tried)


def simulation(found: Any, extent: Extent) -> Iterator[Row]:
    """Read `tests.simulation`."""
    yield _at_least("seeds of the simulation", found["seeds"], extent.tries)
    rough = [found[name] for name in ("median_tasks", "median_faults", "median_crashes")]
    yield Row(
        "tasks, faults and crashes of the median seed",
        "at least 20, 5 and 1",
        ", ".join(f"{value:g}" for value in rough),
        all(value >= least for value, least in zip(rough, (20, 5, 1), strict=True)),
    )
    yield _none("violations", found["violations"], found["events"], "events")


def overshoot(found: Any, extent: Extent) -> Iterator[Row]:
    """Read `tests.faults.overshoot`."""
    runs, stopped = found["runs"], found["stopped"]
    yield Row(
        f"runs of {found['tasks']} tasks, {found['calls_of_a_task']} calls each, that their limit stopped",
        f"all, at least {extent.tries}",
        f"{stopped} of {runs}, {found['calls']:,} calls",
        stopped == runs >= extent.tries and found["tasks"] > 1 and found["calls"] > 0,
    )
    yield _none("those over their budget by more than one estimate", found["beyond_one_estimate"], runs, "runs")
    worst = found["worst_overshoot_in_estimates"]
    holds = stopped > 0 and 0 <= worst <= 1
    yield Row("the worst overshoot", "at most 1", f"{worst:.2f} of an estimate's error", holds)


def _none(figure: str, value: int, of: int, things: str) -> Row:
    """Return the row of what must not happen, of so many times that it could have."""
    return Row(figure, "0", f"{value:,} of {of:,} {things}", value == 0 < of)


def _at_least(figure: str, value: int, least: int) -> Row:
    return Row(figure, f"at least {least:,}", f"{value:,}", value >= least > 0)
