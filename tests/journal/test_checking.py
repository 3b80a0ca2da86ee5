"""A journal's file is checked as a whole: each fault is one line that names run and seq."""

import sqlite3
from pathlib import Path

import pytest

from agentorch.journal.checking import Check
from agentorch.journal.files import file_to_read
from agentorch.journal.sqlite import SqliteJournal
from tests.journal.kept import BLOB, change, checked, faults, keep


async def test_a_sound_journal_has_no_faults(tmp_path: Path) -> None:
    """Runs, events and blobs are counted, and nothing is wrong."""
    found = checked(await keep(tmp_path / "runs.db"))
    assert (found.runs, found.events, found.blobs, found.compacted, found.faults) == (4, 10, 1, 0, [])


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "UPDATE events SET payload = x'00' WHERE run = 1 AND seq = 2",
            ["run a, seq 2: its payload is not what was written"],
        ),
        (
            "UPDATE events SET payload = NULL WHERE run = 2 AND seq = 2",
            ["run b, seq 2: its payload is not what was written"],
        ),
        (
            "UPDATE events SET payload = NULL WHERE run = 3",
            ["run c, seq 1: its payload is missing, and it was not compacted: it had not finished"],
        ),
        ("DELETE FROM events WHERE run = 1 AND seq = 2", ["run a, seq 2: it is missing; the next stored is 3"]),
        ("DELETE FROM events WHERE run = 1 AND seq = 3", ["run a, seq 3: it is missing; the run went up to 3"]),
        (
            "UPDATE events SET header = x'0001' WHERE run = 1 AND seq = 2",
            ["run a, seq 2: its header cannot be read: no header: 2 bytes are too few for one"],
        ),
        (
            "UPDATE events SET header = (SELECT header FROM events WHERE run = 2 AND seq = 2) WHERE rowid = 2",
            ["run a, seq 2: its header does not follow from the one before"],
        ),
        (
            "UPDATE runs SET hash = zeroblob(32) WHERE run_id = 'b'",
            ["run b, seq 3: it is not the last event that was acknowledged"],
        ),
        (
            "UPDATE runs SET goal = 'another' WHERE run_id = 'd'",
            ["run d: the list of runs has the goal 'another', its events say 'goal of d'"],
        ),
        ("DELETE FROM blobs", [f"run a, seq 2: blob {BLOB}: it is missing"]),
        ("UPDATE blobs SET data = x'22'", [f"run a, seq 2: blob {BLOB}: its bytes are not what was written"]),
        (
            "INSERT INTO blobs VALUES ('0', x'22')",
            ["blob 0: its bytes are not what was written; no event needs it"],
        ),
        (
            "UPDATE requests SET payload = ''",
            ["run c: request 1 (cancel): it cannot be read (Expecting value: line 1 column 1 (char 0)); ask again"],
        ),
        (
            "UPDATE requests SET run_id = 'z'",
            ["run z: request 1 (cancel) is for it, and it is not in this journal"],
        ),
        ("DELETE FROM runs WHERE run_id = 'b'", ["3 events from seq 1 on belong to run number 2, not listed"]),
    ],
)  # fmt: skip
async def test_each_fault_is_one_line(tmp_path: Path, sql: str, said: list[str]) -> None:
    """What was damaged is named, once, with its run and seq; what follows from it is not told."""
    path = await keep(tmp_path / "runs.db")
    change(path, sql)
    assert faults(path) == said


async def test_every_flipped_bit_of_a_run_is_noticed(tmp_path: Path) -> None:
    """Whichever bit of a header or payload is flipped, a fault tells, there or at the next, which is held to it."""
    path = await keep(tmp_path / "runs.db")
    for seq in (1, 2, 3):
        for column in ("header", "payload"):
            size = _size(path, seq, column)
            for place in range(0, size, 19):
                _flip(path, seq, column, place)
                found = checked(path, "b").faults
                assert found, f"{column} {place} of {seq}"
                assert {fault.seq for fault in found} <= {seq, seq + 1}, f"{column} {place} of {seq}: {found}"
                _flip(path, seq, column, place)
    assert faults(path) == []


def _size(path: Path, seq: int, column: str) -> int:
    with file_to_read(path) as connection:
        return connection.execute(f"SELECT length({column}) FROM events WHERE run = 2 AND seq = ?", (seq,)).fetchone()[
            0
        ]


def _flip(path: Path, seq: int, column: str, place: int) -> None:
    def flip(connection: sqlite3.Connection) -> None:
        row = connection.execute(f"SELECT {column} FROM events WHERE run = 2 AND seq = ?", (seq,)).fetchone()
        changed = bytearray(row[0])
        changed[place] ^= 1 << place % 8
        connection.execute(f"UPDATE events SET {column} = ? WHERE run = 2 AND seq = ?", (bytes(changed), seq))

    change(path, flip)


async def test_one_run_is_checked_alone(tmp_path: Path) -> None:
    """What is wrong with others is not its business."""
    path = await keep(tmp_path / "runs.db")
    change(path, "UPDATE events SET payload = x'00' WHERE seq = 2")
    assert faults(path, "b") == ["run b, seq 2: its payload is not what was written"]


async def test_what_is_intact_stays_readable(tmp_path: Path) -> None:
    """A damaged run keeps no other from being read, and is itself read up to its damage."""
    path = await keep(tmp_path / "runs.db")
    change(path, "UPDATE events SET payload = x'00' WHERE run = 1 AND seq = 2")
    journal = SqliteJournal(path)
    await journal.open()
    try:
        assert len(await journal.read("b")) == 3
        assert len(await journal.read("a", limit=1)) == 1
    finally:
        await journal.close()


async def test_a_damaged_page_is_told_and_the_rest_checked(tmp_path: Path) -> None:
    """A file that was cut in its middle gives lines, no exception."""
    path = await keep(tmp_path / "runs.db")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + b"\0" * 5000 + data[len(data) // 2 + 5000 :])
    found = faults(path)
    assert found
    assert all("\n" not in line for line in found)


async def test_progress_is_told(tmp_path: Path) -> None:
    """Each event is counted, of all there are."""
    path = await keep(tmp_path / "runs.db")
    heard: list[tuple[int, int]] = []
    with file_to_read(path) as connection:
        Check(connection, seen=lambda done, of: heard.append((done, of))).run()
    assert heard == [(done, 10) for done in range(1, 11)]
