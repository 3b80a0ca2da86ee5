"""One damaged cell, whichever it is, is named, and harms nothing but the run that it belongs to."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from agentorch import Orchestrator, Plan, Run, agent
from agentorch.errors import JournalCompacted
from agentorch.events import RequestOpened
from agentorch.journal.compacting import Compaction
from agentorch.journal.files import file_to_write
from agentorch.journal.sqlite import SqliteJournal
from agentorch.testing.samples import sample_events
from tests.journal.cells import TABLES, Flip, flip, flips
from tests.journal.kept import change, faults, finished, keep


@agent(description="Writes as much as is wanted.")
async def writer(letters: int) -> str:
    return "x" * letters


@agent(description="Sends a letter.", approval="before")
async def sender(letter: str) -> str:
    return f"sent {letter}"


def one(worker: object, **inputs: object) -> Plan:
    plan = Plan("one task")
    plan.add("only", agent=worker, inputs=inputs)
    return plan


async def kept(path: Path) -> dict[str, str | None]:
    """Write four runs: with a large output, key and tags; plain; compacted; under way with an answer that waits.

    Return what each answers; None for the compacted one.
    """
    async with Orchestrator([writer, sender], journal=path) as orchestrator:
        large = await orchestrator.run(one(writer, letters=70_000), key="k", tags={"team": "blau"})
        plain = await orchestrator.run(one(writer, letters=3))
        packed = await orchestrator.run(one(writer, letters=4))
        waiting = await orchestrator.submit(one(sender, letter="hello"))
        events = [event async for event in _until_asked(waiting)]
    with file_to_write(path) as connection:
        Compaction(connection, in_use=lambda: False).compact([packed.run_id])
    journal = SqliteJournal(path)
    await journal.open()
    await journal.request(
        waiting.id, "answer", {"request_id": events[-1].request_id, "value": True}, by="somebody", at=5.0
    )
    await journal.close()
    answers = {run.run_id: str(run.answer) for run in (large, plain)}
    return {**answers, packed.run_id: None, waiting.id: "sent hello"}


async def _until_asked(run: Run) -> AsyncIterator[RequestOpened]:
    async for event in run.events():
        if isinstance(event, RequestOpened):
            yield event
            return


async def what_stands(path: Path, answers: dict[str, str | None]) -> list[str]:
    """Say what of these runs cannot be listed or carried on, and whether a new run can be begun."""
    found: list[str] = []
    async with Orchestrator([writer, sender], journal=path, durability="process") as orchestrator:
        listed = {record.run_id async for record in orchestrator.runs()}
        tagged = [record.run_id async for record in orchestrator.runs(tags={"team": "blau"})]
        found += [f"{run_id} is not listed" for run_id in answers if run_id not in listed]
        found += [f"{run_id} has a tag" for run_id in tagged if answers.get(run_id) not in {None, "x" * 70_000}]
        for run_id, answer in answers.items():
            try:
                outcome = await orchestrator.resume(run_id)
                found += [] if outcome.answer == answer else [f"{run_id}: {outcome}"]
            except JournalCompacted:
                found += [] if answer is None else [f"{run_id} is not compacted"]
        found += [] if (await orchestrator.run(one(writer, letters=1))).answer == "x" else ["no new run"]
    return found


def is_beyond_notice(path: Path, damage: Flip, packed: str) -> bool:
    """Whether nothing tells of the damage, and docs/journal.md says so.

    A request has no hash; its number and its time decide nothing. The list is all that is left of a compacted run.
    """
    if damage.table == "requests":
        return damage.column in {"id", "at", "by"} or (damage.column == "payload" and _is_json(damage.after))
    if damage.table == "runs" and damage.run_id == packed:
        return damage.column in {"goal", "tags"} and faults(path) == []
    return False


def _is_json(value: object) -> bool:
    try:
        return isinstance(value, bytes) and isinstance(json.loads(value.decode()), dict)
    except ValueError:
        return False


def _remove(path: Path) -> None:
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.timeout(240)
async def test_one_damaged_cell_is_named_and_harms_no_other_run(tmp_path: Path, table: str) -> None:
    """A check names it; every other run stays listed and can be carried on, and new ones can be begun."""
    whole = tmp_path / "whole.db"
    answers = await kept(whole)
    packed = next(run_id for run_id, answer in answers.items() if answer is None)
    assert faults(whole) == []
    tried = 0
    for damage in flips(whole, table):
        path = tmp_path / "damaged.db"
        shutil.copy(whole, path)
        if not flip(path, damage):
            continue
        tried += 1
        assert faults(path) or is_beyond_notice(path, damage, packed), f"nothing names {damage}"
        owner = damage.run_id or next(iter(answers))
        others = {run_id: answer for run_id, answer in answers.items() if run_id != owner}
        assert await what_stands(path, others) == [], str(damage)
        _remove(path)
    assert tried > {"runs": 60, "events": 100, "blobs": 3, "requests": 10}[table]


async def test_a_damaged_index_of_the_list_hides_no_run(tmp_path: Path) -> None:
    """Every run is found by its id where the index of ids is damaged, and what is wrong is said."""
    whole, path = tmp_path / "whole.db", tmp_path / "damaged.db"
    answers = await kept(whole)
    data = whole.read_bytes()
    for run_id in answers:
        place = _in_index(whole, run_id)
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :])
        assert [line for line in faults(path) if "sqlite_autoindex_runs" in line], run_id
        assert await what_stands(path, answers) == [], run_id
        _remove(path)


def _in_index(path: Path, run_id: str) -> int:
    """Return where in the file the index of the list has an id."""
    with closing(sqlite3.connect(path)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_runs_1'"
        page = connection.execute(sql).fetchone()[0]
    return path.read_bytes().index(run_id.encode(), (page - 1) * size)


async def test_events_that_got_astray_behind_another_run_do_not_harm_it(tmp_path: Path) -> None:
    """It is read and goes on as if they were not there; they are kept, and named."""
    path = await keep(tmp_path / "runs.db")
    change(path, "UPDATE events SET run = 3 WHERE run = 2 AND seq = 3")
    assert "run c, seq 3: it is not the last event that was acknowledged" in faults(path)
    journal = SqliteJournal(path)
    await journal.open()
    try:
        assert [len(await journal.read("c", limit=limit)) for limit in (2, 3, 1000)] == [2, 2, 2]
        assert await journal.verify("c") == 2
        await journal.append("c", [finished("c", 3)], after=2)
        assert (await journal.read("c"))[2:] == [finished("c", 3)]
    finally:
        await journal.close()
    assert faults(path) == [
        "run b, seq 3: it is missing; the run went up to 3",
        "1 events from seq 3 on belong to run number 5, not listed",
    ]


async def test_a_new_run_meets_no_events_that_got_astray(tmp_path: Path) -> None:
    """Its number is one that no event has either."""
    path = await keep(tmp_path / "runs.db")
    change(path, "UPDATE events SET run = 5 WHERE run = 4 AND seq = 1")
    journal = SqliteJournal(path)
    await journal.open()
    try:
        await journal.append("e", sample_events("e"), after=0)
        assert await journal.read("e") == sample_events("e")
    finally:
        await journal.close()
