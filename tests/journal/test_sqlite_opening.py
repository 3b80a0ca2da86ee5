"""Every way in which an SQLite journal cannot be opened is one clear line."""

import asyncio
import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentorch.errors import FileAccessError, JournalDamaged, JournalError, JournalVersionError
from agentorch.files import read_regular
from agentorch.journal.schema import APPLICATION, SCHEMA, Durability, check_ours, file_system, open_writer
from agentorch.journal.sqlite import SqliteJournal
from agentorch.library import Library
from agentorch.testing.journal_suite import reported, started
from tests.mounting import mounted

APPENDS = (
    "import asyncio, sys\n"
    "from agentorch.journal.sqlite import SqliteJournal\n"
    "from agentorch.testing.journal_suite import started\n"
    "async def main():\n"
    "    journal = SqliteJournal(sys.argv[1]); await journal.open()\n"
    "    await journal.append(sys.argv[2], [started(sys.argv[2])], after=0)\n"
    "    await journal.close()\n"
    "asyncio.run(main())\n"
)
"""Appends a run to a journal, in a process of its own."""


async def refusal(path: Path) -> JournalError:
    """Return the error of opening `path`; it is one line that names the path."""
    journal = SqliteJournal(path)
    with pytest.raises(JournalError) as caught:
        await journal.open()
    await journal.close()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


async def test_the_file_is_private_and_its_folders_are_made(tmp_path: Path) -> None:
    """The file is for its owner only; folders on the way are made."""
    path = tmp_path / "a" / "b" / "runs.db"
    journal = SqliteJournal(path)
    await journal.open()
    await journal.append("r", [started("r")], after=0)
    modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    await journal.close()
    assert modes == {"runs.db": 0o600, "runs.db-wal": 0o600, "runs.db-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["runs.db"]


def modes_in(folder: Path) -> set[int]:
    """Return the modes of the files in a folder."""
    return {each.stat().st_mode & 0o777 for each in folder.iterdir()}


async def test_an_empty_file_that_was_there_becomes_private(tmp_path: Path) -> None:
    """So do the files beside it; a journal that somebody has opened to others stays as they made it."""
    path = tmp_path / "runs.db"
    path.touch(0o644)
    path.chmod(0o644)
    found: list[set[int]] = []
    for _ in range(2):
        journal = SqliteJournal(path)
        await journal.open()
        await journal.append(f"r{len(found)}", [started(f"r{len(found)}")], after=0)
        found.append(modes_in(tmp_path))
        await journal.close()
        path.chmod(0o640)
    assert found == [{0o600}, {0o640}]


async def test_power_is_full_and_process_is_normal(tmp_path: Path) -> None:
    """The settings that the promises rest on are the ones in force."""
    settings: list[tuple[Durability, int]] = [("power", 2), ("process", 1)]
    for durability, synchronous in settings:
        journal = SqliteJournal(tmp_path / f"{durability}.db", durability=durability)
        await journal.open()
        writer = journal._writer
        assert await writer.run(lambda c: c.execute("PRAGMA synchronous").fetchone()[0]) == synchronous
        assert await writer.run(lambda c: c.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
        await journal.close()


async def test_a_newer_journal_is_left_alone(tmp_path: Path) -> None:
    """A schema from the future: the message says so, and what to do; nothing in the file changes."""
    path = tmp_path / "runs.db"
    journal = SqliteJournal(path)
    await journal.open()
    await journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA + 1}")
    connection.close()
    before = path.read_bytes()
    error = await refusal(path)
    assert isinstance(error, JournalVersionError)
    assert str(error) == (
        f"journal {path} was written by a newer version (schema {SCHEMA + 1}, this one knows {SCHEMA}): "
        "upgrade agentorch"
    )
    assert path.read_bytes() == before


async def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """A database with tables that are not ours gets no tables of ours."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    assert "belongs to another program" in str(await refusal(path))
    assert path.read_bytes() == before


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """Any other file: said in words, not a byte changed."""
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes.\n" * 100)
    assert "not a database file" in str(await refusal(path))
    assert path.read_text() == "These are my notes.\n" * 100


async def test_a_folder_is_not_a_journal(tmp_path: Path) -> None:
    """A folder: the message proposes a file in it."""
    assert str(tmp_path / "runs.db") in str(await refusal(tmp_path))


async def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    """A parent that is a file: the message says that it is no folder."""
    (tmp_path / "file").write_text("")
    assert "choose a place" in str(await refusal(tmp_path / "file" / "runs.db"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, where nothing can be made")
async def test_a_place_that_cannot_be_written() -> None:
    """A read-only place: one line, with the remedy."""
    assert "choose a place that can be written" in str(await refusal(Path("/proc/agentorch/runs.db")))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of the test's own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted("-t", "tmpfs", "none", str(folder)):
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_read_only_disk(disk: Path) -> None:
    """A journal on a disk that has become read-only is refused in words."""
    journal = SqliteJournal(disk / "runs.db")
    await journal.open()
    await journal.append("r", [started("r")], after=0)
    await journal.close()
    assert mounted("-o", "remount,ro", str(disk))
    error = await refusal(disk / "runs.db")
    assert "read-only" in str(error).lower()
    assert "choose a place that can be written" in str(error)


@pytest.mark.parametrize("killed", [False, True])
async def test_a_journal_on_a_read_only_disk_can_be_read(disk: Path, killed: bool) -> None:
    """All that a closed journal holds, and what one holds whose process was killed; nothing can be written."""
    journal = SqliteJournal(disk / "runs.db")
    await journal.open()
    await journal.append("a", [started("a")], after=0)
    as_killed = shutil.copytree(disk, disk.parent / "as-killed")
    await journal.close()
    if killed:
        shutil.copytree(as_killed, disk, dirs_exist_ok=True)
    assert mounted("-o", "remount,ro", str(disk))
    reading = SqliteJournal(disk / "runs.db")
    await reading.open_to_read()
    try:
        assert [record.run_id async for record in reading.runs()] == ["a"]
        assert await reading.read("a") == [started("a")]
        with pytest.raises(JournalError, match="choose a place that can be written"):
            await reading.append("a", [reported("a", 2)], after=1)
    finally:
        await reading.close()


async def test_opening_to_read_checks_the_file_too(tmp_path: Path) -> None:
    """A file that is no journal of ours is refused in one line."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    with pytest.raises(JournalError, match="belongs to another program"):
        await SqliteJournal(path).open_to_read()


async def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Garbage in the pages of the file: JournalDamaged, not a traceback of sqlite3."""
    path = tmp_path / "runs.db"
    journal = SqliteJournal(path)
    await journal.open()
    await journal.append("r", [started("r"), *(reported("r", n, "x" * 500) for n in range(2, 200))], after=0)
    await journal.close()
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xa5" * 3996
    path.write_bytes(data)
    assert isinstance(await refusal(path), JournalDamaged)


async def test_a_place_without_a_write_ahead_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite can share no memory, as on some network disks, it keeps its old journal and says nothing."""
    connect = sqlite3.connect

    def without_shared_memory(path: Path, **settings: Any) -> sqlite3.Connection:
        return connect(f"{path.as_uri()}?vfs=unix-dotfile", uri=True, **settings)

    monkeypatch.setattr(sqlite3, "connect", without_shared_memory)
    assert "(its journal mode stays 'delete'): name a file on a local disk" in str(await refusal(tmp_path / "runs.db"))


async def test_a_path_that_means_memory_to_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no place for a journal, which several connections share."""
    monkeypatch.chdir(tmp_path)
    assert "name a file on a local disk, or 'memory:'" in str(await refusal(Path(":memory:")))


def test_the_file_system_of_the_nearest_mount_counts() -> None:
    """The longest mount point wins, a later mount covers an earlier one, escaped blanks are read."""
    mounts = (
        "/dev/sda / ext4 rw 0 0\n"
        "server:/home /home nfs4 rw 0 0\n"
        "/dev/sdb /home/me/local ext4 rw 0 0\n"
        "x /mnt/my\\040share cifs rw 0 0\n"
        "y /tmp tmpfs rw 0 0\n"
        "z /tmp nfs rw 0 0\n"
    )
    paths = ["/srv/runs.db", "/home/me/runs.db", "/home/me/local/runs.db", "/mnt/my share/a", "/tmp/a"]
    assert [file_system(Path(path), mounts) for path in paths] == ["ext4", "nfs4", "ext4", "cifs", "nfs"]


def test_a_file_that_becomes_ours_while_we_look(tmp_path: Path) -> None:
    """Another process makes the tables between our first look and our second: the file is no other program's."""
    path = tmp_path / "runs.db"

    class Overtaken(sqlite3.Connection):
        """Another connection makes the tables just before this one counts them."""

        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if sql.startswith("SELECT count"):
                with contextlib.suppress(JournalError):  # kept waiting, it gives up
                    open_writer(path, "power", busy=0.0).close()
            return super().execute(sql, *args)

    connection = sqlite3.connect(path, isolation_level=None, factory=Overtaken)
    check_ours(connection, path)
    connection.close()


def test_processes_that_open_a_new_file_together(tmp_path: Path) -> None:
    """Six processes make one journal at the same moment: all succeed, each run is there."""
    path = tmp_path / "runs.db"
    children = [subprocess.Popen([sys.executable, "-c", APPENDS, str(path), f"r{n}"]) for n in range(6)]
    assert [child.wait(50) for child in children] == [0] * 6
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM runs").fetchone() == (6,)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
    connection.close()


@contextlib.asynccontextmanager
async def beside_another_process(path: Path) -> AsyncGenerator[None]:
    """Have the journal at `path` open meanwhile; then another process writes to it, and this one goes on."""
    async with contextlib.AsyncExitStack() as stack:
        first = SqliteJournal(path)
        await first.open()
        stack.push_async_callback(first.close)
        await first.append("r1", [started("r1")], after=0)
        yield
        done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", APPENDS, str(path), "r2"], check=False)
        await first.append("r1", [reported("r1", 2)], after=1)
    connection = sqlite3.connect(path)
    heads = dict(connection.execute("SELECT run_id, head FROM runs"))
    connection.close()
    assert (done.returncode, heads) == (0, {"r1": 2, "r2": 1})


async def test_a_second_journal_of_a_process_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    """Another process that closes the file does not take itself for the last one, and the log for nobody's."""
    path = tmp_path / "runs.db"
    async with beside_another_process(path):
        second = SqliteJournal(path)
        await second.open()
        await second.close()


async def test_a_library_leaves_the_locks_of_a_journal_in_its_folders(tmp_path: Path) -> None:
    """It opens neither the journal nor what lies beside it, by search or by name, and says so."""
    (tmp_path / "kettle.txt").write_text("The kettle boils at noon.\n", "utf-8")
    path = tmp_path / "runs.db"
    async with beside_another_process(path):
        with Library([tmp_path]) as library:
            found = library.find("When does the kettle boil?")
            notes = library.notes
            for name in ("runs.db", "runs.db-shm"):
                with pytest.raises(FileAccessError, match="a database in use"):
                    library.read(name)

    assert [passage.source for passage in found] == [f"{tmp_path}/kettle.txt:1"]
    assert notes == [f"not read: {path}, {path}-shm, {path}-wal: a database in use"]


async def test_a_file_that_somebody_names_is_no_journal_in_use(tmp_path: Path) -> None:
    """An agent that keeps it as an artifact is told so, also behind a link; once nobody has it open it is a file."""
    path, link = tmp_path / "runs.db", tmp_path / "link"
    link.symlink_to(path)
    async with beside_another_process(path):
        for name in (path, link, f"{path}-shm"):
            with pytest.raises(OSError, match="a database in use"):
                read_regular(name, most=100_000_000)
    assert read_regular(link, most=100_000_000)


async def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    """In one line, as any other path that cannot be opened."""
    (tmp_path / "a.db").symlink_to(tmp_path / "b.db")
    (tmp_path / "b.db").symlink_to(tmp_path / "a.db")
    assert "symbolic links" in str(await refusal(tmp_path / "a.db"))
