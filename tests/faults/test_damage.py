"""Bits that flip anywhere in a journal's file, and a file that is cut off: seen, named, and the rest stays readable."""

import random
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agentorch.core.events import Event
from agentorch.errors import AgentorchError, JournalDamaged, JournalError
from agentorch.journal.checking import Check
from agentorch.journal.exporting import Export
from agentorch.journal.files import file_to_read
from agentorch.journal.sqlite import SqliteJournal
from agentorch.testing.journal_suite import reported, started

LONG = 3000
"""Events of a run of which something is left in the first quarter of a file."""
RUNS = ("a", "b", "c")
EVENTS = 300


@dataclass
class Seen:
    """What can be read of a damaged journal."""

    refused: JournalError | None = None
    """Why it cannot be opened at all."""
    events: dict[str, list[Event]] = field(default_factory=dict[str, list[Event]])
    """What is read of each run, up to its damage."""
    damage: dict[str, AgentorchError] = field(default_factory=dict[str, AgentorchError])


async def whole(folder: Path, size: int = EVENTS) -> tuple[bytes, dict[str, list[Event]]]:
    """Return the bytes of a closed journal with three runs, and their events."""
    path = folder / "whole.db"
    journal = SqliteJournal(path, "process")
    await journal.open()
    for run in RUNS:
        await journal.append(run, [started(run), *(reported(run, seq) for seq in range(2, size + 1))], after=0)
    events = {run: await journal.read(run, limit=size) for run in RUNS}
    await journal.close()
    return path.read_bytes(), events


def damaged(path: Path, data: bytes) -> SqliteJournal:
    """Return a journal with these bytes, closed."""
    path.write_bytes(data)
    return SqliteJournal(path, "process")


async def seen(journal: SqliteJournal) -> Seen:
    """Return what can be read of a journal, which may be one that cannot be opened to write."""
    found = Seen()
    try:
        await journal.open()
    except JournalError as error:
        found.refused = error
        try:
            await journal.open_to_read()
        except JournalError:
            return found
    try:
        for run in RUNS:
            await _read(journal, run, found)
    finally:
        await journal.close()
    return found


async def _read(journal: SqliteJournal, run: str, found: Seen) -> None:
    events = found.events[run] = list[Event]()
    try:
        while page := await journal.read(run, after=len(events), limit=50):
            events += page
    except AgentorchError as error:
        found.damage[run] = error


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one bit changed."""
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def check(found: Seen, written: dict[str, list[Event]]) -> None:
    """What was read is what was written, and nothing is missing in silence."""
    for run, events in found.events.items():
        assert events == written[run][: len(events)]
        assert (len(events) == len(written[run])) == (run not in found.damage)
    for error in (found.refused, *found.damage.values()):
        assert error is None or (isinstance(error, JournalError) and "\n" not in str(error))


@pytest.mark.parametrize("seed", range(4))
async def test_a_flipped_bit_is_named_or_does_not_matter(tmp_path: Path, seed: int) -> None:
    """Of any bit of the file: what is read is what was written, and what is not read is said, by run and seq."""
    data, written = await whole(tmp_path)
    chance = random.Random(seed)
    named = 0
    for number in range(40):
        found = await seen(damaged(tmp_path / f"{number}.db", flipped(data, chance)))
        check(found, written)
        named += sum(str(error).startswith(f"run {run}, seq ") for run, error in found.damage.items())

    assert named > 10


async def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """It is not written any more; wherever it ends, the first event of each run that is gone is named."""
    data, written = await whole(tmp_path, LONG)
    read: list[int] = []
    for part in (0.95, 0.75, 0.5, 0.25):
        found = await seen(damaged(tmp_path / f"{part}.db", data[: int(len(data) * part)]))
        check(found, written)
        assert str(found.refused).endswith("restore it from a copy")
        assert all(str(error).startswith(f"run {run}, seq ") for run, error in found.damage.items())
        read.append(sum(map(len, found.events.values())))

    assert read == sorted(read, reverse=True)
    assert 0 < read[-1] < read[0] < len(RUNS) * LONG


async def test_a_list_of_runs_that_lost_pages_still_names_the_rest(tmp_path: Path) -> None:
    """Of many runs: all whose rows are left are listed, found, checked and exported, whatever else is gone."""
    whole_file, cut = tmp_path / "whole.db", tmp_path / "cut.db"
    ids = [f"{number:03}-run" for number in range(120)]
    journal = SqliteJournal(whole_file, "process")
    await journal.open()
    for run in ids:
        await journal.append(run, [started(run), reported(run, 2)], after=0)
    await journal.close()
    data = whole_file.read_bytes()
    cut.write_bytes(data[: int(len(data) * 0.7)])

    with pytest.raises(JournalError):
        await SqliteJournal(cut).open()
    journal = SqliteJournal(cut)
    await journal.open_to_read()
    listed = [record.run_id async for record in journal.runs()]
    found = [run for run in ids if await journal.record(run) is not None]
    sound = [run for run in listed if await _is_sound(journal, run)]
    damage = journal.damage
    await journal.close()
    with file_to_read(cut) as connection:
        checked = Check(connection).run()
    with file_to_read(cut) as connection:
        export = Export(connection, release="1")
        lines = list(export.lines())

    assert isinstance(damage, JournalDamaged)
    assert listed[::-1] == found == ids[: len(found)]
    assert 0 < len(sound) <= len(found) < len(ids)
    assert checked.runs == len(found)
    assert str(checked.faults[0]).startswith("the list of runs has lost rows (")
    assert export.runs == sum(line.startswith(b'{"run"') for line in lines) == len(sound)
    assert str(export.mended[0]).endswith("runs may be missing")


async def _is_sound(journal: SqliteJournal, run: str) -> bool:
    try:
        events = [event for after in range(2) for event in await journal.read(run, after=after, limit=1)]
    except JournalDamaged:
        return False
    return len(events) == 2


@pytest.mark.parametrize("seed", range(3))
async def test_wherever_a_file_ends_checking_and_exporting_are_no_bug(tmp_path: Path, seed: int) -> None:
    """They end with faults, or with one line."""
    data, _ = await whole(tmp_path)
    chance = random.Random(seed)
    for number, length in enumerate([5100 + 900 * seed, *(chance.randrange(100, len(data)) for _ in range(12))]):
        path = tmp_path / f"{number}.db"
        path.write_bytes(data[:length])
        with suppress(JournalError), file_to_read(path) as connection:
            assert Check(connection).run().faults
            assert len(list(Export(connection, release="1").lines())) >= 2
