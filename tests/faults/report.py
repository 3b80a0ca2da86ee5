"""Writes docs/reliability.md: every figure of reliability, measured now, with the command that measures it.

    python -m tests.faults.report                 # all of it, a quarter of an hour or so on two cores
    python -m tests.faults.report --part          # a small part of each, to see that it works; nothing is written
    python -m tests.faults.report --only budgets  # measures one section anew; the others stay as they were written

Each figure comes out of a program of its own, in a process of its own, that prints JSON. What cannot be run here is
said to be "not run", with the reason; what is not reached is said to be missed.
"""

import argparse
import datetime as dt
import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentorch.runtime.launch import release
from tests.faults.beside import PINNED

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reliability.md"
PATIENCE: Final = 3600
"""Seconds that one program may take."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    figure: str
    wanted: str
    """Empty for what is only shown beside another figure."""
    reached: str
    holds: bool | None
    """None when it was not run, or nothing was asked of it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A program that measures."""

    title: str
    module: str
    arguments: tuple[str, ...]
    part: tuple[str, ...]
    """Its arguments when only a part is wanted."""
    rows: Callable[[Any], Iterator[Row]]
    """From what it prints."""
    says: str
    """What it does, for the page."""

    def command(self, *, part: bool) -> str:
        """Return what to type."""
        return " ".join(("python", "-m", self.module, *(self.part if part else self.arguments)))


def _count(figure: str, value: int, *, wanted: int = 0) -> Row:
    return Row(figure, str(wanted), f"{value:,}", value == wanted)


def _at_least(figure: str, value: int, least: int) -> Row:
    return Row(figure, f"at least {least:,}", f"{value:,}", value >= least)


def kills(found: Any) -> Iterator[Row]:
    """Read `tests.faults.kills`."""
    yield _at_least("distinct kill points tried", found["points"], 500)
    whole = found["passed"] == found["stories"]
    yield Row(
        "runs killed once or twice that came to the same end",
        "all",
        f"{found['passed']:,} of {found['stories']:,}",
        whole,
    )
    yield from _promises(found)


def random_kills(found: Any) -> Iterator[Row]:
    """Read `tests.faults.kills --random`."""
    whole = found["passed"] == found["stories"]
    kills = f"{found['passed']:,} of {found['stories']:,}, {found['kills']:,} kills"
    yield Row("runs of two processes killed at random that came to the same end", "all", kills, whole)
    yield from _promises(found)


def _promises(found: Any) -> Iterator[Row]:
    yield _count("tasks committed twice", found["committed_twice"])
    yield _count("keyed effects fired twice", found["fired_twice"])
    yield _count("model calls and steps repeated although their result had arrived", found["repeated"])
    again = f"{found['in_flight']:,}; {found['calls']:,} model calls in all"
    yield Row("calls in flight at a kill, and made again", "", again, None)


def power(found: Any) -> Iterator[Row]:
    """Read `tests.faults.power`."""
    if "not run" in found:
        yield Row("acknowledged events lost in power cuts", "0", f"not run: {found['not run']}", None)
        return
    for name, wanted in (("power", "0"), ("process", "")):
        cut = found[name]
        reached = f"{cut['lost']:,} of {cut['acknowledged']:,}, {cut['cuts']} cuts"
        figure = f'acknowledged events lost in power cuts, `durability="{name}"`'
        yield Row(figure, wanted, reached, cut["lost"] == 0 if wanted else None)
        resumed = f"{cut['resumed']} of {cut['cuts']}"
        yield Row(
            f'runs that went on after the cut, `durability="{name}"`', "all", resumed, cut["resumed"] == cut["cuts"]
        )


def beside(found: Any) -> Iterator[Row]:
    """Read `tests.faults.beside`."""
    mine = found["agentorch"]
    yield Row("model calls repeated after a kill, agentorch", "0", _repeated(mine), mine["repeated"] == 0)
    for theirs in found.get("langgraph", ()):
        yield Row(f"the same, {theirs['name']}", "", _repeated(theirs), None)
    if "not run" in found:
        yield Row("the same, LangGraph", "", f"not run: {found['not run']}", None)


def _repeated(figures: Any) -> str:
    return f"{figures['repeated']} in {figures['kills']} kills, at most {figures['most']} a kill"


def restart(found: Any) -> Iterator[Row]:
    """Read `tests.faults.restart`."""
    for run in found:
        longest = run["tasks"] == 10_000
        wanted, holds = ("under 1 s", run["seconds"] < 1) if longest else ("", None)
        took = f"{run['seconds']} s, {run['cpu']} s of it computing"
        yield Row(f"from `resume` to running again, {run['tasks']:,} finished tasks", wanted, took, holds)
    sizes = [run["bytes_per_task"] for run in found]
    told = ", ".join(f"{run['bytes_per_task']:,.0f} ({run['tasks']:,})" for run in found)
    yield Row("bytes of the journal a task (tasks)", "constant", told, max(sizes) < 1.1 * min(sizes))


def cancelled(found: Any) -> Iterator[Row]:
    """Read `tests.faults.cancelled`."""
    yield _count("requests more than 100 ms after a cancel", found["requests_after_cancel"])
    moments = f"{found['moments']:,}; uncancelled, {found['control']:,} requests followed"
    yield Row("moments at which a run was cancelled", "", moments, None)


def simulation(found: Any) -> Iterator[Row]:
    """Read `tests.simulation`."""
    violations = found["violations"]
    yield _at_least("seeds of the simulation", found["seeds"], 2_000)
    yield _count("violations", violations if isinstance(violations, int) else len(violations))


def overshoot(found: Any) -> Iterator[Row]:
    """Read `tests.faults.overshoot`."""
    yield _count(
        f"of {found['runs']} runs, those over their budget by more than one estimate", found["beyond_one_estimate"]
    )
    worst = f"{found['worst_overshoot_in_estimates']:.2f} of an estimate's error"
    yield Row("the worst overshoot", "at most 1", worst, found["worst_overshoot_in_estimates"] <= 1)


SOURCES: Final = (
    Source(
        "Killed at every append and every send", "tests.faults.kills", (), ("--every", "97", "--once"), kills,
        "A scripted run with a rejection, a fallback, a patch, three effects that may happen once, an approval, a "
        "delegation and a stop by its budget is killed with SIGKILL before, while and after each append to the "
        "journal, each send over the bus and each acknowledgement, in three shapes of the run; then taken up by "
        "another process; in a second round that one is killed too. What the outside world saw stands in a file of "
        "its own.",
    ),
    Source(
        "Killed at random", "tests.faults.kills", ("--random", "50"), ("--random", "2"), random_kills,
        "Two processes share one journal, and at random moments one of them is killed and another started.",
    ),
    Source(
        "Power cuts", "tests.faults.power", ("--cuts", "20"), ("--cuts", "2"), power,
        "The journal lies on an ext4 disk of its own that is shut down, without a flush of its log, while a run is "
        "carried out; then it is mounted again, read and checked, and the run resumed. What counts as acknowledged was "
        'told before the cut began. With `durability="process"` everything is lost that the system had not written '
        "by itself: some seconds.",
    ),
    Source(
        "Model calls paid for twice", "tests.faults.beside", (), (), beside,
        "Five tasks in a row make three model calls each. The process is killed as each call begins, and as each "
        f"answer has arrived; another one takes the work up. LangGraph ({', '.join(PINNED)}) goes through the same.",
    ),
    Source(
        "Cancelled", "tests.faults.cancelled", (), ("--moments", "10"), cancelled,
        "A run that uses the model in every way there is, is cancelled at many moments, and watched.",
    ),
    Source(
        "Deterministic simulation", "tests.simulation", ("--seeds", "2000", "--json"), ("--seeds", "20", "--json"),
        simulation,
        "The real supervisor, worker and bus under a virtual clock and injected faults, by seeds.",
    ),
    Source(
        "Budgets", "tests.faults.overshoot", ("--json",), ("--json", "--seeds", "1"), overshoot,
        "Tokens, money and calls are limited while sixteen tasks ask at once, with estimates off by half either way.",
    ),
    Source(
        "Long runs", "tests.faults.restart", (), ("--sizes", "100", "1000"), restart,
        "A run is killed when all but its last task have finished, and taken up three times; the median counts.",
    ),
)  # fmt: skip


def measured(source: Source, *, part: bool) -> list[Row]:
    """Run a program and return its figures; one row says why when there are none."""
    arguments = source.part if part else source.arguments
    try:
        done = subprocess.run(
            (sys.executable, "-m", source.module, *arguments),
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
            timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return [_not_run(source, f"it took more than {PATIENCE} s")]
    try:
        return list(source.rows(json.loads(done.stdout)))
    except (ValueError, KeyError, TypeError) as error:
        lines = done.stderr.strip().splitlines()
        why = lines[-1].replace(sys.executable, "python") if lines and done.returncode else repr(error)
        return [_not_run(source, why)]


def _not_run(source: Source, why: str) -> Row:
    return Row(source.title.lower(), "", f"not run: {why}", None)


def page(sections: Sequence[str], *, part: bool) -> str:
    """Return the page."""
    versions = f"agentorch {release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    machine = f"{platform.system()} on {os.cpu_count()} cores"
    head = [
        "# Reliability: the figures",
        "",
        "This page is written by a program: `python -m tests.faults.report`, in a clone with the test dependencies.",
        "What a figure must be stands beside what it is; what could not be run is said to be not run.",
        "",
        f"Written on {dt.datetime.now(dt.UTC):%Y-%m-%d} with {versions}, {machine}{', a part only' if part else ''}.",
    ]
    return "\n".join(head) + "\n\n" + "\n".join(sections)


def section(source: Source, rows: Sequence[Row], *, part: bool) -> str:
    """Return what the page says of one program."""
    lines = [f"## {source.title}", "", source.says, "", f"    {source.command(part=part)}", ""]
    lines += ["| figure | must be | is | |", "|---|---|---|---|"]
    lines += [f"| {row.figure} | {row.wanted} | {row.reached} | {_mark(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def sections_of(text: str) -> dict[str, str]:
    """Return the sections of a page by their titles."""
    found = text.split("\n## ")[1:]
    return {one.split("\n", 1)[0]: f"## {one.rstrip()}\n" for one in found}


def _mark(row: Row) -> str:
    if row.holds is None:
        return ""
    return "holds" if row.holds else "**missed**"


def main(arguments: list[str]) -> int:
    """Measure everything, write the page, and return 1 when a figure is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.report")
    parser.add_argument("--part", action="store_true", help="a small part of each, printed and not written")
    parser.add_argument("--only", metavar="WORD", default="", help="measure the sections whose titles hold the word")
    given = parser.parse_args(arguments)
    kept = sections_of(PAGE.read_text(encoding="utf-8")) if given.only and PAGE.exists() else {}
    found: list[str] = []
    for source in SOURCES:
        if source.title in kept and given.only.lower() not in source.title.lower():
            found.append(kept[source.title])
            continue
        sys.stderr.write(f"{source.command(part=given.part)}\n")
        found.append(section(source, measured(source, part=given.part), part=given.part))
    written = page(found, part=given.part)
    if given.part:
        sys.stdout.write(written)
    else:
        PAGE.write_text(written, encoding="utf-8")
    return int("| **missed** |" in written)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
