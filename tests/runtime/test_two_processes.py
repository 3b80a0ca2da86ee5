"""Several processes on one journal file: one owner a run, take-over, requests, and a zombie that writes nothing."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agentorch import Orchestrator, agent
from agentorch.errors import RunOwnedError
from agentorch.events import RunAdopted, RunCancelling
from agentorch.journal.sqlite import SqliteJournal
from tests.runtime.second_process import team

STALE = 1.5
"""Seconds without a heartbeat after which these tests take an owner for dead."""


@contextmanager
def other_process(folder: Path) -> Generator[tuple["subprocess.Popen[str]", str]]:
    """Start a process that carries a run out and stays in its first task; give it, and the run's id."""
    script = Path(__file__).with_name("second_process.py")
    words = [sys.executable, str(script), str(folder / "runs.db"), str(folder / "calls"), str(STALE)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            said = {process.stdout.readline().strip(), process.stdout.readline().strip()}
            (run_id,) = said - {"begun"}
            yield process, run_id
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


def head(folder: Path, run_id: str) -> int:
    """Return the run's last sequence number, read past everybody."""
    with closing(sqlite3.connect(folder / "runs.db")) as connection:
        return connection.execute("SELECT head FROM runs WHERE run_id = ?", (run_id,)).fetchone()[0]


def calls(folder: Path) -> list[str]:
    """Return what was really called, by whomever."""
    return (folder / "calls").read_text(encoding="utf-8").split()


async def test_a_stopped_owner_is_passed_over_and_writes_nothing_when_it_wakes_up(tmp_path: Path) -> None:
    """SIGSTOP, take-over, SIGCONT: the zombie's results are refused by the journal, and it is told so."""
    with other_process(tmp_path) as (process, run_id):
        os.kill(process.pid, signal.SIGSTOP)
        journal = SqliteJournal(tmp_path / "runs.db", stale=STALE)
        async with Orchestrator([team(tmp_path / "calls")], journal=journal) as orchestrator:
            outcome = await orchestrator.resume(run_id)
        after = head(tmp_path, run_id)
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        said = await asyncio.to_thread(process.stdout.readline)

    assert (outcome.answer, said.strip()) == ("second", "JournalConflict")
    assert head(tmp_path, run_id) == after
    assert calls(tmp_path).count("first") == 1, "the step was read back"


async def test_a_live_owner_is_not_robbed(tmp_path: Path) -> None:
    """It beats: whoever would resume is told who carries the run out."""
    with other_process(tmp_path) as (_, run_id):
        journal = SqliteJournal(tmp_path / "runs.db", stale=STALE)
        async with Orchestrator([team(tmp_path / "calls")], journal=journal) as orchestrator:
            with pytest.raises(RunOwnedError, match="is being carried out by"):
                await orchestrator.resume(run_id)


async def test_another_process_cancels_through_the_inbox(tmp_path: Path) -> None:
    """The owner turns the request into an event, with who asked and why; both see the end."""
    with other_process(tmp_path) as (process, run_id):
        async with Orchestrator([team(tmp_path / "calls")], journal=tmp_path / "runs.db") as orchestrator:
            watched = await orchestrator.attach(run_id)
            await orchestrator.cancel(run_id, by="ann", reason="enough")
            events = [event async for event in watched]
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        said = await asyncio.to_thread(process.stdout.readline)

    (asked,) = [event for event in events if isinstance(event, RunCancelling)]
    assert (asked.by, asked.reason, events[-1].type, said.strip()) == ("ann", "enough", "RunFinished", "cancelled")


async def test_the_runs_of_a_process_that_dies_are_taken_over(tmp_path: Path) -> None:
    """An orchestrator that was opened before, with `takeover`, goes on with them by itself."""
    with other_process(tmp_path) as (process, run_id):
        journal = SqliteJournal(tmp_path / "runs.db", stale=STALE)
        async with Orchestrator([team(tmp_path / "calls")], journal=journal, takeover=True) as orchestrator:
            watched = await orchestrator.attach(run_id)
            process.kill()
            events = [event async for event in await _carried_on(orchestrator, watched.id)]

    assert [event.type for event in events][-1] == "RunFinished"
    assert len([event for event in events if isinstance(event, RunAdopted)]) == 1
    assert calls(tmp_path) == ["first", "second"]


async def _carried_on(orchestrator: Orchestrator, run_id: str):
    """Wait until the run is carried out here."""
    while True:
        run = await orchestrator.attach(run_id)
        if not run._hosted.read_only or run._hosted.state.finished:
            return run
        await asyncio.sleep(0.05)


async def test_a_run_that_nobody_carries_out_can_be_cancelled(tmp_path: Path) -> None:
    """Its process is dead: whoever asks ends it, without its agents."""
    with other_process(tmp_path) as (process, run_id):
        process.kill()
        process.wait()

        @agent(description="Another team.")
        async def other(goal: str) -> str:
            return goal

        async with Orchestrator([other], journal=tmp_path / "runs.db") as orchestrator:
            await orchestrator.cancel(run_id, by="ann")
            outcome = await orchestrator.resume(run_id)

    assert str(outcome.status) == "cancelled"
