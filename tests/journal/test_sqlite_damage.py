"""Damage inside an SQLite journal is found and named by run and seq, never passed on."""

import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from agentorch.errors import JournalDamaged, JournalVersionError
from agentorch.journal.chain import seal, unseal
from agentorch.journal.sqlite import SqliteJournal
from agentorch.testing.journal_suite import reported, started
from tests.journal.kept import append_each

Damage = Callable[[sqlite3.Connection], object]


async def damage(tmp_path: Path, do: Damage) -> SqliteJournal:
    """Write runs a and b of 1,500 and 3 events, a block each, let `do` change the closed file, and open it again."""
    path = tmp_path / "runs.db"
    journal = SqliteJournal(path)
    await journal.open()
    await append_each(journal, [started("a"), *(reported("a", seq) for seq in range(2, 1501))])
    await append_each(journal, [started("b"), reported("b", 2), reported("b", 3)])
    await journal.close()
    connection = sqlite3.connect(path)
    with connection:
        do(connection)
    connection.close()
    await journal.open()
    return journal


def flip(column: str, seq: int) -> Damage:
    """Flip one bit in the middle of a stored value of run a."""

    def do(connection: sqlite3.Connection) -> None:
        (stored,) = connection.execute(f"SELECT {column} FROM events WHERE run = 1 AND seq = ?", (seq,)).fetchone()
        changed = bytearray(stored)
        changed[len(changed) // 2] ^= 1
        connection.execute(f"UPDATE events SET {column} = ? WHERE run = 1 AND seq = ?", (bytes(changed), seq))

    return do


def sql(statement: str) -> Damage:
    """Carry out one statement."""
    return lambda connection: connection.execute(statement)


@pytest.mark.parametrize(
    ("do", "seq"),
    [
        (flip("payload", 1200), 1200),
        (flip("header", 700), 700),
        (flip("header", 1500), 1500),
        (sql("DELETE FROM events WHERE run = 1 AND seq BETWEEN 800 AND 810"), 800),
        (sql("DELETE FROM events WHERE run = 1 AND seq > 1490"), 1491),
        (sql("DELETE FROM events WHERE run = 1 AND seq = 1"), 1),
        (sql("UPDATE events SET header = x'00' WHERE run = 1 AND seq = 4"), 4),
        (sql("UPDATE events SET payload = NULL WHERE run = 1 AND seq = 5"), 5),
        (sql("UPDATE runs SET hash = zeroblob(32) WHERE run_id = 'a'"), 1500),
        (sql("UPDATE runs SET head = 1400 WHERE run_id = 'a'"), 1401),
    ],
    ids=["payload", "header", "last", "hole", "tail", "first", "garbage", "erased", "head hash", "head"],
)
async def test_damage_is_named(tmp_path: Path, do: Damage, seq: int) -> None:
    """`verify` and `read` name the run and the first seq that is wrong; other runs are not affected."""
    journal = await damage(tmp_path, do)
    try:
        with pytest.raises(JournalDamaged, match=rf"^run a, seq {seq}: "):
            await journal.verify("a")
        with pytest.raises(JournalDamaged, match=rf"^run a, seq {seq}: "):
            await journal.read("a", limit=2000)
        assert await journal.verify("b") == 3
        assert len(await journal.read("b")) == 3
    finally:
        await journal.close()


async def test_what_stands_before_the_damage_can_be_read(tmp_path: Path) -> None:
    """Pages in front of the damage are still given."""
    journal = await damage(tmp_path, flip("payload", 1200))
    try:
        assert len(await journal.read("a", limit=1000)) == 1000
        assert len(await journal.read("a", after=1000, limit=199)) == 199
        with pytest.raises(JournalDamaged):
            await journal.read("a", after=1000, limit=200)
    finally:
        await journal.close()


async def test_an_event_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    """A type or version that this release does not know is one line; what is before it can be read."""

    def newer(connection: sqlite3.Connection) -> None:
        seq, stored, payload = connection.execute(
            "SELECT seq, header, payload FROM events WHERE run = 2 AND seq = 3"
        ).fetchone()
        old = unseal(stored)
        header, _ = seal(seq, old.previous, [payload], [9], old.times, [old.types[0].encode()])
        connection.execute("UPDATE events SET header = ? WHERE run = 2 AND seq = 3", (header,))
        connection.execute("UPDATE runs SET hash = ? WHERE number = 2", (sha256(header).digest(),))

    journal = await damage(tmp_path, newer)
    try:
        assert await journal.verify("b") == 3
        assert len(await journal.read("b", limit=2)) == 2
        with pytest.raises(JournalVersionError, match=r"run b, seq 3: TaskReported has version 9.*upgrade agentorch$"):
            await journal.read("b")
    finally:
        await journal.close()
