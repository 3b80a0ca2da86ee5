"""One damaged cell of a journal ends no command with a traceback, and each says what it can."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.journal.cells import flip, flips

FORESEEN = {0, 2, 3, 4}
"""Exit codes that are no bug: also of a run that waits."""


def whole(agentorch: Command, home: Path) -> tuple[Path, list[str]]:
    """Write a finished run, and one that waits for a person and has an answer in the inbox; return their ids."""
    (home / "wait.yaml").write_text("goal: x\ntasks:\n  - {id: send, agent: sender, inputs: {letter: hello}}\n")
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    agentorch("run", "--plan", "wait.yaml", "-a", "team.py")
    assert agentorch("approve", "last", "send", "--yes").code == 0
    path = home / "whole.db"
    shutil.copy(home / "runs.db", path)
    runs = {flip.run_id: None for flip in flips(path, "runs")}
    return path, [*runs]


@pytest.mark.parametrize("table", ["runs", "requests"])
@pytest.mark.timeout(240)
def test_a_damaged_cell_of_the_list_or_the_inbox_is_no_bug(agentorch: Command, home: Path, table: str):
    """Every command that reads a list gives the other run, and a code that was foreseen."""
    path, runs = whole(agentorch, home)
    for damage in flips(path, table):
        other = next(run for run in runs if run != damage.run_id)
        shutil.copy(path, home / "runs.db")
        if not flip(home / "runs.db", damage):
            continue
        listed = agentorch("runs")
        assert (listed.code, other[:13] in listed.out) == (0, True), f"{damage}: {listed}"
        for words in (
            ("runs", "--json"),
            ("journal", "verify"),
            ("journal", "export", "--to", str(home / "out.jsonl")),
            ("journal", "compact", "--before", "1000"),
            *((*words, run) for run in runs for words in (("runs", "show"), ("runs", "export"))),
            ("why", runs[0], "facts"),
            ("fork", runs[0], "--at", "4", "-a", "team.py", "-q"),
            ("resume", runs[1], "-q"),
            ("cancel", runs[1]),
        ):
            said = agentorch(*words)
            assert said.code in FORESEEN, f"{damage}: {words}: {said}"
            assert "Traceback" not in said.err
        assert agentorch("runs", "show", other).code == 0, str(damage)
        for left in (*home.glob("runs.db*"), home / "out.jsonl"):
            left.unlink(missing_ok=True)


def test_a_run_whose_tags_cannot_be_read_is_named(agentorch: Command, home: Path):
    """The list is given, the damage is a line behind it, and `resume` takes what the events say."""
    path, runs = whole(agentorch, home)
    assert path.exists()
    damage = next(damage for damage in flips(path, "runs") if (damage.run_id, damage.column) == (runs[1], "tags"))
    assert flip(home / "runs.db", damage)
    said = agentorch("runs")
    words = f"its tags cannot be read; `agentorch journal verify {runs[1]}` says what is wrong"
    assert (said.code, said.err) == (0, f"run {runs[1]}: {words}\n")
    assert len(said.out.splitlines()) == 2
    assert agentorch("journal", "verify").err.startswith(f"run {runs[1]}: the list of runs has the tags ")
    assert agentorch("resume", runs[1]).out == "sent hello\n"
