"""`agentorch fork`: a new run out of another one's journal, as a person sees it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_a_run_is_forked_with_another_output(agentorch: Command, home: Path):
    """What the run was given is used again; the answer is that of the fork, and the parent stays."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    said = agentorch("fork", "last", "--at", "5", "--set", 'facts=["ants march."]')
    assert (said.code, said.out) == (0, "Ode: ants march.\n")
    assert " is a fork of " in said.err
    assert "with what the run was given: -a team.py" in said.err
    shown = agentorch("runs", "show", "last")
    assert "forked   from 0" in shown.out
    listed = agentorch("runs", "--json").out.splitlines()
    assert [json.loads(line)["status"] for line in listed] == ["succeeded", "succeeded"]
    assert "Buses" in agentorch("runs", "show", json.loads(listed[1])["run_id"]).out
    assert agentorch("journal", "verify").code == 0


def test_a_failed_run_is_mended_by_a_fork(agentorch: Command, home: Path):
    """The task that failed is given its output, and what it held up runs."""
    assert agentorch("run", "--plan", "partial.yaml", "-a", "team.py").code == 3
    said = agentorch("fork", "last", "--at", "5", "--set", 'bad={"x": 1, "y": 2}', "--json")
    assert said.code == 0
    outcome = json.loads(said.out.splitlines()[-1])
    assert outcome["status"] == "succeeded"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--at", "99"), "at=99: run "),
        (("--at", "2"), "at=2: run "),
        (("--at", "5", "--set", "facts"), "--set 'facts': write it as TASK=JSON"),
        (("--at", "5", "--set", "facts=ants"), "--set 'facts=ants': 'ants' is no JSON ("),
        (("--at", "5", "--set", "fact=[]"), "outputs: run "),
        (("--at", "5", "--set", "facts={}"), "outputs: 'facts' is nothing that 'researcher' gives: "),
    ],
)
def test_what_cannot_be_forked_is_one_line(agentorch: Command, home: Path, options: tuple[str, ...], words: str):
    """Exit code 2, and no new run."""
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    said = agentorch("fork", "last", *options)
    (line,) = [line for line in said.err.splitlines() if not line.startswith("with what")]
    assert (said.code, said.out) == (2, "")
    assert line.startswith(f"agentorch: {words}")
    assert len(agentorch("runs", "--json").out.splitlines()) == 1
