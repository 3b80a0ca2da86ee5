"""What was appended together is stored as blocks, and read, damaged, moved and dropped as events."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from agentorch.core.events import Event
from agentorch.errors import JournalCompacted, JournalDamaged
from agentorch.journal.chain import anchor, seal, unseal
from agentorch.journal.checking import Check
from agentorch.journal.exported import FORMAT
from agentorch.journal.files import file_to_read
from agentorch.journal.schema import SCHEMA
from agentorch.journal.sqlite import SqliteJournal
from agentorch.testing.journal_suite import reported, started
from tests.journal.kept import (
    append_each,
    change,
    checked,
    compacted,
    exported,
    faults,
    finished,
    harm,
    imported,
    tables,
)

SMALL = [started("r"), *(reported("r", seq) for seq in range(2, 200)), finished("r", 200)]
"""Two hundred events of a run: four blocks when they come together."""


async def journal_of(path: Path, *appends: Sequence[Event]) -> Path:
    """Write a journal with these appends of one run."""
    journal = SqliteJournal(path)
    await journal.open()
    for events in appends:
        await journal.append("r", events, after=events[0].seq - 1)
    await journal.close()
    return path


async def read(path: Path, *, after: int = 0, limit: int = 1000) -> list[Event]:
    """Read events of a closed journal."""
    journal = SqliteJournal(path)
    await journal.open()
    try:
        return await journal.read("r", after=after, limit=limit)
    finally:
        await journal.close()


def begun(path: Path) -> list[int]:
    """Return where the blocks begin."""
    with closing(sqlite3.connect(path)) as connection:
        return [seq for (seq,) in connection.execute("SELECT seq FROM events ORDER BY seq")]


async def test_what_comes_together_is_stored_together(tmp_path: Path) -> None:
    """Up to 64 events, and each append by itself."""
    assert begun(await journal_of(tmp_path / "1.db", SMALL)) == [1, 65, 129, 193]
    assert begun(await journal_of(tmp_path / "2.db", SMALL[:2], SMALL[2:3], SMALL[3:70])) == [1, 3, 4, 68]


async def test_a_block_is_no_larger_than_its_bytes_allow(tmp_path: Path) -> None:
    """64 KiB, but where a single event is larger."""
    sizes = (30_000, 30_000, 30_000, 90_000, 10, 10)
    events = [reported("r", seq, "x" * size) for seq, size in enumerate(sizes, 1)]
    path = await journal_of(tmp_path / "runs.db", events)
    assert begun(path) == [1, 3, 4, 5]
    assert await read(path) == events


async def test_a_page_may_begin_and_end_anywhere(tmp_path: Path) -> None:
    """Whatever is asked for is given, and no more."""
    path = await journal_of(tmp_path / "runs.db", SMALL[:100], SMALL[100:101], SMALL[101:])
    journal = SqliteJournal(path)
    await journal.open()
    try:
        for limit in (1, 3, 7):
            assert await journal.read("r", after=-5, limit=limit) == SMALL[:limit]
        assert await journal.read("r", limit=0) == await journal.read("r", limit=-(2**80)) == []
        for after in (0, 1, 63, 64, 65, 99, 100, 101, 102, 198, 199, 200, 500):
            for limit in (1, 2, 63, 64, 65, 200, 2**63 - 1):
                assert await journal.read("r", after=after, limit=limit) == SMALL[after:][:limit], (after, limit)
        assert await journal.verify("r") == 200
    finally:
        await journal.close()


async def test_a_damaged_event_is_named_and_what_stands_before_it_is_read(tmp_path: Path) -> None:
    """Also inside of a block."""
    path = await journal_of(tmp_path / "runs.db", SMALL)
    change(path, harm(100))
    assert faults(path) == ["run r, seq 100: its payload is not what was written"]
    assert await read(path, limit=99) == SMALL[:99]
    assert await read(path, after=70, limit=29) == SMALL[70:99]
    for after, limit in ((0, 100), (70, 30), (99, 1), (120, 1)):
        with pytest.raises(JournalDamaged, match=r"^run r, seq 100: its payload is not what was written"):
            await read(path, after=after, limit=limit)
    assert await read(path, after=128) == SMALL[128:]


async def test_verifying_looks_at_every_block_whole(tmp_path: Path) -> None:
    """Also at one that the end of a page cuts, behind that."""
    path = await journal_of(tmp_path / "runs.db", long("r"))
    change(path, harm(1010))
    journal = SqliteJournal(path)
    await journal.open()
    try:
        assert len(await journal.read("r", limit=1000)) == 1000
        with pytest.raises(JournalDamaged, match=r"^run r, seq 1010: "):
            await journal.verify("r")
    finally:
        await journal.close()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE events SET header = x'00' WHERE seq = 65", "seq 65: its header cannot be read"),
        ("UPDATE events SET header = substr(header, 1, 90) WHERE seq = 65", "seq 65: its header cannot be read"),
        ("UPDATE events SET header = CAST(header || ',' AS BLOB) WHERE seq = 65", "seq 65: its header cannot be read"),
        ("UPDATE events SET payload = substr(payload, 1, 500) WHERE seq = 65", "seq 70: its payload is not what"),
        ("UPDATE events SET payload = CAST(payload || 'x' AS BLOB) WHERE seq = 65", "seq 65: its payload is not what"),
        ("DELETE FROM events WHERE seq = 65", "seq 65: it is missing; the next stored is 129"),
        ("DELETE FROM events WHERE seq = 193", "seq 193: it is missing; the run went up to 200"),
        ("UPDATE events SET seq = 20 WHERE seq = 65", "seq 20: it is stored twice"),
    ],
)  # fmt: skip
async def test_a_damaged_block_is_named(tmp_path: Path, sql: str, said: str) -> None:
    """By its first event, or by the first that is damaged; a check and a reader say the same place."""
    path = await journal_of(tmp_path / "runs.db", SMALL)
    change(path, sql)
    (fault,) = faults(path)
    assert fault.startswith(f"run r, {said}")
    place = said.partition(":")[0]
    with pytest.raises(JournalDamaged, match=rf"^run r, {place}: "):
        await read(path)
    journal = SqliteJournal(path)
    await journal.open()
    try:
        with pytest.raises(JournalDamaged, match=rf"^run r, {place}: "):
            await journal.verify("r")
    finally:
        await journal.close()


def long(run: str) -> list[Event]:
    """Return 1,100 events."""
    return [started(run), *(reported(run, seq) for seq in range(2, 1101))]


async def two(path: Path) -> Path:
    """Write runs r and q of 1,100 events each, with a block that begins at 1,001 in q, and in r none."""
    journal = SqliteJournal(path)
    await journal.open()
    for run, cut in (("r", 1100), ("q", 1000)):
        events = long(run)
        await journal.append(run, events[:cut], after=0)
        if events[cut:]:
            await journal.append(run, events[cut:], after=cut)
    await journal.close()
    return path


def moved(seq: int, *, run: int = 1, to: int | None = None, by: int = 1) -> str:
    """Return the SQL that gives a block another place."""
    return f"UPDATE events SET run = {by}, seq = {seq if to is None else to} WHERE run = {run} AND seq = {seq}"


def flipped(place: int, bit: int) -> Callable[[sqlite3.Connection], None]:
    """Flip a bit of the header of the second block of r."""

    def do(connection: sqlite3.Connection) -> None:
        (header,) = connection.execute("SELECT header FROM events WHERE run = 1 AND seq = 65").fetchone()
        changed = bytearray(header)
        changed[place] ^= bit
        connection.execute("UPDATE events SET header = ? WHERE run = 1 AND seq = 65", (bytes(changed),))

    return do


@pytest.mark.parametrize(
    "damage",
    [
        moved(1001, run=2),
        moved(129, to=0),
        moved(129, to=-(2**63)),
        moved(193, to=20),
        moved(129, run=2, to=20),
        moved(129, run=2, to=80),
        moved(129, to=2**63 - 1),
        *(flipped(place, bit) for place, bit in ((0, 0x80), (5, 1), (7, 2), (7, 0x20), (9, 1), (83, 1), (600, 4))),
        "UPDATE events SET header = x'00' WHERE run = 1 AND seq = 65",
        "UPDATE runs SET head = -1 WHERE number = 1",
    ],
)
async def test_no_damage_shortens_what_is_read(
    tmp_path: Path, damage: str | Callable[[sqlite3.Connection], None]
) -> None:
    """Wherever a page begins and ends, it is what was written, or the damage is told, in a line."""
    path = await two(tmp_path / "runs.db")
    change(path, damage)
    assert faults(path) != []
    journal = SqliteJournal(path)
    await journal.open()
    try:
        with pytest.raises(JournalDamaged):
            await journal.verify("r")
        written = long("r")
        for after in (0, 1, 10, 63, 64, 70, 83, 100, 127, 128, 130, 192, 200, 960, 1000, 1023, 1030, 1099):
            for limit in (1, 5, 20, 50, 1000):
                with suppress(JournalDamaged):
                    assert await journal.read("r", after=after, limit=limit) == written[after:][:limit], (after, limit)
    finally:
        await journal.close()


@pytest.mark.parametrize("head", [2, 63, 64, 65, 87, 128])
async def test_a_damaged_head_leaves_readable_what_stands_before_it(tmp_path: Path, head: int) -> None:
    """Also inside of a block; and whoever reads page by page does not take it for the end."""
    path = await journal_of(tmp_path / "runs.db", SMALL)
    change(path, f"UPDATE runs SET head = {head}")
    assert await read(path, limit=head - 1) == SMALL[: head - 1]
    for limit, seq in ((head, head), (head + 1, head + 1), (1000, head + 1)):
        with pytest.raises(JournalDamaged, match=rf"^run r, seq {seq}: it is not the last event that was acknowledged"):
            await read(path, limit=limit)
    with pytest.raises(JournalDamaged, match=rf"^run r, seq {head + 1}: "):
        await read(path, after=head - 1)


async def test_a_length_that_is_damaged_is_one_fault(tmp_path: Path) -> None:
    """The events behind it, which it misplaces, are not told again."""
    path = await journal_of(tmp_path / "runs.db", SMALL)
    change(path, flipped(84 + 64 * 10 + 4 * 30 + 3, 4))
    said = faults(path)
    assert said[0] == "run r, seq 95: its payload is not what was written"
    assert [fault.partition(":")[0] for fault in said] == ["run r, seq 95", "run r, seq 129"]
    with pytest.raises(JournalDamaged, match=r"^run r, seq 95: "):
        await read(path)
    assert await read(path, limit=94) == SMALL[:94]


async def test_a_block_that_follows_a_damaged_header_cannot_be_read(tmp_path: Path) -> None:
    """The chain does not lead there."""
    path = await journal_of(tmp_path / "runs.db", SMALL)
    change(path, "UPDATE events SET header = x'00' WHERE seq = 65")
    with pytest.raises(JournalDamaged):
        await read(path, after=130)
    assert await read(path, limit=64) == SMALL[:64]


@pytest.mark.parametrize(
    "damage",
    [
        harm(100),
        "DELETE FROM events WHERE seq = 65",
        "UPDATE events SET seq = 20 WHERE seq = 65",
        "UPDATE events SET seq = 201 WHERE seq = 65",
        "UPDATE events SET header = x'00' WHERE seq = 193",
    ],
)
async def test_an_export_gives_blocks_back(tmp_path: Path, damage: str) -> None:
    """They are as they were, and what got astray among them is gone."""
    path = await journal_of(tmp_path / "runs.db", SMALL)
    data, before = exported(path), tables(path)
    change(path, damage)
    assert faults(path) != []
    assert imported(data, path).restored == ["r"]
    assert tables(path) == before
    assert faults(path) == []


async def test_blocks_are_compacted_and_moved(tmp_path: Path) -> None:
    """Events are counted, not blocks; the headers say how many they were."""
    path = await journal_of(tmp_path / "runs.db", SMALL)
    assert compacted(path, "r").events == 200
    assert (checked(path).events, checked(path).compacted, faults(path)) == (200, 1, [])
    for after in (0, 70, 199):
        with pytest.raises(JournalCompacted):
            await read(path, after=after)
    imported(exported(path), tmp_path / "copy.db")
    assert tables(tmp_path / "copy.db") == tables(path)


async def test_an_unfinished_run_with_dropped_blocks_is_damaged(tmp_path: Path) -> None:
    """Nobody has compacted it."""
    path = await journal_of(tmp_path / "runs.db", SMALL[:-1])
    change(path, "UPDATE events SET payload = NULL WHERE seq < 100")
    with pytest.raises(JournalDamaged, match=r"^run r, seq 1: its payload is not what was written"):
        await read(path)


async def test_progress_counts_events(tmp_path: Path) -> None:
    """Of all that there are."""
    path = await journal_of(tmp_path / "runs.db", SMALL)
    heard: list[tuple[int, int]] = []
    with file_to_read(path) as connection:
        Check(connection, seen=lambda done, of: heard.append((done, of))).run()
    assert heard == [(64, 200), (128, 200), (192, 200), (200, 200)]


async def test_a_journal_of_the_first_schema_goes_on(tmp_path: Path) -> None:
    """It has blocks of one event each; behind them come others, and an older release refuses the file from then on."""
    path = tmp_path / "runs.db"
    journal = SqliteJournal(path)
    await journal.open()
    await append_each(journal, SMALL[:50])
    await journal.close()
    change(path, "PRAGMA user_version=1")
    assert faults(path) == []
    await journal_of(path, SMALL[50:])
    assert begun(path) == [*range(1, 52), 115, 179]
    assert await read(path) == SMALL
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)


async def test_an_export_of_the_first_format_is_taken(tmp_path: Path) -> None:
    """There, a line has one event."""
    journal = SqliteJournal(tmp_path / "runs.db")
    await journal.open()
    await append_each(journal, SMALL)
    await journal.close()
    data = exported(tmp_path / "runs.db")
    old = data.replace(b'"events":[{', b'"event":{').replace(b"}]}\n", b"}}\n")
    old = old.replace(b'"format":%d' % FORMAT, b'"format":1', 1)
    assert old.count(b'"event":{') == 200
    imported(old, tmp_path / "copy.db")
    assert tables(tmp_path / "copy.db") == tables(tmp_path / "runs.db")


def test_a_header_says_what_was_sealed() -> None:
    """Of one event, and of several."""
    start = anchor("r")
    one, payload = seal(1, start.hash, [b"{}"], [3], [1.5], [b"A"])
    assert payload == b"{}"
    assert unseal(one)[3:] == ((3,), (1.5,), ("A",), (), ())
    two, payload = seal(1, start.hash, [b"{}", b"[1]"], [3, 1], [1.5, 2.5], [b"A", b"B"])
    assert payload == b"{},[1]"
    header = unseal(two)
    assert (header.seq, header.last, header.previous) == (1, 2, start.hash)
    assert header[3:7] == ((3, 1), (1.5, 2.5), ("A", "B"), (2, 3))


async def test_blocks_are_read_without_their_index(tmp_path: Path) -> None:
    """Where its page is gone, they are found in the table."""
    path = await journal_of(tmp_path / "runs.db", SMALL)
    with closing(sqlite3.connect(path)) as connection:
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_events_1'"
        (page,) = connection.execute(sql).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    data = path.read_bytes()
    path.write_bytes(data[: (page - 1) * size] + b"\xff" * size + data[page * size :])
    for after, limit in ((0, 100), (10, 20), (70, 20), (130, 70)):
        assert await read(path, after=after, limit=limit) == SMALL[after:][:limit]
