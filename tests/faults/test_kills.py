"""A run that is killed anywhere goes on where it was, pays nothing twice, and comes to the same end.

These are a part of the points; `python -m tests.faults.kills` takes all of them.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults.calls import CALLS, TASKS, Repeated
from tests.faults.findings import Findings, look
from tests.faults.kills import enumerate_kills
from tests.faults.ledger import Kind, Ledger
from tests.faults.story import EFFECTS, SHAPES, places


async def kills(repository: Path, *arguments: str) -> dict[str, Any]:
    """Return the figures of `python -m tests.faults.kills`; it forks, so it must have no threads: not in here."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.kills", *arguments,
        cwd=repository, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(repository)},
    )  # fmt: skip
    said, _ = await program.communicate()
    return json.loads(said)


@pytest.mark.timeout(240)
async def test_a_run_killed_at_any_append_or_send_comes_to_the_same_end(repository: Path) -> None:
    """Once and twice in a row: no task committed twice, no effect twice, no model call that was answered again."""
    tally = await kills(repository, "--every", "47")

    assert tally["failures"] == []
    assert tally["places_done"] == tally["places"] == 6 * len(SHAPES)
    assert tally["passed"] == tally["stories"] >= 2 * 6 * len(SHAPES)
    assert tally["kills"] > tally["stories"] > tally["points"]
    assert (tally["committed_twice"], tally["fired_twice"], tally["repeated"]) == (0, 0, 0)
    assert tally["in_flight"] > 0
    assert tally["fired"] == len(EFFECTS) * tally["stories"]


@pytest.mark.timeout(240)
async def test_two_processes_killed_at_random_take_a_run_over_from_each_other(repository: Path) -> None:
    """Whoever is left takes the run up; it has one writer all the time, and ends as it would have in peace."""
    tally = await kills(repository, "--random", "4")

    assert tally["failures"] == []
    assert tally["passed"] == tally["stories"] == 4
    assert tally["kills"] >= 4


def found(folder: Path, *lines: tuple[Kind, str] | tuple[Kind, str, str]) -> Findings:
    """Return what is found in a story whose ledger holds `lines`."""
    ledger = Ledger(places(folder)[1])
    for kind, *rest in lines:
        ledger.note(kind, *rest)
    return look(folder)


def test_what_goes_wrong_outside_is_found(tmp_path: Path) -> None:
    """An effect twice, a call made again that was answered or not, a call under two keys: each is seen for itself."""
    findings = found(
        tmp_path,
        ("fired", "pay", "charge 3"), ("fired", "send", "ship box"), ("fired", "sign", "sign"),
        ("fired", "pay", "charge 3"),
        ("asked", "a"), ("got", "a"), ("asked", "a"), ("asked", "b"), ("answered", "b"), ("asked", "b"),
        ("keyed", "one", "paid"), ("keyed", "two", "paid"),
    )  # fmt: skip

    assert (findings.fired_twice, findings.repeated, findings.in_flight) == (["pay", "charge 3"], ["a"], 1)
    assert findings.problems[-1] == "one call has several keys: [('paid', 'one'), ('paid', 'two')]"


def test_an_effect_that_happens_again_under_another_key_is_found(tmp_path: Path) -> None:
    """What is meant to happen once happens once, whatever it is called; what nobody meant to happen does not."""
    findings = found(
        tmp_path,
        ("fired", "run/pay/1", "charge 3"), ("fired", "run/pay/2", "charge 3"), ("fired", "run/send/1", "ship box"),
        ("fired", "run/send/2", "ship crate"),
    )  # fmt: skip

    assert findings.fired_twice == ["charge 3", "ship crate"]
    assert findings.problems[-1] == "did not happen: ['sign', 'paid']"


@pytest.mark.parametrize(
    ("last", "figures"),
    [(Findings(), (2, 1, 2, 2)), (Findings(problems=["the process was not killed"]), (2, 0, 3, 2))],
    ids=["past the last point", "broken"],
)
def test_the_points_are_all_counted_when_a_process_comes_past_the_last(
    last: Findings, figures: tuple[int, ...]
) -> None:
    """One that breaks by itself was killed nowhere either: it ends the count, and is no sign that none is left."""
    stories = iter([(1, Findings()), (1, Findings()), (0, last)])
    tally = enumerate_kills(SHAPES[0], "before send", {}, every=1, twice=False, story=lambda *_, **__: next(stories))

    assert (tally.points, tally.places_done, tally.stories, tally.passed) == figures


def test_a_story_without_an_end_is_found(tmp_path: Path) -> None:
    """Neither an outcome nor a journal, nor any effect: that is not clean."""
    findings = found(tmp_path)

    assert [problem.split(":")[0] for problem in findings.problems] == ["no outcome", "the journal", "did not happen"]
    assert not findings.clean


def test_calls_that_are_paid_for_twice_are_counted(tmp_path: Path) -> None:
    """Made again after the answer had come: once more than was needed; made again before: not."""
    ledger = Ledger(tmp_path / "ledger")
    for kind, key in (("asked", "a"), ("got", "a"), ("asked", "b"), ("asked", "a"), ("got", "a"), ("asked", "b")):
        ledger.note(cast("Kind", kind), key)
    figures = Repeated("some framework")
    figures.add(ledger)

    assert figures == Repeated("some framework", kills=1, calls=4, repeated=1, most=1, unfinished=1)


@pytest.mark.parametrize(
    ("killed", "ended", "figures"), [(True, True, (1, 0)), (False, True, (0, 1)), (True, False, (1, 1))]
)
def test_a_work_counts_when_it_was_killed_and_then_ended(
    killed: bool, ended: bool, figures: tuple[int, int], tmp_path: Path
) -> None:
    """One that broke before its kill says nothing of what is repeated after one."""
    ledger = Ledger(tmp_path / "ledger")
    for number in range(TASKS * CALLS):
        ledger.note("asked", str(number))
        ledger.note("got", str(number))
    found = Repeated("some framework")
    found.add(ledger, killed=killed, ended=ended)

    assert (found.kills, found.unfinished) == figures
