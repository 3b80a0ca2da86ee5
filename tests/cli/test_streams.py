"""Streams that are closed, and disks that are full: one line and exit code 2, never called a bug."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command

RUN = f"{sys.executable} -m agentorch"
FULL = Path("/dev/full")

pytestmark = pytest.mark.timeout(120)


def shell(line: str) -> "subprocess.CompletedProcess[str]":
    """Run a line as most people do: with what Python writes kept in its buffers."""
    command, kept = ["sh", "-c", f"{RUN} {line}"], {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return subprocess.run(command, env=kept, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def ran(agentorch: Command, home: Path) -> Path:
    """A folder with one run in its journal."""
    assert agentorch("run", "--plan", "plan.yaml", "-a", "team.py").code == 0
    (home / "send.yaml").write_text("tasks: [{id: post, agent: sender, inputs: {letter: x}}]", encoding="utf-8")
    return home


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ["runs", "runs --json", "runs show last", "journal export", "why last ode"])
def test_a_full_disk_behind_stdout(ran: Path, command: str) -> None:
    """The words are the system's."""
    assert ran.is_dir()
    said = shell(f"{command} > /dev/full")
    words = "agentorch: the output cannot be written: No space left on device: see where stdout goes\n"
    assert (said.returncode, said.stderr) == (2, words)


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_a_full_disk_behind_stderr(ran: Path) -> None:
    """Words are lost, the answer is not; the exit code tells as ever."""
    assert ran.is_dir()
    said = shell("run --plan plan.yaml -a team.py 2> /dev/full")
    assert (said.returncode, said.stdout) == (0, "Ode: Buses carry envelopes.\n")
    assert shell("runs show nothing 2> /dev/full").returncode == 2


def test_a_closed_stdin(ran: Path) -> None:
    """Nobody is there to be asked: the run waits."""
    assert ran.is_dir()
    said = shell("run --plan send.yaml -a team.py <&-")
    assert (said.returncode, "answer with: agentorch approve" in said.stderr) == (4, True)


def test_a_closed_stdout(ran: Path) -> None:
    """What was asked for has nowhere to go, which is said; a command without data needs none."""
    assert ran.is_dir()
    for command in ("runs", "runs --json", "run --plan plan.yaml -a team.py", "run --plan plan.yaml -a team.py --json"):
        said = shell(f"{command} >&-")
        assert said.returncode == 2, said
        assert "agentorch: the output cannot be written: Bad file descriptor" in said.stderr
        assert "bug" not in said.stderr
    assert shell("run --plan send.yaml -a team.py >&-").returncode == 4


def test_a_closed_stderr(ran: Path) -> None:
    """The answer comes, the exit code tells, and no file of ours is taken for stderr."""
    said = shell("run --plan plan.yaml -a team.py 2>&-")
    assert (said.returncode, said.stdout, said.stderr) == (0, "Ode: Buses carry envelopes.\n", "")
    assert shell("runs show nothing 2>&-").returncode == 2
    assert shell("journal verify").returncode == 0
    assert ran.is_dir()


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_an_export_to_a_disk_that_is_full(ran: Path) -> None:
    """The place is named, and nothing half is left."""
    unmeasured = "unset COVERAGE_PROCESS_CONFIG COVERAGE_PROCESS_START"  # what was counted would not fit either
    limited = f"{unmeasured}; ulimit -f 1; trap '' XFSZ; exec {RUN} journal export --to out.jsonl"
    said = subprocess.run(["sh", "-c", limited], capture_output=True, text=True, check=False, timeout=60)
    assert (said.returncode, said.stderr) == (
        2,
        "agentorch: --to out.jsonl: File too large: nothing is left of it; name another place\n",
    )
    assert not (ran / "out.jsonl").exists()
