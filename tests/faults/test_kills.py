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

from tests.faults.calls import Repeated
from tests.faults.findings import Findings, look
from tests.faults.ledger import Kind, Ledger
from tests.faults.story import SHAPES, places


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
    assert tally["passed"] == tally["stories"] >= 2 * 6 * len(SHAPES)
    assert tally["kills"] > tally["stories"] > tally["points"]
    assert (tally["committed_twice"], tally["fired_twice"], tally["repeated"]) == (0, 0, 0)
    assert tally["in_flight"] > 0


@pytest.mark.timeout(240)
async def test_two_processes_killed_at_random_take_a_run_over_from_each_other(repository: Path) -> None:
    """Whoever is left takes the run up; it has one writer all the time, and ends as it would have in peace."""
    tally = await kills(repository, "--random", "4")

    assert tally["failures"] == []
    assert tally["passed"] == tally["stories"] == 4
    assert tally["kills"] >= 4


def found(folder: Path, *lines: tuple[Kind, str]) -> Findings:
    """Return what is found in a story whose ledger holds `lines`."""
    ledger = Ledger(places(folder)[1])
    for kind, key in lines:
        ledger.note(kind, key)
    return look(folder)


def test_what_goes_wrong_outside_is_found(tmp_path: Path) -> None:
    """An effect twice, a call made again that was answered or not, a call under two keys: each is seen for itself."""
    findings = found(
        tmp_path,
        ("fired", "pay"), ("fired", "send"), ("fired", "pay"),
        ("asked", "a"), ("got", "a"), ("asked", "a"), ("asked", "b"), ("answered", "b"), ("asked", "b"),
        ("keyed", "word one"), ("keyed", "word two"),
    )  # fmt: skip

    assert (findings.fired_twice, findings.repeated, findings.in_flight) == (["pay"], ["a"], 1)
    assert findings.problems[-1] == "one call has several keys: ['word one', 'word two']"


def test_a_story_without_an_end_is_found(tmp_path: Path) -> None:
    """Neither an outcome nor a journal: that is not clean."""
    findings = found(tmp_path)

    assert [problem.split(":")[0] for problem in findings.problems] == ["no outcome", "the journal"]
    assert not findings.clean


def test_calls_that_are_paid_for_twice_are_counted(tmp_path: Path) -> None:
    """Made again after the answer had come: once more than was needed; made again before: not."""
    ledger = Ledger(tmp_path / "ledger")
    for kind, key in (("asked", "a"), ("got", "a"), ("asked", "b"), ("asked", "a"), ("got", "a"), ("asked", "b")):
        ledger.note(cast("Kind", kind), key)
    figures = Repeated("some framework")
    figures.add(ledger)

    assert figures == Repeated("some framework", kills=1, repeated=1, most=1, unfinished=1)
