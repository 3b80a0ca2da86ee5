"""Reading the journal: runs by the beginning of their id, and their events."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from agentorch.cli.words import short_id
from agentorch.core.events import Event
from agentorch.errors import ConfigurationError, RunNotFoundError
from agentorch.journal.opening import open_journal
from agentorch.ports.journal import Journal, RunRecord

_PAGE: Final = 1000
_FEW: Final = 5


@asynccontextmanager
async def reading(place: str) -> AsyncGenerator[Journal]:
    """Open the journal at `place` for reading; ConfigurationError when there is none yet."""
    if place == "memory:":
        raise ConfigurationError("the journal memory: holds no runs of earlier commands: name a file with --journal")
    if "://" not in place and not Path(place).expanduser().exists():  # noqa: ASYNC240  # before anything runs
        raise ConfigurationError(f"journal {place}: there is no such file; `agentorch run` makes it")
    journal = open_journal(place)
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


async def named_run(journal: Journal, name: str) -> RunRecord:
    """Return the run whose id is, or begins with, `name`; "last" is the newest."""
    if name == "last":
        async for record in journal.runs(limit=1):
            return record
        raise RunNotFoundError("the journal holds no run yet; start one with `agentorch run`")
    record = await journal.record(name)
    if record is not None:
        return record
    found = [record async for record in journal.runs() if name and record.run_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RunNotFoundError(f"no run {name!r} in this journal; `agentorch runs` lists them")
    ids = ", ".join(record.run_id for record in found[:_FEW])
    raise RunNotFoundError(f"{len(found)} runs begin with {name!r}: {ids}{' ...' if len(found) > _FEW else ''}")


async def events_of(journal: Journal, run_id: str, after: int = 0) -> AsyncGenerator[Event]:
    """Go through the events of a run that are there."""
    while True:
        page = await journal.read(run_id, after=after, limit=_PAGE)
        for event in page:
            yield event
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def label(record: RunRecord, others: list[RunRecord]) -> str:
    """Return the beginning of a run's id that no other of `others` shares."""
    short = short_id(record.run_id)
    alone = sum(other.run_id.startswith(short) for other in others) == 1
    return short if alone else record.run_id
