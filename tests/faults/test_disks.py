"""A disk that is full, read-only or gone, and a journal that is removed while it is open.

Each ends in one clear line; nothing that was acknowledged is lost; the run goes on when the fault is gone.
"""

import resource
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from agentorch import Orchestrator
from agentorch.errors import AgentorchError, JournalError
from agentorch.journal.sqlite import SqliteJournal
from tests.faults.disk import Disk, disk, missing
from tests.faults.long_run import KEY, carried_on, plan, until_the_fault, writer

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def own_disk(request: pytest.FixtureRequest):
    """A disk of our own, or a skip that names what is missing for one."""
    lack = missing()
    if lack is not None:
        pytest.skip(f"no disk can be mounted here: {lack}")
    with disk() as made:
        yield made


def one_line(error: AgentorchError) -> str:
    """Return what it says, which is one line."""
    assert isinstance(error, JournalError)
    assert "\n" not in str(error)
    return str(error)


async def test_a_full_disk(own_disk: Disk) -> None:
    """The line says to free some space; that done, the run is resumed."""
    journal, filler = own_disk.folder / "runs.db", own_disk.folder / "filler"

    def fill() -> None:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(1 << 16)):
                pass

    told, error = await until_the_fault(journal, fill)
    said = one_line(error)
    filler.unlink()

    words = "the disk is full: free some space, then resume, or start again what had not begun"
    assert said == f"journal {journal}: {words}"
    assert await carried_on(journal, told=told)


async def test_a_large_value_on_a_full_disk(own_disk: Disk) -> None:
    """SQLite undoes all by itself where a value is larger than its cache: the line is of the disk all the same."""
    journal = SqliteJournal(own_disk.folder / "runs.db")
    await journal.open()
    with pytest.raises(JournalError) as caught:
        await journal.blobs.put(bytes(80 << 20))
    assert await journal.blobs.get(await journal.blobs.put(b"small")) == b"small"
    await journal.close()

    assert "the disk is full" in one_line(caught.value)


async def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """The same without a disk of our own: a file that may not grow is one line, and the run is resumed."""
    journal = tmp_path / "runs.db"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit() -> None:
        largest = max(file.stat().st_size for file in tmp_path.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 4096, before[1]))

    try:
        told, error = await until_the_fault(journal, limit)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert one_line(error).startswith(f"journal {journal}: the disk ")
    assert await carried_on(journal, told=told)


async def test_a_disk_that_goes_away(own_disk: Disk) -> None:
    """The line blames the disk, not the file; with the disk back, the run is resumed."""
    journal = own_disk.folder / "runs.db"
    told, error = await until_the_fault(journal, own_disk.cut_power)
    said = one_line(error)
    own_disk.unmount()
    own_disk.mount()

    assert said.startswith(f"journal {journal}: the disk ")
    assert said.endswith("see to the disk, then resume")
    assert await carried_on(journal, told=told)


async def test_a_disk_that_has_become_read_only(own_disk: Disk) -> None:
    """A run that was begun is not gone: resuming it is one line, and goes on when the disk can be written again."""
    journal = own_disk.folder / "runs.db"
    async with Orchestrator([writer], journal=journal) as orchestrator:
        run = await orchestrator.submit(plan(), key=KEY)
        async for _ in run:
            break
    own_disk.allow("ro")
    with pytest.raises(JournalError) as caught:
        await carried_on(journal, told=1)
    own_disk.allow("rw")

    assert one_line(caught.value).startswith(f"journal {journal}: ")
    assert "choose a place that can be written" in str(caught.value)
    assert await carried_on(journal, told=1)


def saved_below(folder: Path) -> Path:
    """Return the one file that was saved."""
    (saved,) = folder.rglob("runs.db.saved-*")
    return saved


def _remove(journal: Path) -> None:
    journal.unlink()


def _remove_log(journal: Path) -> None:
    journal.with_name("runs.db-wal").unlink()


def _remove_all(journal: Path) -> None:
    for file in journal.parent.iterdir():
        file.unlink()


def _remove_folder(journal: Path) -> None:
    while journal.parent.exists():
        with suppress(OSError):  # the journal's thread may make a file in it meanwhile
            shutil.rmtree(journal.parent)


def _replace(journal: Path) -> None:
    _remove_all(journal)
    journal.touch()


@pytest.mark.parametrize("fault", [_remove, _remove_log, _remove_all, _remove_folder, _replace])
async def test_a_journal_that_is_removed_while_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[Path], None]
) -> None:
    """Nothing more is acknowledged; what the file held is saved, and the run is resumed from that."""
    journal = tmp_path / "folder" / "runs.db"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told, error = await until_the_fault(journal, lambda: fault(journal))
    said = one_line(error)
    saved = saved_below(tmp_path)

    assert said == (
        f"journal {journal}: its file was removed while it was open; what it held is saved as {saved}: "
        "move that to its place"
    )
    assert saved.stat().st_mode & 0o777 == 0o600
    assert await carried_on(saved, told=told)


async def test_a_journal_that_is_removed_where_nothing_can_be_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is said too: nobody is left to believe that the run goes on."""
    journal = tmp_path / "folder" / "runs.db"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    _, error = await until_the_fault(journal, lambda: _remove_folder(journal))

    assert one_line(error) == f"journal {journal}: its file was removed while it was open; start with another"
