"""Reading the journal: runs by the beginning of their id, and their events."""

import os.path
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from agentorch.cli.screen import Screen
from agentorch.cli.words import short_id
from agentorch.core.events import Event
from agentorch.errors import ConfigurationError, JournalDamaged, RunNotFoundError
from agentorch.files import at_home
from agentorch.journal.opening import open_journal
from agentorch.journal.sqlite import SqliteJournal
from agentorch.ports.journal import Journal, RunRecord

_PAGE: Final = 1000
_FEW: Final = 5


@asynccontextmanager
async def reading(place: str) -> AsyncGenerator[Journal]:
    """Open the journal at `place` for reading, as it stands; ConfigurationError when there is none yet.

    What keeps its file from being read whole is said, once; a request or an event that is written all the same opens it
    to write.
    """
    if place == "memory:":
        raise ConfigurationError("the journal memory: holds no runs of earlier commands: name a file with --journal")
    if "://" not in place and not at_home(place).exists():  # before anything runs
        raise ConfigurationError(f"journal {place}: there is no such file; `agentorch run` makes it")
    journal = open_journal(place)
    if not isinstance(journal, SqliteJournal):
        await journal.open()
    else:
        await journal.open_to_read()
    told = False
    try:
        yield journal
    except JournalDamaged as error:
        told = str(error).startswith("journal ")  # and no run in it
        raise
    finally:
        await journal.close()
        damage = journal.damage if isinstance(journal, SqliteJournal) else None
        if damage is not None and not told:
            Screen().say(f"{damage}; what is left of it is shown", "yellow", whole=True)


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
        raise _unknown(name)
    ids = ", ".join(record.run_id for record in found[:_FEW])
    raise RunNotFoundError(f"{len(found)} runs begin with {name!r}: {ids}{' ...' if len(found) > _FEW else ''}")


def _unknown(name: str) -> RunNotFoundError:
    if os.path.isfile(at_home(name)):  # noqa: PTH113  # it is False for what can be no file's name
        return RunNotFoundError(f"{name}: this is a file, and a run's id is asked for; for a journal: --journal {name}")
    return RunNotFoundError(f"no run {name!r} in this journal; `agentorch runs` lists them")


async def events_of(journal: Journal, run_id: str, after: int = 0) -> AsyncGenerator[Event]:
    """Go through the events of a run that are there; JournalDamaged after the last before the damage."""
    limit = _PAGE
    while True:
        try:
            page = await journal.read(run_id, after=after, limit=limit)
        except JournalDamaged:
            if limit == 1:
                raise
            limit = 1  # up to the damage event by event
            continue
        for event in page:
            yield event
        if len(page) < limit:
            return
        after = page[-1].seq


async def readable(journal: Journal, run_id: str) -> tuple[list[Event], JournalDamaged | None]:
    """Return the events of a run up to its end, or up to the damage, and what is damaged."""
    events: list[Event] = []
    try:
        async for event in events_of(journal, run_id):
            events.append(event)  # noqa: PERF401  # what was read before the damage counts
    except JournalDamaged as error:
        return events, error
    return events, None


def label(record: RunRecord, others: list[RunRecord]) -> str:
    """Return the beginning of a run's id that no other of `others` shares."""
    short = short_id(record.run_id)
    alone = sum(other.run_id.startswith(short) for other in others) == 1
    return short if alone else record.run_id
