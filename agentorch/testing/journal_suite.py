"""Events to append, and a journal to append them to: what the journal suites share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from agentorch.core.events import Event, RunFinished, RunStarted, TaskReported
from agentorch.ports.journal import Journal


def started(run_id: str, **said: Any) -> RunStarted:
    """Return the first event of a run."""
    return RunStarted(seq=1, at=1000.0, run_id=run_id, goal=f"goal of {run_id}", **said)


def reported(run_id: str, seq: int, text: str = "") -> TaskReported:
    """Return an event with nothing in it to speak of."""
    return TaskReported(seq=seq, at=1000.0 + seq, run_id=run_id, task="a", key=f"{run_id}/a/1/1/1", text=text)


def finished(run_id: str, seq: int) -> RunFinished:
    """Return the last event of a run."""
    return RunFinished(seq=seq, at=1000.0 + seq, run_id=run_id, status="succeeded")


class JournalSuite:
    """A suite over one kind of journal."""

    def make(self, folder: Path) -> Journal:
        """Return a journal, not opened; two made with the same folder share their events if they are durable."""
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncGenerator[Journal]:
        """Open a journal for a test's body."""
        journal = self.make(folder)
        await journal.open()
        try:
            yield journal
        finally:
            await journal.close()

    async def fill(self, journal: Journal, run_id: str, count: int) -> list[Event]:
        """Append `count` events to a new run, one at a time; return them."""
        events: list[Event] = [started(run_id), *(reported(run_id, seq) for seq in range(2, count + 1))]
        for event in events:
            await journal.append(run_id, [event], after=event.seq - 1)
        return events
