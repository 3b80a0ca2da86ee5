"""Writes docs/reliability.md: every figure of reliability, measured now, with the command that measures it.

    python -m tests.faults.report                 # all of it, a quarter of an hour or so on two cores
    python -m tests.faults.report --part          # a small part of each, to see that it works; nothing is written
    python -m tests.faults.report --only budgets  # measures one section anew; the others stay as they were written

1. Each figure comes out of a program of its own, in a process of its own, that prints JSON; see `figures` for what
   they must be.
2. A figure holds only when its program ended with exit code 0. A program that breaks or prints nothing has missed its
   figures. What the program says this machine lacks the means for is "not run", with the reason.
3. Each section says when it was measured: `--only` renews nothing of the others. The command ends with 1 when anything
   on the page is missed, whenever it was measured.
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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from agentorch.runtime.release import release
from tests.faults.beside import PINNED
from tests.faults.calls import CALLS, TASKS
from tests.faults.figures import (
    Extent,
    Row,
    beside,
    cancelled,
    kills,
    overshoot,
    power,
    random_kills,
    restart,
    simulation,
)

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reliability.md"
PATIENCE: Final = 3600
"""Seconds that one program may take."""
MISSED: Final = "**missed**"


@dataclass(frozen=True, slots=True)
class Source:
    """A program that measures."""

    title: str
    module: str
    whole: Extent
    part: Extent
    """What is made of it when only a part is wanted."""
    rows: Callable[[Any, Extent], Iterator[Row]]
    """From what it prints."""
    says: str
    """What it does, for the page; how much of it, is among the figures."""

    def extent(self, *, part: bool) -> Extent:
        """Return how much of it is made."""
        return self.part if part else self.whole

    def command(self, extent: Extent) -> str:
        """Return what to type."""
        return " ".join(("python", "-m", self.module, *extent.arguments))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    code: int | None
    """Negative for a signal; None when it took longer than PATIENCE."""
    said: str
    complained: str = ""
    """What it wrote to its standard error."""

    @property
    def words(self) -> str:
        """What to say of it, on one line of a table."""
        if self.code is None:
            return f"took more than {PATIENCE} s"
        lines = self.complained.strip().splitlines()
        why = f": {lines[-1]}" if lines and self.code else ""
        why = why.replace(sys.executable, "python").replace(str(ROOT), ".").replace("|", "\\|")
        return f"ended with {self.code}{why}"


SOURCES: Final = (
    Source(
        "Killed at every append and every send", "tests.faults.kills",
        Extent((), 500), Extent(("--every", "97", "--once"), 18, part=True), kills,
        "A scripted run with a rejection, a fallback, a patch, three effects that may happen once, an approval, a "
        "delegation and a stop by its budget is killed with SIGKILL before, while and after each append to the "
        "journal, each send over the bus and each acknowledgement, in several shapes of the run; then taken up by "
        "another process; in a second round that one is killed too. What the outside world saw stands in a file of "
        "its own.",
    ),
    Source(
        "Killed at random", "tests.faults.kills",
        Extent(("--random", "100"), 100), Extent(("--random", "2"), 2, part=True), random_kills,
        "Two processes share one journal, and at random moments one of them is killed and another started.",
    ),
    Source(
        "Power cuts", "tests.faults.power",
        Extent(("--cuts", "20"), 20), Extent(("--cuts", "2"), 2, part=True), power,
        "The journal lies on an ext4 disk of its own that is shut down, without a flush of its log, while a run is "
        "carried out; then it is mounted again, read and checked, and the run resumed. What counts as acknowledged was "
        'told before the cut began. With `durability="process"` everything is lost that the system had not written '
        "by itself: some seconds.",
    ),
    Source(
        "Model calls paid for twice", "tests.faults.beside",
        Extent((), 2 * TASKS * CALLS), Extent((), 2 * TASKS * CALLS, part=True), beside,
        f"{TASKS} tasks in a row make {CALLS} model calls each. The process is killed as each call begins, and as each "
        f"answer has arrived; another one takes the work up. LangGraph ({', '.join(PINNED)}) goes through the same.",
    ),
    Source(
        "Cancelled", "tests.faults.cancelled",
        Extent(("--moments", "200"), 200), Extent(("--moments", "10"), 10, part=True), cancelled,
        "A run that uses the model in every way there is, is cancelled at many moments, and watched.",
    ),
    Source(
        "Deterministic simulation", "tests.simulation",
        Extent(("--seeds", "2000", "--json"), 2_000), Extent(("--seeds", "20", "--json"), 20, part=True), simulation,
        "The real supervisor, worker and bus under a virtual clock and injected faults, by seeds.",
    ),
    Source(
        "Budgets", "tests.faults.overshoot",
        Extent(("--json",), 36), Extent(("--json", "--seeds", "1"), 12, part=True), overshoot,
        "Tokens, money and calls are limited while many tasks ask at once, with estimates off by half either way.",
    ),
    Source(
        "Long runs", "tests.faults.restart",
        Extent((), 3), Extent(("--sizes", "100", "1000"), 2, part=True), restart,
        "A run is killed when all but its last task have finished, and taken up several times; the median counts.",
    ),
)  # fmt: skip


def measured(source: Source, extent: Extent) -> list[Row]:
    """Run a program, and judge what it printed."""
    command = (sys.executable, "-m", source.module, *extent.arguments)
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
            timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return judged(source, extent, Ended(None, ""))
    return judged(source, extent, Ended(done.returncode, done.stdout, done.stderr))


def judged(source: Source, extent: Extent, ended: Ended) -> list[Row]:
    """Return a program's figures. One that broke, or gave none, has missed them: none of its figures holds."""
    title = source.title.lower()
    try:
        found = json.loads(ended.said)
        if ended.code == 0 and _says_not_run(found):
            return [Row(title, "", f"not run: {found['not run']}", None)]
        rows = list(source.rows(found, extent))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        why = ended.words if ended.code != 0 else f"gave no such figures: {error!r}".replace("|", "\\|")
        return [Row(title, "measured", f"the program {why}", holds=False)]
    if ended.code != 0:
        broken = Row("how the program ended", "ended with 0", ended.words, holds=False)
        return [broken, *(replace(row, holds=row.holds and None) for row in rows)]
    if all(row.holds is None for row in rows):
        rows.append(Row(title, "measured", "no figure that was asked for", holds=False))
    return rows


def _says_not_run(found: Any) -> bool:
    """Whether a program itself says that this machine lacks what it needs."""
    return isinstance(found, dict) and found.keys() == {"not run"}


def page(sections: Sequence[str]) -> str:
    """Return the page."""
    head = [
        "# Reliability: the figures",
        "",
        "This page is written by a program: `python -m tests.faults.report`, in a clone with the test dependencies.",
        "What a figure must be stands beside what it is; what could not be run is said to be not run. Each section",
        "says when it was measured, and with what.",
    ]
    return "\n".join(head) + "\n\n" + "\n".join(sections)


def section(source: Source, extent: Extent, rows: Sequence[Row], *, on: str) -> str:
    """Return what the page says of one program, measured `on` a day with such versions."""
    lines = [f"## {source.title}", "", source.says, "", f"    {source.command(extent)}", ""]
    lines += [f"Measured on {on}{', a part only' if extent.part else ''}.", ""]
    lines += ["| figure | must be | is | |", "|---|---|---|---|"]
    lines += [f"| {row.figure} | {row.wanted} | {row.reached} | {_mark(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def today() -> str:
    """Return the day, the versions and the machine of a measurement that is made now."""
    versions = f"agentorch {release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    machine = f"{platform.system()} on {os.cpu_count()} cores"
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d} with {versions}, {machine}"


def sections_of(text: str) -> dict[str, str]:
    """Return the sections of a page by their titles."""
    found = text.split("\n## ")[1:]
    return {one.split("\n", 1)[0]: f"## {one.rstrip()}\n" for one in found}


def _mark(row: Row) -> str:
    if row.holds is None:
        return ""
    return "holds" if row.holds else MISSED


def main(arguments: Sequence[str], *, sources: Sequence[Source] = SOURCES, place: Path = PAGE) -> int:
    """Measure everything, write the page, and return 1 when a figure on it is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.report")
    parser.add_argument("--part", action="store_true", help="a small part of each, printed and not written")
    parser.add_argument("--only", metavar="WORD", default="", help="measure the sections whose titles hold the word")
    given = parser.parse_args(arguments)
    chosen = [source for source in sources if given.only.lower() in source.title.lower()]
    if not chosen:
        parser.error(f"no section has {given.only!r} in its title: {', '.join(source.title for source in sources)}")
    kept = sections_of(place.read_text(encoding="utf-8")) if place.exists() and not given.part else {}
    for source in chosen:
        extent = source.extent(part=given.part)
        sys.stderr.write(f"{source.command(extent)}\n")
        kept[source.title] = section(source, extent, measured(source, extent), on=today())
    lacking = [source.title for source in sources if source.title not in kept and not given.part]
    if lacking:
        sys.stderr.write(f"still to be measured: {', '.join(lacking)}\n")
    written = page([kept[source.title] for source in sources if source.title in kept])
    if given.part:
        sys.stdout.write(written)
    else:
        place.write_text(written, encoding="utf-8")
    return int(MISSED in written or bool(lacking))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
