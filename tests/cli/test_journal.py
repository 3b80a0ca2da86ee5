"""`agentorch journal`: what a person sees of checking, copying and shrinking a journal."""

import json
import sqlite3
from pathlib import Path

import pytest

from agentorch.events import RunStarted
from agentorch.journal.sqlite import SqliteJournal
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


def test_an_export_to_a_dash_goes_to_stdout(agentorch: Command, home: Path):
    """As everywhere; no file of that name is left."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    said = agentorch("journal", "export", "--to", "-")
    assert (said.code, said.out) == (0, agentorch("journal", "export").out)
    assert not (home / "-").exists()


def test_an_unfinished_run_is_moved_with_a_word(agentorch: Command, home: Path):
    """Whoever imports it hears that it must go on in one journal only; there it is carried on, its answer along."""
    (home / "wait.yaml").write_text("goal: x\ntasks:\n  - {id: send, agent: sender, inputs: {letter: hello}}\n")
    agentorch("run", "--plan", "wait.yaml", "-a", "team.py")
    agentorch("approve", "last", "send", "--yes")
    assert agentorch("journal", "export", "--to", "runs.jsonl").code == 0
    there = ("--journal", "other.db")
    said = agentorch("journal", "import", "runs.jsonl", *there)
    run = json.loads(agentorch("runs", "--json").out)["run_id"]
    words = "resume it here or where it came from, never in both: what it does would be done twice"
    assert (said.code, said.out) == (0, "1 run imported\n")
    assert said.err == f"run {run} has not finished: {words}\n"
    assert agentorch("resume", "last", *there).out == "sent hello\n"


async def test_a_run_that_is_carried_out_is_not_exported_unasked(agentorch: Command, home: Path):
    """It is named with the remedy; a copy of it must be wanted by whoever imports it, too."""
    journal = SqliteJournal(home / "runs.db")
    await journal.open()
    try:
        journal.claim("somebody")
        begun = RunStarted(seq=1, at=1000.0, run_id="r", goal="g", owner="somebody")
        await journal.append("r", [begun], after=0)
        said = agentorch("journal", "export", "--to", "none.jsonl")
        copied = agentorch("journal", "export", "--live", "--to", "copy.jsonl", "--json")
    finally:
        journal.disclaim("somebody")
        await journal.close()
    words = "somebody carries it out: stop that first, or ask for a copy (--live): it is left out"
    assert (said.code, said.out, said.err) == (2, "0 runs exported\n", f"run r: {words}\n")
    assert (copied.code, json.loads(copied.out)) == (0, {"runs": 1, "faults": [], "mended": []})
    there = ("--journal", "other.db")
    words = "somebody was carrying it out: if that has ended for good, import it with --live"
    refused = agentorch("journal", "import", "copy.jsonl", *there)
    assert (refused.code, refused.out, refused.err) == (2, "0 runs imported, 1 refused\n", f"run r: {words}\n")
    taken = agentorch("journal", "import", "copy.jsonl", "--live", "--json", *there)
    assert json.loads(taken.out) == {"taken": ["r"], "skipped": [], "restored": [], "unfinished": ["r"], "refused": []}


def test_many_unfinished_runs_are_counted(agentorch: Command, home: Path):
    """Three are named, the others told."""
    (home / "wait.yaml").write_text("goal: x\ntasks:\n  - {id: send, agent: sender, inputs: {letter: hello}}\n")
    for _ in range(5):
        agentorch("run", "--plan", "wait.yaml", "-a", "team.py")
    agentorch("journal", "export", "--to", "runs.jsonl")
    lines = agentorch("journal", "import", "runs.jsonl", "--journal", "other.db").err.splitlines()
    assert [" has not finished: " in line for line in lines] == [True, True, True, False]
    assert lines[3] == "2 more have not finished: `agentorch runs` names them"


def test_what_was_damaged_is_given_back(agentorch: Command, home: Path):
    """An export of before mends the journal, and the command says so."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    agentorch("journal", "export", "--to", "runs.jsonl")
    damage(home / "runs.db", "UPDATE events SET payload = x'00' WHERE seq = 4")
    said = agentorch("journal", "import", "runs.jsonl")
    assert said.out == "0 runs imported, 1 given back what was damaged or compacted\n"
    assert agentorch("journal", "verify").code == 0


def test_damage_of_the_list_is_told_by_an_export(agentorch: Command, home: Path):
    """The run is written all the same."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    damage(home / "runs.db", "UPDATE runs SET goal = 'x'")
    said = agentorch("journal", "export", "--to", "runs.jsonl")
    assert (said.code, said.out) == (2, "1 run exported\n")
    assert said.err.endswith("the list of runs has the goal 'x', its events say 'An ode to message buses'\n")
    assert agentorch("journal", "import", "runs.jsonl").code == 0
    assert agentorch("journal", "verify").code == 0


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
