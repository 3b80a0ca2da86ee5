"""The writer, in the loop or in its thread: what goes wrong is heard, what was acknowledged is there after a kill."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentorch.errors import JournalConflict, JournalDamaged, JournalError
from agentorch.journal.schema import Durability
from agentorch.journal.sqlite import SqliteJournal
from agentorch.testing.journal_suite import reported, started


@pytest.fixture(params=["power", "process"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteJournal:
    """A journal that its thread writes, and one that the loop writes."""
    durability: Durability = request.param
    return SqliteJournal(tmp_path / "runs.db", durability)


async def test_a_full_disk_fails_those_who_wait_and_no_more(journal: SqliteJournal) -> None:
    """When the file can grow no more the appends of the group fail in words; with space the run goes on."""
    await journal.open()
    await journal.append("r", [started("r")], after=0)
    limit = await journal._writer.run(lambda c: c.execute("PRAGMA max_page_count=30").fetchone()[0])
    assert limit == 30
    with pytest.raises(JournalError, match="the disk is full") as caught:
        await journal.append("r", [reported("r", 2, "x" * 300_000)], after=1)
    assert type(caught.value) is JournalError
    await journal.append("r", [reported("r", 2)], after=1)
    await journal._writer.run(lambda c: c.execute("PRAGMA max_page_count=100000").fetchone())
    await journal.append("r", [reported("r", 3, "x" * 300_000)], after=2)
    assert await journal.verify("r") == 3
    await journal.close()


async def test_a_busy_file_is_waited_for(journal: SqliteJournal) -> None:
    """Another process holds the lock for a moment: the append waits and succeeds."""
    await journal.open()
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    future = journal.append("r", [started("r")], after=0)
    await asyncio.sleep(0.1)
    assert not future.done()
    other.execute("COMMIT")
    await future
    other.close()
    await journal.close()


async def test_any_error_in_the_thread_is_heard(journal: SqliteJournal) -> None:
    """A table that is gone: the append fails with the reason, and the thread lives to say it again."""
    await journal.open()
    await journal._writer.run(lambda c: c.execute("ALTER TABLE events RENAME TO elsewhere") and None)
    for _ in range(2):
        with pytest.raises(JournalError, match="no such table"):
            await journal.append("r", [started("r")], after=0)
    await journal._writer.run(lambda c: c.execute("ALTER TABLE elsewhere RENAME TO events") and None)
    await journal.append("r", [started("r")], after=0)
    await journal.close()


async def test_an_append_that_the_tables_refuse_fails_alone(journal: SqliteJournal) -> None:
    """A time that is no number cannot be stored in the list of runs: those in the same group are written."""
    await journal.open()
    nowhen = reported("bad", 1).model_copy(update={"at": float("nan")})
    done = await asyncio.gather(
        *(journal.append(f"r{n}", [started(f"r{n}")], after=0) for n in range(5)),
        journal.append("bad", [nowhen], after=0),
        *(journal.append(f"r{n}", [reported(f"r{n}", 2)], after=1) for n in range(5)),
        return_exceptions=True,
    )
    assert [type(each) for each in done if each is not None] == [JournalError]
    assert [await journal.verify(f"r{n}") for n in range(5)] == [2] * 5
    assert await journal.record("bad") is None
    await journal.close()


async def test_a_job_that_fails_takes_nothing_along(journal: SqliteJournal) -> None:
    """An exception of any kind in a job reaches its caller; what was committed with it stands."""
    await journal.open()

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO blobs VALUES ('half', x'00')")
        raise ZeroDivisionError

    future = journal.append("r", [started("r")], after=0)
    with pytest.raises(ZeroDivisionError):
        await journal._writer.run(fail)
    await future
    with pytest.raises(KeyError):
        await journal.blobs.get("half")
    await journal.close()


async def test_closing_when_cancelled_still_closes(journal: SqliteJournal, tmp_path: Path) -> None:
    """A cancelled `close` finishes its work first: everything queued is written, the file is released."""
    await journal.open()
    futures = [journal.append("r", [reported("r", seq)], after=seq - 1) for seq in range(1, 3000)]
    closing = asyncio.create_task(journal.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    assert all(future.done() for future in futures)
    assert not (tmp_path / "runs.db-wal").exists()


async def test_opening_when_cancelled_leaves_nothing_open(journal: SqliteJournal, tmp_path: Path) -> None:
    """An `open` that is cancelled at any of its turns releases the file; opening again works."""
    for turns in range(8):
        opening = asyncio.create_task(journal.open())
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        opening.cancel()
        await asyncio.wait([opening])
        await journal.close()
        assert not (tmp_path / "runs.db-wal").exists()
    await journal.open()
    await journal.append("r", [started("r")], after=0)
    await journal.close()


async def test_the_loop_gives_way(journal: SqliteJournal) -> None:
    """Behind a loop that never rests an append is durable within a second."""
    await journal.open()
    future = journal.append("r", [reported("r", seq) for seq in range(1, 5000)], after=0)
    began = time.monotonic()
    while not future.done():
        turn = time.monotonic()
        while time.monotonic() - turn < 0.0005:
            pass
        await asyncio.sleep(0)
    assert time.monotonic() - began < 5
    await journal.close()


async def test_a_blob_that_was_changed_is_damage(journal: SqliteJournal) -> None:
    """Bytes that do not match their name are never given."""
    await journal.open()
    name = await journal.blobs.put(b"good")
    await journal._writer.run(lambda c: c.execute("UPDATE blobs SET data = x'00'") and None)
    with pytest.raises(JournalDamaged, match=name):
        await journal.blobs.get(name)
    await journal.close()


WRITES = """
import asyncio, sys
from agentorch.journal.sqlite import SqliteJournal
from agentorch.testing.journal_suite import reported
async def write(journal, run):
    for seq in range(1, 100000):
        await journal.append(run, [reported(run, seq)], after=seq - 1)
        print(run, seq, flush=True)
async def main():
    journal = SqliteJournal(sys.argv[1], durability=sys.argv[2])
    await journal.open()
    await asyncio.gather(*(write(journal, f"r{n}") for n in range(8)))
asyncio.run(main())
"""


def written_until_killed(path: Path, durability: str) -> list[str]:
    """Let a process write, kill it after 400 events, and return what it had acknowledged."""
    child = subprocess.Popen([sys.executable, "-c", WRITES, path, durability], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(400)]
    os.kill(child.pid, signal.SIGKILL)
    lines += child.stdout.readlines()
    child.stdout.close()
    child.wait()
    return lines


@pytest.mark.parametrize("durability", ["power", "process"])
async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, durability: str) -> None:
    """SIGKILL in the middle of writing: every event that was acknowledged is there, and the chain holds."""
    path = tmp_path / "runs.db"
    lines = written_until_killed(path, durability)
    whole = [line.split() for line in lines if line.endswith("\n")]
    acknowledged = {run: int(seq) for run, seq in whole}
    journal = SqliteJournal(path)
    await journal.open()
    for run, seq in acknowledged.items():
        head = await journal.verify(run)
        assert head >= seq
        with pytest.raises(JournalConflict):
            await journal.append(run, [reported(run, head)], after=head - 1)
        await journal.append(run, [reported(run, head + 1)], after=head)
    await journal.close()
