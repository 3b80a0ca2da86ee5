"""What is asked of runs is read row by row: one that is damaged keeps no other from being heard."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.journal.sqlite import SqliteJournal

ASK = 'INSERT INTO requests (run_id, kind, payload, "by", at) VALUES (?, ?, ?, ?, 0)'


def ask(path: Path, *rows: tuple[str, str, str, str]) -> None:
    """Write rows as they are."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(ASK, rows)


async def test_what_cannot_be_read_is_skipped_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The others are given, as often as one asks."""
    journal = SqliteJournal(tmp_path / "runs.db")
    await journal.open()
    try:
        ask(
            journal.path,
            ("a", "cancel", "{bad", "x"),
            ("a", "cancel", "[]", "x"),
            ("a", "cancel", "[" * 100_000, "x"),
            ("b", "cancel", "{}", "y"),
        )
        with caplog.at_level(logging.WARNING):
            found = [await journal.requests() for _ in range(3)]
    finally:
        await journal.close()
    assert [[(request.id, request.run_id) for request in requests] for requests in found] == [[(4, "b")]] * 3
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition(" it cannot be read ")[0] for line in said] == [
        f"journal {journal.path}: run a: request {number}:" for number in (1, 2, 3)
    ]
    assert all(line.endswith("; ask again") for line in said)


async def test_a_damaged_request_of_another_run_deafens_no_owner(tmp_path: Path) -> None:
    """A cancel that comes behind it is obeyed."""

    @agent(description="Takes its time.")
    async def sleeper() -> str:
        await anyio.sleep(3600)
        return "late"

    plan = Plan("g")
    plan.add("a", agent="sleeper")
    async with Orchestrator([sleeper], journal=tmp_path / "runs.db") as orchestrator:
        run = await orchestrator.submit(plan)
        ask(tmp_path / "runs.db", ("other", "cancel", "{bad", "x"), (run.id, "cancel", "{}", "x"))
        assert (await run.outcome()).status == "cancelled"
