"""Durable against the death of the process: the loop writes by itself, in its turns, and waits for nobody."""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from agentorch.errors import JournalConflict, JournalError
from agentorch.journal.sqlite import SqliteJournal
from agentorch.journal.transactions import LOG_BYTES
from agentorch.testing.journal_suite import reported, started


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[SqliteJournal]:
    """Open a journal that the loop writes."""
    journal = SqliteJournal(path, "process")
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "runs.db"


def other(path: Path) -> sqlite3.Connection:
    """Return a connection as another process has one."""
    return sqlite3.connect(path, isolation_level=None)


def remove(path: Path) -> None:
    """Remove a file that is open."""
    path.unlink()


async def settled(journal: SqliteJournal) -> None:
    """Wait until the thread has nothing to write: the loop may write again."""
    await journal._writer.run(lambda connection: None)
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_comes_alone_is_durable_at_once(place: Path) -> None:
    """An append of a few events is on the disk when the call returns."""
    async with opened(place) as journal:
        future = journal.append("r", [started("r")], after=0)
        with closing(other(place)) as reader:
            seen = reader.execute("SELECT head FROM runs").fetchall()

        assert (future.done(), seen) == (True, [(1,)])


async def test_much_is_durable_before_the_turn_ends(place: Path) -> None:
    """Many appends of many runs do not gather for longer than 32 events."""
    async with opened(place) as journal:
        futures = [journal.append(f"r{n}", [started(f"r{n}")], after=0) for n in range(70)]

        assert sum(future.done() for future in futures) == 65, "the first alone, then twice 32"
        await asyncio.gather(*futures)


async def test_appends_of_a_turn_share_a_transaction(place: Path) -> None:
    """Where a turn brings several appends, the next turn's are written together, at its end."""
    statements: list[str] = []
    async with opened(place) as journal:
        await journal._writer.run(lambda connection: connection.set_trace_callback(statements.append))
        await settled(journal)
        await asyncio.gather(*(journal.append(f"a{n}", [started(f"a{n}")], after=0) for n in range(9)))
        statements.clear()
        await asyncio.gather(*(journal.append(f"b{n}", [started(f"b{n}")], after=0) for n in range(9)))

        assert statements.count("COMMIT") == 1


async def test_one_conflict_in_a_turn_fails_alone(place: Path) -> None:
    """Of what is written together, an append that comes too late is refused, and what builds on it; no other."""
    async with opened(place) as journal:
        done = await asyncio.gather(
            *(journal.append(f"r{n}", [started(f"r{n}")], after=0) for n in range(4)),
            journal.append("r1", [reported("r1", 1)], after=0),
            journal.append("r1", [reported("r1", 2)], after=1),
            journal.append("r2", [reported("r2", 3)], after=2),
            return_exceptions=True,
        )

        assert [type(each) for each in done if each is not None] == [JournalConflict, JournalConflict]
        assert [await journal.verify(f"r{n}") for n in range(4)] == [1, 2, 1, 1]


async def test_the_loop_goes_on_while_another_process_writes(place: Path) -> None:
    """What cannot be written is written when the other one has ended, in its order, and holds nobody up until then."""
    async with opened(place) as journal:
        with closing(other(place)) as writing:
            writing.execute("BEGIN IMMEDIATE")
            futures = [journal.append("r", [reported("r", seq)], after=seq - 1) for seq in (1, 2, 3)]
            longest = 0.0
            for seq in range(4, 20):
                before = time.monotonic()
                futures.append(journal.append("r", [reported("r", seq)], after=seq - 1))
                await asyncio.sleep(0.005)
                longest = max(longest, time.monotonic() - before)
            assert not any(future.done() for future in futures)
            writing.execute("ROLLBACK")
            await asyncio.gather(*futures)

        assert await journal.verify("r") == 19
        assert longest < 1.0


async def test_a_moment_of_another_process_needs_no_thread(place: Path) -> None:
    """When the other one has ended after a few milliseconds, the loop writes what had to wait."""
    async with opened(place) as journal:
        with closing(other(place)) as writing:
            writing.execute("BEGIN IMMEDIATE")
            future = journal.append("r", [started("r")], after=0)
            writing.execute("ROLLBACK")
            await future

        assert journal._writer._since == 0.0, "nothing has ever waited for the thread"


async def test_the_loop_and_the_thread_keep_the_order(place: Path) -> None:
    """What the thread writes comes behind all that was queued before it, and before all that came later."""

    def count(connection: sqlite3.Connection) -> int:
        time.sleep(0.05)
        return connection.execute("SELECT count(*) FROM events").fetchone()[0]

    async with opened(place) as journal:
        counting = asyncio.ensure_future(journal._writer.run(count))
        asyncio.get_running_loop().call_soon(time.sleep, 0.02)  # the thread has begun before the turn ends
        first = [journal.append(f"r{n}", [started(f"r{n}")], after=0) for n in range(4)]
        await asyncio.sleep(0.02)
        later = journal.append("r0", [reported("r0", 2)], after=1)
        await asyncio.gather(*first, later)

        assert await counting == 4
        assert await journal.verify("r0") == 2


async def test_closing_writes_what_the_loop_could_not(place: Path) -> None:
    """A journal that is closed while another process writes waits until it has written everything."""
    journal = SqliteJournal(place, "process")
    await journal.open()
    with closing(other(place)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        futures = [journal.append(f"r{n}", [started(f"r{n}")], after=0) for n in range(5)]
        closed = asyncio.ensure_future(journal.close())
        await asyncio.sleep(0.05)
        assert not closed.done()
        writing.execute("ROLLBACK")
        await closed

    assert [future.exception() for future in futures] == [None] * 5


async def test_nothing_is_acknowledged_of_a_removed_file(place: Path) -> None:
    """The loop sees it as the thread does: one line, and what the file held is saved, the last append too."""
    async with opened(place) as journal:
        await journal.append("r", [started("r")], after=0)
        remove(place)
        with pytest.raises(JournalError, match="was removed while it was open") as caught:
            await journal.append("r", [reported("r", 2)], after=1)
        with pytest.raises(JournalError, match="was removed while it was open"):
            await journal.append("r", [reported("r", 3)], after=2)
        saved = place.with_name(f"{place.name}.saved-{os.getpid()}")

        assert str(saved) in str(caught.value)
        with closing(other(saved)) as copy:
            assert copy.execute("SELECT run_id, head FROM runs").fetchall() == [("r", 2)]


async def fill(journal: SqliteJournal, run: str, bytes_: int) -> int:
    """Append so much to a new run; return the greatest length that the log had."""
    log, longest = journal.path.with_name(f"{journal.path.name}-wal"), 0
    for seq in range(1, bytes_ // 50_000 + 2):
        await journal.append(run, [reported(run, seq, "x" * 50_000)], after=seq - 1)
        await asyncio.sleep(0.0005)
        longest = max(longest, log.stat().st_size)
    return longest


async def test_the_log_stays_short(place: Path) -> None:
    """However much is written, checkpoints are made beside it, and the log is truncated."""
    async with opened(place) as journal:
        longest = await fill(journal, "r", 12 * LOG_BYTES)

        assert longest < 6 * LOG_BYTES, "4 are usual at most, where the disk is slow"
        assert await journal.verify("r") > 0


async def test_a_log_that_is_read_is_truncated_later(place: Path) -> None:
    """Whoever reads for long keeps the log; writing goes on, and the log is short again when they have ended."""
    async with opened(place) as journal:
        await journal.append("r", [started("r")], after=0)
        with closing(other(place)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM events").fetchone() == (1,)
            assert await fill(journal, "a", 2 * LOG_BYTES) > 2 * LOG_BYTES
        await fill(journal, "b", 4 * LOG_BYTES)

        assert await fill(journal, "c", LOG_BYTES) < 6 * LOG_BYTES
