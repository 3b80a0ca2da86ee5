"""What an import does with files that were edited, and with runs that are there: refused in words, or given back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.errors import JournalDamaged, JournalError
from agentorch.journal.checking import Fault
from agentorch.journal.compacting import Compaction
from agentorch.journal.exporting import Export
from agentorch.journal.files import file_to_read, file_to_write
from agentorch.journal.importing import Import
from agentorch.journal.sqlite import SqliteJournal
from tests.journal.kept import BLOB, change, exported, faults, imported, keep, tables

Edit = Callable[[dict[str, Any]], object]


async def test_a_run_without_its_blobs_is_refused(tmp_path: Path) -> None:
    """A file that lost the line of a large output gives no run that could not be carried on."""
    path = await keep(tmp_path / "runs.db")
    data = b"".join(line for line in exported(path).splitlines(True) if not line.startswith(b'{"blob"'))
    found = imported(data, tmp_path / "copy.db")
    assert found.refused == [Fault("a", 2, f"blob {BLOB}: it is not in the file, nor whole in this journal")]
    assert found.taken == ["b", "c", "d"]
    assert faults(tmp_path / "copy.db") == []


async def test_a_blob_that_is_here_need_not_be_in_the_file(tmp_path: Path) -> None:
    """What another run has brought already counts."""
    path = await keep(tmp_path / "runs.db")
    data = b"".join(line for line in exported(path, "a").splitlines(True) if not line.startswith(b'{"blob"'))
    change(path, "DELETE FROM events WHERE run = 1")
    change(path, "DELETE FROM runs WHERE run_id = 'a'")
    assert imported(data, path).taken == ["a"]
    assert faults(path) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET payload = x'00' WHERE run = 1 AND seq = 2",
        "UPDATE events SET header = x'00' WHERE run = 1 AND seq = 2",
        "DELETE FROM events WHERE run = 1 AND seq = 2",
        "UPDATE events SET seq = 9 WHERE run = 1 AND seq = 3",
        "UPDATE events SET seq = -1 WHERE run = 1 AND seq = 2",
        "UPDATE blobs SET data = x'00'",
        "DELETE FROM blobs",
        "UPDATE runs SET tags = '{' WHERE run_id = 'd'",
        "UPDATE runs SET goal = CAST(x'ff' AS TEXT) WHERE run_id = 'd'",
        "UPDATE runs SET status = 'failed', started = 0, request = NULL, key = 'j' WHERE run_id = 'd'",
        "UPDATE runs SET head = 9 WHERE run_id = 'a'",
        "UPDATE runs SET hash = x'00' WHERE run_id = 'a'",
        "DELETE FROM runs WHERE run_id = 'd'",
    ],
)
async def test_an_intact_export_gives_back_what_was_damaged(tmp_path: Path, sql: str) -> None:
    """Events, blobs and the list are as they were; the other runs are left alone."""
    path = await keep(tmp_path / "runs.db")
    data, before = exported(path), tables(path)
    change(path, sql)
    assert faults(path) != []
    found = imported(data, path)
    assert len(found.restored + found.taken) == 1
    assert (len(found.skipped), found.refused) == (3, [])
    if not found.taken:
        assert tables(path) == before
        assert faults(path) == []


async def test_an_export_gives_back_what_was_compacted(tmp_path: Path) -> None:
    """The events of a compacted run come back, and a compacted run in a file takes none away."""
    path = await keep(tmp_path / "runs.db")
    whole, before = exported(path), tables(path)
    with file_to_write(path) as connection:
        Compaction(connection, in_use=lambda: False).compact(["a", "b"])
    packed = exported(path)
    assert imported(packed, path).restored == []
    assert imported(whole, path).restored == ["a", "b"]
    assert tables(path) == before
    assert imported(packed, path).restored == []
    assert tables(path) == before


async def test_a_run_that_went_on_here_keeps_its_last_events(tmp_path: Path) -> None:
    """A head that only looks damaged is no reason to forget what was acknowledged."""
    path = await keep(tmp_path / "runs.db")
    data = exported(path, "a")
    change(path, "UPDATE runs SET head = 4, hash = zeroblob(32) WHERE run_id = 'a'")
    before = tables(path)
    found = imported(data, path)
    assert found.refused == [Fault("a", None, "it is here already and differs: up to seq 4 here, up to 3 in the file")]
    assert tables(path) == before


def _edited(data: bytes, number: int, edit: Edit) -> bytes:
    lines = data.splitlines(True)
    line = json.loads(lines[number])
    edit(line)
    lines[number] = json.dumps(line, separators=(",", ":")).encode() + b"\n"
    return b"".join(lines)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run_id", 5),
        ("run_id", ""),
        ("run_id", "\ud800"),
        ("goal", {"a": 1}),
        ("status", ["x"]),
        ("started", "yesterday"),
        ("started", True),
        ("started", 10**400),
        ("updated", None),
        ("updated", float("inf")),
        ("head", "x"),
        ("head", 0),
        ("hash", None),
        ("hash", "zz" * 32),
        ("tags", [1]),
        ("tags", {"a": 1}),
        ("tags", "{}"),
        ("key", {"a": 1}),
        ("request", 1),
        ("live", "yes"),
    ],
)
async def test_values_of_wrong_types_are_named(tmp_path: Path, name: str, value: object) -> None:
    """The line, the value and the remedy are said, and nothing is taken."""
    path = await keep(tmp_path / "runs.db")
    data = _edited(exported(path, "d"), 1, lambda line: line["run"].update({name: value}))
    with pytest.raises(JournalError) as raised:
        imported(data, tmp_path / "copy.db")
    shown = json.loads(json.dumps(value))
    assert str(raised.value) == f"line 2: its run has the {name} {shown!r:.80}, which cannot be: export it again"
    assert tables(tmp_path / "copy.db")["runs"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("goal", "x"),
        ("status", "failed"),
        ("started", 1),
        ("updated", 1),
        ("tags", {}),
        ("key", "j"),
        ("request", ""),
    ],
)
async def test_a_line_that_its_events_contradict_is_refused(tmp_path: Path, name: str, value: object) -> None:
    """What the list would show is what the events say, or the file was edited."""
    path = await keep(tmp_path / "runs.db")
    data = _edited(exported(path, "d"), 1, lambda line: line["run"].update({name: value}))
    found = imported(data, tmp_path / "copy.db")
    assert [
        fault.what.startswith(f"its line has the {name} {value!r}, its events say ") for fault in found.refused
    ] == [True]
    assert tables(tmp_path / "copy.db")["runs"] == []


START = b'{"agentorch":"journal","format":1}\n'
DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (DEEP, "it is no exported journal"),
        (b"[1]\n", "it is no exported journal"),
        (b'{"agentorch":"journal","format":true}\n', "it is no exported journal"),
        (START + DEEP, "line 2: it is no JSON, or nested without end: '[[[["),
        (START + b"\xff\xfe\n", "line 2: it is no JSON"),
        (START + b"3\n", "line 2: it is no line of an export: '3'"),
        (START + b'{"end":3}\n', "line 2: its end is 3, which is no object"),
        (START + b'{"end":{"runs":true}}\n', "line 2: its end has the runs True, which cannot be"),
        (START + b'{"end":{"runs":0,"x":1}}\n', "line 2: its end has 'x', which this release does not know"),
        (START + b'{"end":{"runs":7}}\n', "line 2: it counts 7 runs, and 0 are in the file"),
        (START + b'{"end":{"runs":0}}\n\n{"end":{"runs":0}}\n', "line 3: it goes on behind its end"),
        (START + b'{"blob":5,"data":""}\n', "line 2: its blob is 5, which is no SHA-256"),
        (START + b'{"blob":"' + b"0" * 64 + b'","data":7}\n', f"line 2: the data of its blob {'0' * 64} is no base64"),
        (START + b'{"blob":"' + b"0" * 64 + b'","data":""}\n', "line 2: it belongs to no run"),
        (START + b'{"header":"00","event":1\n', "line 2: its events are not as they were written"),
        (START + b'{"header":"0","event":1}\n', "line 2: its events are not as they were written"),
        (START + b'{"header":"00","events":{}}\n', "line 2: its events are not as they were written"),
        (START + b'{"header":"00"', "line 2: its events are not as they were written"),
        (START + b'{"request":[]}\n', "line 2: its request is [], which is no object"),
        (START + b'{"request":{"kind":""}}\n', "line 2: its request has the kind ''"),
    ],
)  # fmt: skip
def test_every_bad_line_is_named_in_one_line(tmp_path: Path, data: bytes, words: str) -> None:
    """The number of the line, what is wrong, and what to do."""
    with pytest.raises(JournalError) as raised:
        imported(data, tmp_path / "copy.db")
    said = str(raised.value)
    assert said.startswith(words)
    assert said.endswith((": export it again", "`agentorch journal export` writes one"))
    assert "\n" not in said
    assert len(said) < 300


async def test_an_unfinished_run_is_not_taken_for_a_compacted_one(tmp_path: Path) -> None:
    """Events that are null belong to a run that had finished."""
    path = await keep(tmp_path / "runs.db")
    lines = [
        line[: line.index(b',"events":')] + b',"events":null}\n' if line.startswith(b'{"header"') else line
        for line in exported(path, "c").splitlines(True)
    ]
    found = imported(b"".join(lines), tmp_path / "copy.db")
    words = "its payload is missing, and it was not compacted: it had not finished"
    assert found.refused == [Fault("c", 1, words)]


async def test_damage_of_the_list_or_of_a_request_keeps_no_run_from_being_exported(tmp_path: Path) -> None:
    """The run is written by its events, what is wrong is said, and the journal that takes it in is sound."""
    path = await keep(tmp_path / "runs.db")
    before = tables(path)
    change(path, "UPDATE runs SET tags = '{', goal = 'x' WHERE run_id = 'd'")
    change(path, "UPDATE requests SET payload = ''")
    with file_to_read(path) as connection:
        export = Export(connection, release="0")
        data = b"".join(export.lines())
    assert export.faults == []
    assert [fault.run for fault in export.mended] == ["c", "d", "d"]
    assert imported(data, tmp_path / "copy.db").taken == ["a", "b", "c", "d"]
    assert tables(tmp_path / "copy.db") == before
    assert faults(tmp_path / "copy.db") == []


async def test_what_is_asked_of_a_run_goes_along(tmp_path: Path) -> None:
    """An answer that waits for the resume waits in the other journal too, once."""
    path = await keep(tmp_path / "runs.db")
    for _ in range(2):
        imported(exported(path), tmp_path / "copy.db")
    journal = SqliteJournal(tmp_path / "copy.db")
    await journal.open()
    try:
        (request,) = await journal.requests()
    finally:
        await journal.close()
    assert (request.run_id, request.kind, request.payload) == ("c", "cancel", {"why": "enough"})
    assert (request.by, request.at) == ("somebody", 5.0)


async def test_a_run_that_somebody_carries_out_is_exported_and_imported_only_on_demand(tmp_path: Path) -> None:
    """In two journals at once it would do everything twice: both ends must ask for the copy."""
    path = await keep(tmp_path / "runs.db", owner="somebody")
    journal = SqliteJournal(path)
    await journal.open()
    try:
        journal.claim("somebody")
        with file_to_read(path) as connection:
            export = Export(connection, release="0")
            data = b"".join(export.lines())
        assert export.faults == [
            Fault("c", None, "somebody carries it out: stop that first, or ask for a copy (--live)")
        ]
        assert imported(data, tmp_path / "copy.db").taken == ["a", "b", "d"]
        with file_to_read(path) as connection:
            data = b"".join(Export(connection, release="0", live=True).lines())
    finally:
        journal.disclaim("somebody")
        await journal.close()
    words = "somebody was carrying it out: if that has ended for good, import it with --live"
    assert imported(data, tmp_path / "copy.db").refused == [Fault("c", None, words)]
    with file_to_write(tmp_path / "copy.db") as connection:
        found = Import(connection, live=True).take(data.splitlines(True))
    assert (found.taken, found.unfinished) == (["c"], ["c"])


async def test_a_run_whose_owner_has_ended_is_moved(tmp_path: Path) -> None:
    """Nobody carries it out, so it may go on elsewhere; that it has not finished is told."""
    path = await keep(tmp_path / "runs.db", owner="somebody")
    found = imported(exported(path), tmp_path / "copy.db")
    assert (found.taken, found.unfinished) == (["a", "b", "c", "d"], ["c"])


async def test_a_lost_blob_is_one_line_and_comes_back(tmp_path: Path) -> None:
    """Whoever needs it hears what is gone and what helps; afterwards the run gives its output."""

    @agent(description="Writes as much as is wanted.")
    async def writer(letters: int) -> str:
        return "x" * letters

    path = tmp_path / "runs.db"
    plan = Plan("g")
    plan.add("a", agent="writer", inputs={"letters": 70_000})
    async with Orchestrator([writer], journal=path) as orchestrator:
        run_id = (await orchestrator.run(plan)).run_id
    data = exported(path)
    change(path, "DELETE FROM blobs")
    async with Orchestrator([writer], journal=path) as orchestrator:
        with pytest.raises(
            JournalDamaged, match=r"^blob [0-9a-f]{64}: it is missing: `agentorch journal import` gives"
        ):
            await orchestrator.resume(run_id)
        assert imported(data, path).restored == [run_id]
        assert (await orchestrator.resume(run_id)).answer == "x" * 70_000
