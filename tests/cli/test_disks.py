"""A journal on a full or a read-only disk, locked by another process or cut off: what can be read is shown."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.mounting import mounted

pytestmark = pytest.mark.timeout(120)

SEND = "goal: A letter\ntasks: [{id: post, agent: sender, inputs: {letter: x}}]"
WRITES = {
    "approve last --yes",
    "cancel last",
    "resume last",
    "run --plan plan.yaml -a team.py",
    "fork {} --at 3",
    "journal compact --run {}",
}
READS = {
    "runs": 0,
    "runs show {}": 0,
    "runs show last": 0,
    "runs export {}": 0,
    "runs watch {}": 0,
    "why {} ode": 0,
    "approve last": 4,
    "cancel {}": 0,  # it is over already
    "journal verify": 0,
    "journal export": 0,
}


@pytest.fixture
def own_disk(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 2 MB that the journal lies on."""
    folder = home / "disk"
    folder.mkdir()
    if not mounted("-t", "tmpfs", "-o", "size=2m", "none", str(folder)):
        pytest.skip("mounting is not allowed here")
    monkeypatch.setenv("AGENTORCH_JOURNAL", str(folder / "runs.db"))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def begun(agentorch: Command) -> str:
    """Make a journal with a finished run, whose id this is, and one that waits for a person."""
    Path("send.yaml").write_text(SEND, encoding="utf-8")
    assert agentorch("run", "--plan", "plan.yaml", "-a", "team.py").code == 0
    assert agentorch("run", "--plan", "send.yaml", "-a", "team.py").code == 4
    return json.loads(agentorch("runs", "--json").out.splitlines()[1])["run_id"]


def as_before(agentorch: Command, run_id: str) -> dict[str, str]:
    """Return what each reading command shows; its code is the expected one."""
    shown: dict[str, str] = {}
    for line, code in READS.items():
        said = agentorch(*line.format(run_id).split())
        assert said.code == code, (line, said)
        shown[line] = said.out
    return shown


def refused(agentorch: Command, run_id: str, words: Callable[[str], bool]) -> None:
    """Every writing command ends in one line that names the file and says why."""
    for line in sorted(WRITES):
        said = agentorch(*line.format(run_id).split())
        *before, last = said.err.splitlines()
        assert said.code == 2, (line, said)
        assert words(last), (line, said)
        assert not before or before == ["with what the run was given: -a team.py"], (line, said)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def test_a_full_disk(agentorch: Command, own_disk: Path) -> None:
    """All that is read is read as before; what is to be written says that the disk is full, and what to do."""
    run_id = begun(agentorch)
    shown = as_before(agentorch, run_id)
    assert [file.name for file in own_disk.glob("runs.db*")] == ["runs.db"]
    fill(own_disk)
    path = own_disk / "runs.db"
    full = f"journal {path}: the disk is full: free some space, then resume, or start again what had not begun"

    for _ in range(2):  # at first SQLite says that, later that an index does not fit
        assert as_before(agentorch, run_id) == shown
        refused(agentorch, run_id, lambda said: said == f"agentorch: {full}")
    (own_disk / "filler").unlink()

    assert agentorch("approve", "last", "--yes").code == 0
    assert agentorch("resume", "last").out == "sent x\n"


def test_a_read_only_disk(agentorch: Command, own_disk: Path) -> None:
    """What is to be written says so, answers and cancels too; no word of a journal that is not open."""
    run_id = begun(agentorch)
    shown = as_before(agentorch, run_id)
    assert mounted("-o", "remount,ro", str(own_disk))

    assert as_before(agentorch, run_id) == shown
    refused(agentorch, run_id, lambda said: said.endswith("Read-only file system: choose a place that can be written"))
    assert mounted("-o", "remount,rw", str(own_disk))


def test_a_journal_that_another_process_keeps_locked(agentorch: Command, home: Path) -> None:
    """Reading waits for no lock; an answer is told why it could not be left."""
    run_id = begun(agentorch)
    shown = as_before(agentorch, run_id)
    other = sqlite3.connect(home / "runs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()

    assert as_before(agentorch, run_id) == shown
    assert time.monotonic() - began < 5.0
    assert agentorch("approve", "last", "--yes").err.endswith(
        "another process has kept it busy for 5 s: continue, or end, one that stands still\n"
    )
    other.close()
    assert agentorch("approve", "last", "--yes").code == 0


def test_an_empty_file_holds_no_runs(agentorch: Command, home: Path) -> None:
    """It is only looked at, and stays as it is."""
    (home / "runs.db").touch()

    assert (agentorch("runs").err, agentorch("runs", "show", "last").code) == ("no runs yet\n", 2)
    assert agentorch("journal", "verify").out == "0 runs · 0 events · 0 blobs · nothing is wrong\n"
    assert (home / "runs.db").stat().st_size == 0


def test_of_a_file_that_was_cut_off_what_is_left_is_shown(agentorch: Command, home: Path) -> None:
    """The intact run is shown and exported whole; one line on stderr names the damage, and no other is in the way."""
    ids = [begun(agentorch)]
    for _ in range(3):
        agentorch("run", "--plan", "partial.yaml", "-a", "team.py")
    looks = (["runs"], ["runs", "show", ids[0]], ["runs", "export", ids[0]], ["why", ids[0], "ode"])
    shown = [agentorch(*look).out for look in looks]
    path = home / "runs.db"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 3 * 4096 - 1000])
    damage = f"journal {path}: the database file is damaged (database disk image is malformed): restore it from a copy"

    for look, before in zip(looks, shown, strict=True):
        said = agentorch(*look)
        assert (said.code, said.out) == (0, before), look
        assert said.err == f"{damage}; what is left of it is shown\n", look
    assert agentorch("runs", "show", "last").code == 2
    assert agentorch("approve", ids[0], "--yes").code == 2
    assert path.read_bytes() == data[: len(data) - 3 * 4096 - 1000]

    path.write_bytes(data[:4096])  # nothing of the list is left: this is not a journal without runs
    assert (agentorch("runs").code, agentorch("runs").err) == (2, f"agentorch: {damage}\n")


@pytest.mark.parametrize("length", [5_100, 6_000, 7_900])
def test_a_file_that_ends_within_its_second_page(agentorch: Command, home: Path, length: int) -> None:
    """The list of runs is what is cut: that is said, and is no bug."""
    begun(agentorch)
    path = home / "runs.db"
    path.write_bytes(path.read_bytes()[:length])

    for line in ("journal verify", "journal export"):
        said = agentorch(*line.split())
        assert (said.code, "bug" in said.err) == (2, False), said
        assert "a row of the list of runs cannot be read" in said.err
    assert "bug" not in agentorch("runs").err
