"""`agentorch cancel` and `agentorch approve`: what a second terminal asks of a run."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentorch.ports.journal import Inbox
from agentorch.runtime.leaving_requests import leave_request
from tests.cli.conftest import Command

pytestmark = pytest.mark.timeout(120)

LOOKS_LIKE_A_KEY = "sk-proj-abcDEF0123456789abcdef"
SLOW = """
tasks:
  - {id: wait, agent: sleeper, inputs: {topic: $goal}}
"""
APPROVED = """
goal: Buses
tasks:
  - {id: facts, agent: researcher, inputs: {topic: $goal}, approval: before}
  - {id: poem, agent: poet, inputs: {facts: $facts}, approval: before}
"""
PAYING = '''
"""A team that pays, and does not come back."""

from pathlib import Path

from agentorch.agents import agent
from agentorch.context import Context
from agentorch.tools import tool


@tool(effect="once")
async def pay(amount: int) -> str:
    """Pay."""
    if not Path("asked").exists():
        Path("asked").write_text("yes")
        raise RuntimeError("the line went dead")
    return f"paid {amount}"


@agent(description="Pays.", tools=[pay])
async def payer(amount: int, context: Context) -> str:
    return str(await context.tool(pay, amount=amount))
'''

ASKING = """
from agentorch import Context, agent


@agent(description="Asks for a name.")
async def namer(context: Context) -> str:
    return await context.ask("What name?", str)


@agent(description="Asks for a price.")
async def pricer(context: Context) -> float:
    return await context.ask("What price?", float)
"""


@contextmanager
def running(*arguments: str) -> Generator["subprocess.Popen[str]"]:
    """Carry a run out in another process, and wait until its task has begun."""
    words = [sys.executable, "-m", "agentorch", "run", *arguments, "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if json.loads(line)["type"] == "TaskStarted":
                    break
            yield process
        finally:
            process.kill()


def test_a_second_terminal_cancels_a_run(agentorch: Command, home: Path) -> None:
    """Within a tenth of a second the owner ends it: exit code 1, and the journal says who asked and why."""
    (home / "plan.yaml").write_text(SLOW, encoding="utf-8")
    with running("Buses", "--plan", "plan.yaml", "-a", "team.py") as process:
        said = agentorch("cancel", "last", "--reason", "enough")
        out, _ = process.communicate(timeout=30)

    events = [json.loads(line) for line in out.splitlines()]
    (asked,) = [event for event in events if event["type"] == "RunCancelling"]
    assert (said.code, "cancelled run" in said.err) == (0, True)
    assert (asked["reason"], events[-1]["type"], events[-1]["status"]) == ("enough", "Outcome", "cancelled")
    assert "the run was cancelled: enough" in [problem["message"] for problem in events[-1]["problems"]]
    assert process.returncode == 1
    assert "is over already: cancelled" in agentorch("cancel", "last").err


def test_a_run_whose_process_was_killed_can_be_cancelled(agentorch: Command, home: Path) -> None:
    """Nobody carries it out: the command ends it."""
    (home / "plan.yaml").write_text(SLOW, encoding="utf-8")
    with running("Buses", "--plan", "plan.yaml", "-a", "team.py") as process:
        process.kill()
        process.wait()
        said = agentorch("cancel", "last")

    assert (said.code, "which nobody carried out" in said.err) == (0, True)
    assert json.loads(agentorch("runs", "ls", "--json").out)["status"] == "cancelled"


def test_a_run_whose_process_stands_still_is_taken_from_it(agentorch: Command, home: Path) -> None:
    """What was frozen counts as dead after ten seconds: the run is cancelled, and who wakes up writes nothing more."""
    (home / "plan.yaml").write_text(SLOW, encoding="utf-8")
    with running("Buses", "--plan", "plan.yaml", "-a", "team.py") as process:
        os.kill(process.pid, signal.SIGSTOP)
        said = agentorch("cancel", "last", "--reason", "enough")
        ended = agentorch("runs", "show", "last", "--json").out
        os.kill(process.pid, signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)

    assert (said.code, "whose process (" in said.err, "has ended, or stands still" in said.err) == (0, True, True)
    assert json.loads(ended)["status"] == "cancelled"
    assert agentorch("runs", "show", "last", "--json").out == ended


def test_a_reason_is_written_without_secrets(agentorch: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like one, the key of the environment and what AGENTORCH_SECRETS names: nowhere in the file."""
    monkeypatch.setenv("OPENAI_API_KEY", "local-key-0123")
    monkeypatch.setenv("PASSWORD", "hunter2!")
    monkeypatch.setenv("AGENTORCH_SECRETS", "PASSWORD")
    (home / "plan.yaml").write_text(SLOW, encoding="utf-8")
    with running("Buses", "--plan", "plan.yaml", "-a", "team.py") as process:
        os.kill(process.pid, signal.SIGSTOP)  # it shall leave the request where it is
        words = [sys.executable, "-m", "agentorch", "cancel", "last", "--reason"]
        reason = f"now: {LOOKS_LIKE_A_KEY} local-key-0123 hunter2!"
        with subprocess.Popen([*words, reason], stderr=subprocess.PIPE, text=True) as asking:
            while b'{"reason": "' not in (asked := journal_bytes(home)):
                assert asking.poll() is None
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            _, err = asking.communicate(timeout=30)

    assert (asking.returncode, "has ended, or stands still" in err) == (0, True)
    shown = agentorch("journal", "export", "last").out
    for secret in (LOOKS_LIKE_A_KEY, "local-key-0123", "hunter2!"):
        assert secret.encode() not in asked + journal_bytes(home)
    clean = "[redacted:api-key] [redacted:api-key] [redacted:PASSWORD]"
    assert b'{"reason": "now: ' + clean.encode() in asked
    assert f"now: {clean}" in shown


def test_an_answer_is_written_without_secrets(agentorch: Command, home: Path) -> None:
    """Nobody carries the run out, so that it lies in the inbox; the name of a secret stays one."""
    (home / "paying.py").write_text(PAYING, encoding="utf-8")
    (home / "plan.yaml").write_text("tasks: [{id: pay, agent: payer, inputs: {amount: 3}}]", encoding="utf-8")
    agentorch("run", "--plan", "plan.yaml", "-a", "paying.py")
    given = agentorch("approve", "last", "pay", "--done", "--value", f"secret:NAME {LOOKS_LIKE_A_KEY}")

    assert given.code == 0
    assert LOOKS_LIKE_A_KEY.encode() not in journal_bytes(home)
    assert b"secret:NAME [redacted:api-key]" in journal_bytes(home)


def journal_bytes(home: Path) -> bytes:
    """Return all that the journal's files hold."""
    return b"".join(file.read_bytes() for file in home.glob("runs.db*") if file.is_file())


def test_approvals_are_listed_given_and_carried_on(agentorch: Command, home: Path) -> None:
    """The run waits with exit code 4; each yes is kept for the resume; a name that waits for nothing is refused."""
    (home / "plan.yaml").write_text(APPROVED, encoding="utf-8")
    begun = agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    shown = agentorch("approve", "last")
    wrong = agentorch("approve", "last", "poem", "--yes")
    both = agentorch("approve", "last", "--yes", "--no")
    strange = agentorch("approve", "last", "facts", "--skip")
    given = agentorch("approve", "last", "facts", "--yes")
    resumed = agentorch("resume", "last")
    second = agentorch("approve", "last", "--no")
    ended = agentorch("resume", "last")

    assert (begun.code, shown.code) == (4, 4)
    assert "approve:facts:1:1:researcher" in shown.out
    assert (wrong.code, both.code, strange.code) == (2, 2, 2)
    assert "nothing waits for 'poem'; waiting: approve:facts:1:1:researcher" in wrong.err
    assert "--yes and --no say different things" in both.err
    assert "--skip is no answer to this approval; give --yes, --no" in strange.err
    assert (given.code, "answered; go on with: agentorch resume" in given.err) == (0, True)
    assert (resumed.code, second.code, ended.code) == (4, 0, 3)
    assert "did not approve 'poem'" in ended.err


@pytest.mark.parametrize(
    ("choice", "code", "answer"),
    [(["--done", "--value", "by hand"], 0, "by hand"), (["--retry"], 0, "paid 3"), (["--skip"], 1, "")],
    ids=["done", "retry", "skip"],
)
def test_an_effect_that_nobody_knows_of(
    agentorch: Command, home: Path, choice: list[str], code: int, answer: str
) -> None:
    """Approve --done, --retry or --skip, then resume: the money leaves as the person says."""
    (home / "paying.py").write_text(PAYING, encoding="utf-8")
    (home / "plan.yaml").write_text("tasks: [{id: pay, agent: payer, inputs: {amount: 3}}]", encoding="utf-8")
    begun = agentorch("run", "--plan", "plan.yaml", "-a", "paying.py")
    shown = agentorch("approve", "last", "--json")
    given = agentorch("approve", "last", "pay", *choice)
    ended = agentorch("resume", "last")

    assert (begun.code, shown.code, given.code, ended.code) == (4, 4, 0, code)
    assert json.loads(shown.out)[0]["kind"] == "effect"
    assert ended.out.strip() == answer


def test_a_plan_is_signed_off(agentorch: Command, home: Path) -> None:
    """--sign-off: the run waits for a yes, or for the plan as edited."""
    (home / "edited.yaml").write_text(
        "tasks: [{id: facts, agent: researcher, inputs: {topic: Trams}}]", encoding="utf-8"
    )
    begun = agentorch("run", "Ode to buses", "-a", "team.py", "--sign-off")
    first = json.loads(agentorch("runs", "show", "last", "--json").out)["tasks"][0]["id"]
    why, shown = agentorch("why", "last", first), agentorch("runs", "show", "last")
    given = agentorch("approve", "last", "--plan", "edited.yaml")
    ended = agentorch("resume", "last", "--json")

    assert (begun.code, begun.out, given.code, ended.code) == (4, "", 0, 0)
    assert "answer with: agentorch approve" in begun.err
    assert "nothing starts before a person has signed the plan" in why.out
    assert "waits for the plan to be signed" in shown.out
    assert json.loads(ended.out.splitlines()[-1])["answer"] == ["Trams carry envelopes."]


def test_an_answer_that_waits_for_resume_is_shown_and_is_the_only_one(agentorch: Command, home: Path) -> None:
    """A second one is refused, with the first and the way on; the list says what is answered and what is open."""
    (home / "plan.yaml").write_text(APPROVED.replace("$facts", "[x]"), encoding="utf-8")
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    given = agentorch("approve", "last", "facts", "--no")
    again = agentorch("approve", "last", "facts", "--yes")
    shown = agentorch("approve", "last")
    one = agentorch("approve", "last", "facts")
    listed = json.loads(agentorch("approve", "last", "--json").out)
    wrong = agentorch("approve", "last", "nothing")
    agentorch("approve", "last", "poem", "--no")
    closed = agentorch("approve", "last")

    assert (given.code, again.code, wrong.code) == (0, 2, 2)
    assert "approve:facts:1:1:researcher is answered already, by " in again.err
    assert ": false; that waits for: agentorch resume " in again.err
    assert shown.code == 4
    assert "approve:poem:1:1:poet: --yes, --no" in shown.err
    assert ": false (waits for resume)" in shown.err
    assert (one.code, "poem" in one.out + one.err, "approve:facts:1:1:researcher" in one.out) == (0, False, True)
    assert [None if row["answered"] is None else row["answered"]["value"] for row in listed] == [False, None]
    assert (closed.code, "go on with: agentorch resume" in closed.err) == (0, True)


def test_of_two_answers_at_once_the_second_is_told_that_it_does_not_count(agentorch: Command, home: Path) -> None:
    """Who answered what stands in the line, and the exit code is not 0."""
    (home / "plan.yaml").write_text(APPROVED + "  - {id: wait, agent: sleeper, inputs: {topic: x}}\n", encoding="utf-8")
    with running("Buses", "--plan", "plan.yaml", "-a", "team.py") as process:
        os.kill(process.pid, signal.SIGSTOP)
        words = [sys.executable, "-m", "agentorch", "approve", "last", "facts"]
        with (
            subprocess.Popen([*words, "--no"], stderr=subprocess.PIPE, text=True) as first,
            subprocess.Popen([*words, "--yes"], stderr=subprocess.PIPE, text=True) as second,
        ):
            while journal_bytes(home).count(b'"request_id": "approve:facts:1:1:researcher"') < 2:
                if first.poll() is not None or second.poll() is not None:
                    break  # one has seen the other's
            os.kill(process.pid, signal.SIGCONT)
            said = [(one.communicate(timeout=30)[1], one.returncode) for one in (first, second)]

    assert sorted(code for _, code in said) == [0, 2], said
    (loser,) = [words for words, code in said if code == 2]
    assert "yours does not count" in loser or "is answered already, by" in loser


def test_an_answer_that_came_second_by_a_hair_is_told_so(
    agentorch: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nobody carries the run out, and both looked before either was left."""

    async def after_another(inbox: Inbox, run_id: str, message: Any, *, redact: Any) -> int:
        await leave_request(inbox, run_id, replace(message, value=False, by="another"), redact=redact)
        return await leave_request(inbox, run_id, message, redact=redact)

    (home / "plan.yaml").write_text(APPROVED, encoding="utf-8")
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    monkeypatch.setattr("agentorch.cli.requesting.leave_request", after_another)
    said = agentorch("approve", "last", "facts", "--yes")

    assert (said.code, "is answered already, by another: false" in said.err) == (2, True)


def test_what_a_value_may_be(agentorch: Command, home: Path) -> None:
    """Text is text where text is asked for; what is no JSON number, or too deep to be read, is refused."""
    (home / "asking.py").write_text(ASKING, encoding="utf-8")
    (home / "plan.yaml").write_text(
        "{tasks: [{id: name, agent: namer}, {id: price, agent: pricer, needs: []}], answer: $name}", encoding="utf-8"
    )
    agentorch("run", "--plan", "plan.yaml", "-a", "asking.py")
    refused = [agentorch("approve", "last", "price", "--value", value) for value in ("NaN", "[" * 5000)]
    given = [
        agentorch("approve", "last", "name", "--value", "3"),
        agentorch("approve", "last", "price", "--value", "4"),
    ]
    ended = agentorch("resume", "last")

    assert [(one.code, "--value: " in one.err, len(one.err.splitlines())) for one in refused] == [(2, True, 1)] * 2
    assert [one.code for one in given] == [0, 0]
    assert (ended.code, ended.out) == (0, "3\n")


def test_an_edited_plan_that_cannot_be_carried_out_is_not_left(agentorch: Command, home: Path) -> None:
    """Its problems are said in lines with exit code 2; beside a choice it is refused; the run waits as before."""
    (home / "circle.yaml").write_text(
        "tasks:\n  - {id: a, agent: researcher, inputs: {topic: $b}}\n  - {id: b, agent: poet, inputs: {facts: $a}}\n",
        encoding="utf-8",
    )
    (home / "stranger.yaml").write_text("tasks: [{id: a, agent: stranger, inputs: {}}]", encoding="utf-8")
    agentorch("run", "Ode to buses", "-a", "team.py", "--sign-off")
    circle = agentorch("approve", "last", "--plan", "circle.yaml")
    stranger = agentorch("approve", "last", "--plan", "stranger.yaml")
    both = agentorch("approve", "last", "--plan", "plan.yaml", "--yes")
    (home / "team.py").unlink()  # what can be told without the team still is
    form = agentorch("approve", "last", "--plan", "circle.yaml")
    name = agentorch("approve", "last", "--plan", "stranger.yaml")

    assert [one.code for one in (circle, stranger, both, form, name)] == [2, 2, 2, 2, 2]
    assert circle.err.startswith("agentorch: circle.yaml: E_CYCLE ")
    assert "stranger.yaml: E_UNKNOWN_AGENT a: " in stranger.err
    assert "stranger.yaml: E_UNKNOWN_AGENT a: " in name.err
    assert "--yes and --plan say different things: give one" in both.err
    assert form.err.startswith("agentorch: circle.yaml: E_CYCLE ")
    assert json.loads(agentorch("approve", "last", "--json").out)[0]["answered"] is None


def test_options_that_do_not_go_together_are_refused(agentorch: Command, home: Path) -> None:
    """A value beside a choice that takes none; a plan for what is no plan; and the list names what can be given."""
    (home / "paying.py").write_text(PAYING, encoding="utf-8")
    (home / "plan.yaml").write_text("tasks: [{id: pay, agent: payer, inputs: {amount: 3}}]", encoding="utf-8")
    agentorch("run", "--plan", "plan.yaml", "-a", "paying.py")
    retry = agentorch("approve", "last", "pay", "--retry", "--value", "3")
    plan = agentorch("approve", "last", "pay", "--plan", "plan.yaml")
    shown = agentorch("approve", "last", "pay")

    assert (retry.code, "--retry takes no --value" in retry.err) == (2, True)
    assert (plan.code, "--plan is no answer to this effect; give --done --value JSON" in plan.err) == (2, True)
    assert (shown.code, "--done --value JSON (it has happened, and gave this)" in shown.err) == (4, True)


def test_what_cannot_be_asked_is_said_in_one_line(agentorch: Command, home: Path) -> None:
    """What was answered before; a run that waits for nobody; a journal that is not there."""
    (home / "plan.yaml").write_text(APPROVED, encoding="utf-8")
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    agentorch("approve", "last", "facts", "--yes")
    agentorch("resume", "last")
    late = agentorch("approve", "last", "facts", "--no")
    agentorch("run", "Ode to buses", "-a", "team.py")
    nobody = agentorch("approve", "last", "--yes")
    empty = agentorch("approve", "last")
    missing = agentorch("cancel", "last", "--journal", str(home / "none.db"))

    assert late.code == 2
    assert "nothing waits for 'facts'; approve:facts:1:1:researcher was answered by " in late.err
    assert ": true; waiting: approve:poem:1:1:poet" in late.err
    assert (nobody.code, "the run waits for nobody" in nobody.err) == (2, True)
    assert (empty.code, empty.err.strip()) == (0, "the run waits for nobody")
    assert (missing.code, "there is no such file" in missing.err) == (2, True)
