"""Runs leave a journal as lines of JSON and come back equal, or are refused in one line."""

import json
import os
from pathlib import Path

import pytest

from agentorch.core.events import InputTrimmed
from agentorch.errors import JournalError
from agentorch.journal.checking import Fault
from agentorch.journal.exporting import Export
from agentorch.journal.files import file_to_read
from agentorch.journal.sqlite import SqliteJournal
from agentorch.testing.samples import sample_events
from tests.journal.kept import LARGE, change, checked, exported, faults, imported, keep, tables


async def test_an_import_gives_an_equal_journal(tmp_path: Path) -> None:
    """Runs, events, blobs and the list are the same to the byte, and so is the next export."""
    path = await keep(tmp_path / "runs.db")
    found = imported(exported(path), tmp_path / "copy.db")
    assert (found.taken, found.skipped, found.refused) == (["a", "b", "c", "d"], [], [])
    assert tables(tmp_path / "copy.db") == tables(path)
    assert faults(tmp_path / "copy.db") == []
    assert exported(tmp_path / "copy.db") == exported(path)


async def test_every_event_type_survives(tmp_path: Path) -> None:
    """Each event is read back equal from a journal that imported it."""
    journal = SqliteJournal(tmp_path / "runs.db")
    await journal.open()
    name = await journal.blobs.put(LARGE)
    events = [
        event.model_copy(update={"blob": name}) if isinstance(event, InputTrimmed) else event
        for event in sample_events("s")
    ]
    await journal.append("s", events, after=0)
    await journal.close()
    imported(exported(tmp_path / "runs.db"), tmp_path / "copy.db")
    copy = SqliteJournal(tmp_path / "copy.db")
    await copy.open()
    try:
        assert await copy.read("s") == events
    finally:
        await copy.close()


async def test_an_export_is_lines_of_json(tmp_path: Path) -> None:
    """Any JSON reader takes it; an event stands in it as itself."""
    lines = [json.loads(line) for line in exported(await keep(tmp_path / "runs.db"), "d").splitlines()]
    assert [next(iter(line)) for line in lines] == ["agentorch", "run", "header", "header", "end"]
    assert lines[2]["events"][0]["goal"] == "goal of d"
    assert lines[4] == {"end": {"runs": 1}}


async def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    """A run that is there and equal is skipped."""
    path = await keep(tmp_path / "runs.db")
    before = tables(path)
    found = imported(exported(path), path)
    assert (found.taken, found.skipped, found.refused) == ([], ["a", "b", "c", "d"], [])
    assert tables(path) == before


async def test_a_run_that_differs_is_never_overwritten(tmp_path: Path) -> None:
    """It is refused in one line and stays; the others are taken."""
    path = await keep(tmp_path / "runs.db")
    data = exported(path)
    imported(exported(path, "c"), tmp_path / "copy.db")
    journal = SqliteJournal(tmp_path / "copy.db")
    await journal.open()
    await journal.append("c", [event for event in sample_events("c") if event.seq == 3], after=2)
    await journal.close()
    before = tables(tmp_path / "copy.db")
    found = imported(data, tmp_path / "copy.db")
    assert [str(fault) for fault in found.refused] == [
        "run c: it is here already and differs: up to seq 3 here, up to 2 in the file"
    ]
    assert found.taken == ["a", "b", "d"]
    assert tables(tmp_path / "copy.db")["events"][:3] == before["events"]


def _with(data: bytes, number: int, old: bytes, new: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new)
    return b"".join(lines)


@pytest.mark.parametrize(
    ("number", "old", "new", "fault"),
    [
        (2, b"goal of b", b"goal of x", Fault("b", 1, "its payload is not what was written")),
        (2, b'"header":"0000000000000001', b'"header":"0000000000000009',
         Fault("b", 1, "its header does not follow from the one before")),
        (1, b'"head":3', b'"head":4', Fault("b", 4, "it is missing; the run goes up to 4")),
        (1, b'"goal":"goal of b"', b'"goal":"goal of x"',
         Fault("b", None, "its line has the goal 'goal of x', its events say 'goal of b'")),
        (3, b'"events":[{', b'"events":[ {', None),
    ],
)  # fmt: skip
async def test_what_was_changed_is_refused(
    tmp_path: Path, number: int, old: bytes, new: bytes, fault: Fault | None
) -> None:
    """A changed line is named by run and seq, and nothing of its run is taken."""
    path = await keep(tmp_path / "runs.db")
    data = _with(exported(path, "b", "d"), number, old, new)
    found = imported(data, tmp_path / "copy.db")
    assert found.refused == [fault or Fault("b", 2, "its payload is not what was written")]
    assert found.taken == ["d"]
    assert [row[1] for row in tables(tmp_path / "copy.db")["runs"]] == ["d"]


async def test_a_changed_blob_is_refused(tmp_path: Path) -> None:
    """A blob that is not what its name says takes its run along."""
    path = await keep(tmp_path / "runs.db")
    data = exported(path, "a")
    number = next(at for at, line in enumerate(data.splitlines()) if line.startswith(b'{"blob"'))
    found = imported(_with(data, number, b'"data":"ImFh', b'"data":"ImFi'), tmp_path / "copy.db")
    assert [fault.what.endswith("its bytes are not what was written") for fault in found.refused] == [True]
    assert tables(tmp_path / "copy.db") == {"runs": [], "events": [], "blobs": []}


async def test_a_key_that_is_taken_is_refused(tmp_path: Path) -> None:
    """An idempotency key belongs to one run of a journal."""
    path = await keep(tmp_path / "runs.db")
    data = exported(path, "d")
    change(path, "UPDATE runs SET run_id = 'e' WHERE run_id = 'd'")
    found = imported(data, path)
    assert found.refused == [Fault("d", None, "its key 'k' belongs to another run of this journal")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is no exported journal"),
        (b'{"goal": 1}\n', "it is no exported journal"),
        (b'{"agentorch":"journal","format":9}\n', "it has format 9, this agentorch knows 2: upgrade agentorch"),
        (b'{"agentorch":"journal","format":1}\n', "line 1: it ends before its end"),
        (b'{"agentorch":"journal","format":1}\nrubbish\n', "line 2: "),
        (b'{"agentorch":"journal","format":1}\n{"run":{"x":1}}\n', "line 2: its run lacks 'run_id'"),
        (b'{"agentorch":"journal","format":1}\n{"header":"zz","event":{}}\n', "line 2: "),
        (b'{"agentorch":"journal","format":1}\n[]\n', "line 2: it is no line of an export"),
    ],
)
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    """One line says what is wrong, with its number."""
    with pytest.raises(JournalError) as raised:
        imported(data, tmp_path / "copy.db")
    assert str(raised.value).startswith(words)
    assert "\n" not in str(raised.value)


async def test_a_file_that_was_cut_gives_only_whole_runs(tmp_path: Path) -> None:
    """What ends before its end is said; the runs before the cut are there, checked."""
    path = await keep(tmp_path / "runs.db")
    data = exported(path, "b", "d")
    cut = data[: data.index(b'{"run":{"run_id":"d"') + 300]
    cut = cut[: cut.rindex(b"\n") + 1]
    with pytest.raises(JournalError, match="it ends before its end"):
        imported(cut, tmp_path / "copy.db")
    assert [row[1] for row in tables(tmp_path / "copy.db")["runs"]] == ["b"]


async def test_a_damaged_run_is_left_out_of_an_export(tmp_path: Path) -> None:
    """Its fault is told; the others are written."""
    path = await keep(tmp_path / "runs.db")
    change(path, "UPDATE events SET payload = x'00' WHERE run = 1 AND seq = 2")
    with file_to_read(path) as connection:
        export = Export(connection, release="0")
        data = b"".join(export.lines())
    assert [str(fault) for fault in export.faults] == ["run a, seq 2: its payload is not what was written"]
    assert imported(data, tmp_path / "copy.db").taken == ["b", "c", "d"]


async def test_the_files_are_the_owners_alone(tmp_path: Path) -> None:
    """The database, its log and its index have mode 0600 while they are there, whatever the umask says."""
    before = os.umask(0o022)
    try:
        journal = SqliteJournal(tmp_path / "kept" / "runs.db")
        await journal.open()
        try:
            journal.claim("somebody")
            await journal.append("s", sample_events("s"), after=0)
            modes = {path.name.partition("-")[2]: path.stat().st_mode & 0o777 for path in (tmp_path / "kept").iterdir()}
            assert {name.partition("-")[0]: mode for name, mode in modes.items()} == dict.fromkeys(
                ["", "wal", "shm", *[name.partition("-")[0] for name in modes]], 0o600
            )
            assert len(modes) == 4
        finally:
            journal.disclaim("somebody")
            await journal.close()
    finally:
        os.umask(before)
    assert checked(tmp_path / "kept" / "runs.db").events == len(sample_events("s"))
