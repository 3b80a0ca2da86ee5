"""Finished runs are compacted: their events go, their headers and the chain stay."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agentorch.errors import JournalCompacted, JournalError
from agentorch.journal.compacting import Compaction
from agentorch.journal.files import file_to_write
from agentorch.journal.sqlite import SqliteJournal
from tests.journal.kept import checked, compacted, exported, faults, imported, keep, succeeded, tables


async def test_the_chain_of_a_compacted_run_holds(tmp_path: Path) -> None:
    """Its headers are checked as before, and the list still shows it."""
    path = await keep(tmp_path / "runs.db")
    found = compacted(path, "a")
    assert (found.runs, found.events, found.blobs, found.busy) == (["a"], 3, 1, False)
    assert (checked(path).compacted, faults(path)) == (1, [])
    assert [row[2] for row in tables(path)["runs"]] == ["goal of a", "goal of b", "goal of c", "goal of d"]


async def test_reading_it_says_so_in_one_line(tmp_path: Path) -> None:
    """Its events are gone; whoever reads it hears why, and the others are read as before."""
    path = await keep(tmp_path / "runs.db")
    compacted(path, "a")
    journal = SqliteJournal(path)
    await journal.open()
    try:
        with pytest.raises(JournalCompacted) as raised:
            await journal.read("a")
        assert str(raised.value) == "run a was compacted: its events were dropped, only their headers are left"
        assert len(await journal.read("b")) == 3
    finally:
        await journal.close()


async def test_what_was_dropped_is_on_the_disk_no_more(tmp_path: Path) -> None:
    """Neither the file nor its log holds a word of it, and the file is smaller."""
    path = await keep(tmp_path / "runs.db")
    assert b"a" * 1000 in path.read_bytes()
    found = compacted(path, "a")
    left = b"".join((tmp_path / name).read_bytes() for name in os.listdir(tmp_path))  # noqa: PTH208
    assert b"a" * 1000 not in left
    assert b'"key":"a/a/1/1/1"' not in left
    assert found.after < found.before
    assert found.after == path.stat().st_size


async def test_a_damaged_run_is_left_as_it_is_and_named(tmp_path: Path) -> None:
    """What is intact of it is not dropped, and verify goes on naming what is wrong; the others are compacted."""
    path = await keep(tmp_path / "runs.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET payload = x'00' WHERE run = 1 AND seq = 2")
    wrong = faults(path)
    found = compacted(path, "a", "b")
    assert (found.runs, [fault.run for fault in found.damaged]) == (["b"], ["a"])
    assert faults(path) == wrong != []


async def test_a_run_that_has_not_finished_is_refused(tmp_path: Path) -> None:
    """Nothing is dropped, not even of the finished ones beside it."""
    path = await keep(tmp_path / "runs.db")
    before = tables(path)
    with pytest.raises(JournalError, match=r"^run c has not finished \(planning\): resume or cancel it, then compact"):
        compacted(path, "a", "c")
    assert tables(path) == before


async def test_a_blob_that_another_run_names_is_kept(tmp_path: Path) -> None:
    """Equal values are stored once, and stay as long as anybody needs them."""
    path = await keep(tmp_path / "runs.db")
    journal = SqliteJournal(path)
    await journal.open()
    (event,) = [event for event in await journal.read("a") if event.seq == 2]
    await journal.append("c", [succeeded("c", 3, vars(event)["output"])], after=2)
    await journal.close()
    assert compacted(path, "a").blobs == 0
    assert faults(path) == []


async def test_blobs_are_kept_while_somebody_is_at_work(tmp_path: Path) -> None:
    """A run under way may have stored the same value without having named it; the next compaction takes it."""
    path = await keep(tmp_path / "runs.db")
    found = compacted(path, "a", in_use=True)
    assert (found.blobs, found.kept_blobs) == (0, 1)
    assert compacted(path).blobs == 1


async def test_the_old_ones_are_found(tmp_path: Path) -> None:
    """Finished runs by the time of their last event, and none twice."""
    path = await keep(tmp_path / "runs.db")
    with file_to_write(path) as connection:
        compaction = Compaction(connection, in_use=lambda: False)
        assert compaction.older_than(1003.0) == ["d"]
        assert compaction.older_than(1e12) == ["a", "b", "d"]
        compaction.compact(["b"])
        assert compaction.older_than(1e12) == ["a", "d"]


async def test_a_compacted_run_moves_as_what_it_is(tmp_path: Path) -> None:
    """Export and import carry its headers, and the chain is checked on the way."""
    path = await keep(tmp_path / "runs.db")
    compacted(path, "a")
    data = exported(path)
    imported(data, tmp_path / "copy.db")
    assert tables(tmp_path / "copy.db") == tables(path)
    assert checked(tmp_path / "copy.db").compacted == 1
    line = next(line for line in data.splitlines() if line.startswith(b'{"header":"0000000000000002'))
    assert line.endswith(b'"events":null}')
    changed = data.replace(line, line.replace(b"0000000000000002", b"0000000000000003", 1))
    refused = imported(changed, tmp_path / "other.db").refused
    assert [str(fault) for fault in refused] == ["run a, seq 2: its header does not follow from the one before"]


async def test_a_late_word_after_the_compaction_is_read(tmp_path: Path) -> None:
    """What comes behind the headers is an event as any."""
    path = await keep(tmp_path / "runs.db")
    compacted(path, "b")
    journal = SqliteJournal(path)
    await journal.open()
    try:
        await journal.append("b", [succeeded("b", 4, "late")], after=3)
        assert [event.seq for event in await journal.read("b", after=3)] == [4]
    finally:
        await journal.close()
    assert faults(path) == []
