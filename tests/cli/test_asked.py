"""Questions at a terminal: seen before they are answered, asked while the rest goes on, left without a trace."""

import json
import signal
from pathlib import Path

import pexpect
import pytest

from tests.cli.test_processes import run, terminal

TEAM = '''
"""Agents that wait for files, and for people."""

import asyncio
from pathlib import Path

from agentorch.agents import agent
from agentorch.context import Context


@agent(description="Waits for a file.")
async def gate(file: str) -> str:
    Path(f"{file}-began").touch()
    while not Path(file).exists():
        await asyncio.sleep(0.02)
    return f"saw {file}"


@agent(description="Sends a letter.", approval="before")
async def sender(letter: str) -> str:
    return f"sent {letter}"


@agent(description="Waits for a file, when it may.", approval="before")
async def careful(file: str) -> str:
    return await gate(file)


@agent(description="Asks for a number.")
async def asker(context: Context) -> int:
    return await context.ask("How many?", int)


@agent(description="Speaks in our voice.")
async def forger(context: Context) -> str:
    forged = "What is it called?\\n\\nagentorch: the run waits\\nStart 'backup'?\\n[y/N] "
    return await context.ask(forged + "x " * 150, str)
'''
BESIDE = """
tasks:
  - {id: slow, agent: gate, inputs: {file: go}}
  - {id: post, agent: sender, inputs: {letter: x}}
answer: $post
"""
TWO = """
tasks:
  - {id: first, agent: careful, inputs: {file: go}}
  - {id: second, agent: sender, inputs: {letter: $first}}
  - {id: third, agent: sender, inputs: {letter: x}}
answer: $second
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def asking(home: Path) -> Path:
    """A folder with a team that waits, and a plan for each test."""
    (home / "team.py").write_text(TEAM, encoding="utf-8")
    (home / "post.yaml").write_text("tasks: [{id: post, agent: sender, inputs: {letter: x}}]", encoding="utf-8")
    (home / "ask.yaml").write_text("tasks: [{id: ask, agent: asker}]", encoding="utf-8")
    (home / "beside.yaml").write_text(BESIDE, encoding="utf-8")
    (home / "two.yaml").write_text(TWO, encoding="utf-8")
    return home


def begun(plan: str) -> "pexpect.spawn[str]":
    return terminal("run", "--plan", plan, "-a", "team.py", columns=200)


def ended(child: "pexpect.spawn[str]") -> tuple[int | None, str]:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, str(child.before)


def test_a_line_typed_before_a_prompt_answers_nothing(asking: Path) -> None:
    """What was typed before anybody could have seen the question is dropped."""
    assert asking.is_dir()
    child = begun("post.yaml")
    child.sendline("y")
    child.expect_exact("[y/N]")
    child.sendline("n")
    code, said = ended(child)
    assert (code, "did not approve 'post'" in said) == (1, True)


def test_a_person_is_asked_while_others_run(asking: Path) -> None:
    """The question does not wait for the other branches, nor they for it."""
    child = begun("beside.yaml")
    child.expect_exact("[y/N]")
    assert not (asking / "go").exists()
    child.sendline("y")
    child.expect("✓[^\n]*post")
    (asking / "go").touch()
    code, said = ended(child)
    assert (code, "sent x" in said) == (0, True)


def test_an_answer_from_elsewhere_takes_the_prompt_away(asking: Path) -> None:
    """One line says who answered what, and the run goes on."""
    child = begun("beside.yaml")
    child.expect_exact("[y/N]")
    assert run("approve", "last", "post", "--yes").returncode == 0
    child.expect(r"answered elsewhere, by \S+: true")
    child.sendline("y")
    (asking / "go").touch()
    code, said = ended(child)
    assert (code, "sent x" in said) == (0, True)


def test_a_cancelled_run_takes_the_prompt_away(asking: Path) -> None:
    """Nobody is asked for what is over."""
    assert asking.is_dir()
    child = begun("post.yaml")
    child.expect_exact("[y/N]")
    assert run("cancel", "last").returncode == 0
    child.expect_exact("this is not asked any more")
    code, said = ended(child)
    assert (code, "cancelled" in said) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_at_a_prompt_stops_the_run(asking: Path, number: signal.Signals) -> None:
    """At once, with exit code 130; what stands behind the prompt is nobody's, and resume asks again."""
    assert asking.is_dir()
    child = begun("post.yaml")
    child.expect_exact("[y/N]")
    if number is signal.SIGINT:
        child.sendintr()
    else:
        child.kill(number)
    code, said = ended(child)
    assert (code, "stopped, 0 finished tasks of 1 kept; go on with: agentorch resume" in said) == (130, True)
    assert "Traceback" not in said
    name = "Ctrl-C" if number is signal.SIGINT else "SIGTERM"
    assert f"stopped by {name}" in run("runs", "show", "last").stdout
    again = terminal("resume", "last", columns=200)
    again.expect_exact("[y/N]")
    again.sendline("y")
    assert ended(again)[0] == 0


def test_who_leaves_a_prompt_does_not_stop_what_runs(asking: Path) -> None:
    """After Ctrl-D nothing more is asked, what was approved comes to its end, and the outcome is that of then."""
    child = begun("two.yaml")
    child.expect_exact("[y/N]")
    child.sendline("y")
    child.expect_exact("[y/N]")
    child.sendeof()
    child.expect("first[^\n]*careful")
    (asking / "go").touch()
    code, said = ended(child)
    assert (code, "answer with: agentorch approve" in said, "1 of 3 tasks" in said) == (4, True, True)
    shown = json.loads(run("runs", "show", "last", "--json").stdout)
    assert {task["id"]: task["status"] for task in shown["tasks"]} == {
        "first": "succeeded", "second": "waiting", "third": "waiting",
    }  # fmt: skip


def test_ctrl_c_at_a_later_prompt_stops_what_runs(asking: Path) -> None:
    """The run is stopped as Ctrl-C promises, not left as it stood before the prompt."""
    child = begun("two.yaml")
    child.expect_exact("[y/N]")
    child.sendline("y")
    child.expect_exact("[y/N]")
    while not (asking / "go-began").exists():
        assert child.isalive()
    child.sendintr()
    code, said = ended(child)
    assert (code, "stopped, 0 finished tasks of 3 kept" in said) == (130, True)
    assert json.loads(run("runs", "--json").stdout)["status"] == "stopped"


@pytest.mark.parametrize(
    ("plan", "prompt", "wrong", "words", "right", "answer"),
    [
        ("post.yaml", "[y/N]", "maybe", "say y or n", "y", "sent x"),
        ("ask.yaml", "[integer]", "many", "integer", "7", "7"),
    ],
)
def test_an_answer_that_does_not_fit_is_asked_for_again(
    asking: Path, plan: str, prompt: str, wrong: str, words: str, right: str, answer: str
) -> None:
    """The run goes on waiting; the prompt says what fits."""
    assert asking.is_dir()
    child = begun(plan)
    child.expect_exact(prompt)
    child.sendline(wrong)
    child.expect_exact(words)
    child.expect_exact(prompt)
    child.sendline(right)
    code, said = ended(child)
    assert (code, answer in said) == (0, True)


def test_what_is_asked_is_set_in_below_who_asks(asking: Path) -> None:
    """Two tasks that ask the same are told apart, and no line of a question, broken or not, looks like one of ours."""
    (asking / "same.yaml").write_text(
        "{tasks: [{id: cat, agent: forger}, {id: dog, agent: forger}], answer: $dog}", encoding="utf-8"
    )
    child = terminal("run", "--plan", "same.yaml", "-a", "team.py", columns=80)
    shown: list[str] = []
    for name in ("cat", "dog"):
        child.expect_exact(f"asked by task '{name}', agent 'forger':")
        child.expect_exact("\n> ")
        shown += str(child.before).splitlines()[1:]
        child.sendline(name)
    assert ended(child)[0] == 0

    asked = [line for line in shown if line.strip() and "cat" not in line]
    assert [line for line in asked if "Start 'backup'?" in line]
    assert [line for line in asked if not line.removeprefix("\x1b[0m").startswith("  ")] == []


def test_a_line_that_the_terminal_has_cut_is_no_answer(asking: Path) -> None:
    """It is asked for again."""
    (asking / "name.yaml").write_text("tasks: [{id: name, agent: forger}]", encoding="utf-8")
    child = terminal("run", "--plan", "name.yaml", "-a", "team.py", columns=200)
    child.setecho(False)
    child.expect_exact("\n> ")
    child.sendline("x" * 5000)
    child.expect_exact("a terminal takes lines of 4,095 bytes")
    child.expect_exact("> ")
    child.sendline("short")
    code, said = ended(child)
    assert (code, "short" in said, "xxxxx" in said) == (0, True, False)
