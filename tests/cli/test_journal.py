"""`agentorch journal`: what a person sees of checking, copying and shrinking a journal."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def damage(path: Path, sql: str) -> None:
    """Change the journal behind its back."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()


def test_a_sound_journal_is_said_to_be_so(agentorch: Command, home: Path):
    """One line counts what was looked at."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    said = agentorch("journal", "verify")
    assert (said.code, said.out) == (0, "1 run · 8 events · 0 blobs · nothing is wrong\n")
    assert agentorch("journal", "verify", "last").code == 0


def test_each_fault_is_a_line_with_run_and_seq(agentorch: Command, home: Path):
    """The faults go to stderr, and the exit code is 2."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    damage(home / "runs.db", "UPDATE events SET payload = x'00' WHERE seq = 4")
    said = agentorch("journal", "verify")
    assert said.code == 2
    assert said.err.startswith("run 0")
    assert said.err.endswith(", seq 4: its payload is not what was written\n")
    assert said.out.endswith("· 1 fault\n")
    told = json.loads(agentorch("journal", "verify", "--json").out)
    assert [(fault["seq"], fault["what"]) for fault in told["faults"]] == [(4, "its payload is not what was written")]


def test_an_export_is_imported_elsewhere(agentorch: Command, home: Path):
    """The file is its owner's alone, is not written over, and gives an equal run in another journal."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    said = agentorch("journal", "export", "--to", "runs.jsonl")
    assert (said.code, said.out) == (0, "1 run exported\n")
    assert (home / "runs.jsonl").stat().st_mode & 0o777 == 0o600
    again = agentorch("journal", "export", "--to", "runs.jsonl")
    assert (again.code, again.err) == (2, "agentorch: --to runs.jsonl: it is there already: name another file\n")
    there = ("--journal", "other.db")
    assert agentorch("journal", "import", "runs.jsonl", *there).out == "1 run imported\n"
    assert agentorch("journal", "import", "runs.jsonl", *there).out == "0 runs imported, 1 there already\n"
    assert agentorch("runs", "show", "last", *there).out == agentorch("runs", "show", "last").out
    assert agentorch("runs", "export", "last", *there).out == agentorch("runs", "export", "last").out


def test_a_file_that_is_no_export_is_one_line(agentorch: Command, home: Path):
    """It says what is wrong with which file."""
    said = agentorch("journal", "import", "plan.yaml")
    words = "it is no exported journal: `agentorch journal export` writes one"
    assert (said.code, said.err) == (2, f"agentorch: plan.yaml: {words}\n")
    assert agentorch("journal", "import", "none.jsonl").code == 2


def test_a_finished_run_is_compacted(agentorch: Command, home: Path):
    """It stays in the list, and whoever wants its events hears in one line where they are."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    said = agentorch("journal", "compact", "--run", "last")
    assert said.code == 0
    assert said.out.startswith("1 run compacted · 8 events dropped · ")
    shown = agentorch("runs", "show", "last")
    assert shown.code == 2
    assert shown.err.endswith("was compacted: its events were dropped, only their headers are left\n")
    assert len(shown.err.splitlines()) == 1
    assert "succeeded" in agentorch("runs").out
    assert agentorch("journal", "verify").out == "1 run · 8 events · 0 blobs · 1 compacted · nothing is wrong\n"


def test_compacting_needs_to_know_what(agentorch: Command, home: Path):
    """Without --before or --run nothing is done; a run that is waiting is refused."""
    (home / "wait.yaml").write_text("goal: x\ntasks:\n  - {id: send, agent: sender, inputs: {letter: hello}}\n")
    agentorch("run", "--plan", "wait.yaml", "-a", "team.py")
    assert agentorch("journal", "compact").err == "agentorch: name what to compact: --before DAYS, or --run RUN\n"
    said = agentorch("journal", "compact", "--run", "last")
    assert said.code == 2
    assert "has not finished (running): resume or cancel it, then compact it" in said.err
    assert agentorch("journal", "compact", "--before", "0").out.startswith("0 runs compacted")


def test_a_journal_that_is_not_there_is_one_line(agentorch: Command, home: Path):
    """Checking makes no file."""
    for words in (("verify",), ("export",), ("compact", "--before", "1")):
        said = agentorch("journal", *words, "--journal", "none.db")
        assert (said.code, said.err) == (
            2,
            "agentorch: journal none.db: there is no such file; `agentorch run` makes it\n",
        )
    assert not (home / "none.db").exists()
    assert agentorch("journal", "verify", "--journal", "memory:").code == 2


def test_variables_are_named_as_secrets(agentorch: Command, home: Path, monkeypatch: pytest.MonkeyPatch):
    """Their values are not journaled; one that is not set is one line."""
    monkeypatch.setenv("AGENTORCH_SECRETS", "TOKEN")
    monkeypatch.setenv("TOKEN", "hunter2-hunter2")
    (home / "secret.yaml").write_text(
        "goal: x\ntasks:\n  - {id: a, agent: poet, inputs: {facts: [$inputs.x, secret:TOKEN]}}\n"
    )
    said = agentorch("run", "--plan", "secret.yaml", "-a", "team.py", "-i", "x=hunter2-hunter2")
    assert (said.code, said.out) == (0, "Ode: [redacted:TOKEN] [redacted:TOKEN]\n")
    monkeypatch.delenv("TOKEN")
    words = "AGENTORCH_SECRETS: there is no environment variable TOKEN; set it, or leave it out"
    assert agentorch("runs").err == f"agentorch: {words}\n"
