"""Turns that are taken up later, and what is typed ahead, on a real terminal."""

import json
from pathlib import Path

import pytest

from tests.cli.chat.terminal import CTRL_C, CTRL_D, ENTER, TAB, UP, Terminal, chat, runs
from tests.cli.test_processes import run

pytestmark = pytest.mark.timeout(180)


def test_an_older_turn_is_taken_up(folder: Path) -> None:
    """By its number, by its run, or as the last that is open: it stays in its place, and its run is the same one."""
    with chat("-a", "team.py", columns=130) as terminal:
        terminal.say("@gate one").expect("running 0/1")
        terminal.wait((folder / "began").exists, "the gate's beginning")
        terminal.keys(CTRL_C).expect("stopped, 0 finished tasks of 1 kept").expect("1 turn ")
        terminal.say("@parrot two").expect("You said: two").expect("2 turns")
        first = str(runs()[0]["run_id"])[:13]
        terminal.say("/resume 7").expect(
            f"no turn of this chat has this number or run: /resume takes up turn 1 (run {first})"
        )
        terminal.say(f"/resume {first[:-1]}x").expect(f"did you mean {first}?")
        terminal.say("/resume 2").expect("turn 2 has succeeded: /resume takes up turn 1")
        (folder / "go").touch()
        terminal.say("/resume").expect("turn 1 again: one").expect("The gate heard: one").expect("2 turns")
        terminal.say("/resume").expect("no turn waits, or was stopped; the last has succeeded: /retry asks the same")
        terminal.say(f"/resume {first}").expect("turn 1 has succeeded: no turn waits, or was stopped")
        terminal.say("/export talk.json").expect("written: talk.json")
        assert terminal.keys(CTRL_D).left() == 0
    assert [(record["goal"], record["status"]) for record in runs()] == [("one", "succeeded"), ("two", "succeeded")]
    turns = json.loads((folder / "talk.json").read_text(encoding="utf-8"))["turns"]
    assert [turn["answer"] for turn in turns] == ["The gate heard: one", "You said: two"]


def test_an_approval_of_an_older_turn(folder: Path) -> None:
    """`/approve` answers the last turn that waits, `/resume RUN` one that is named, though others came after."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@sender one").expect("[y/N]").keys(CTRL_C).expect("stopped, 0 finished")
        terminal.say("@sender two").expect("[y/N]", times=1).expect("› @sender two").expect("to be approved", times=2)
        terminal.keys(CTRL_C).expect("stopped, 0 finished", times=2)
        terminal.say("@parrot three").expect("You said: three").expect("3 turns")
        terminal.say("/approve yes").expect("turn 2 again: two").expect("sent two")
        terminal.say(f"/resume {runs()[0]['run_id']!s}").expect("turn 1 again: one")
        terminal.expect("to be approved", times=3).say("y").expect("sent one")
        assert terminal.keys(CTRL_D).left() == 0
    assert [record["status"] for record in runs()] == ["succeeded"] * 3


def test_an_approval_is_of_what_asks(folder: Path) -> None:
    """Not of a turn after it that was merely stopped; nor in a chat that is taken up again."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@sender one").expect("[y/N]").keys(CTRL_C).expect("stopped, 0 finished")
        terminal.say("@sender two").expect("to be approved", times=2).keys(CTRL_C).expect(
            "stopped, 0 finished", times=2
        )
        terminal.say("@gate three").expect("running 0/1").keys(CTRL_C).expect("stopped, 0 finished", times=3)
        terminal.say("/approve yes").expect("turn 2 again: two").expect("sent two")
        assert terminal.keys(CTRL_D).left() == 0
    with chat("--continue", "-a", "team.py") as terminal:
        terminal.say("/approve yes").expect("turn 1 again: one").expect("sent one")
        assert terminal.keys(CTRL_D).left() == 0
    assert [record["goal"] for record in runs() if record["status"] == "succeeded"] == ["one", "two"]


def test_what_was_typed_ahead_is_taken_back(folder: Path) -> None:
    """Up on an empty line brings the newest of it back to be changed; Ctrl-C the rest, above what is being typed."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@gate one").expect("running 0/1")
        terminal.say("@parrot two").expect("waits for its turn: @parrot two (Up on an empty line takes it back)")
        terminal.say("@parrot thre").expect("waits for its turn: @parrot thre")
        terminal.keys(UP).expect("taken back into the line").expect("› @parrot thre")
        terminal.keys("e" + ENTER).expect("waits for its turn: @parrot three")
        terminal.keys(UP).expect("taken back", times=2).keys(CTRL_C).expect("stopped, 0 finished")
        terminal.wait(lambda: "› @parrot two\n  @parrot three" in terminal.screen, "both in the line")
        terminal.keys(CTRL_C).wait(lambda: "  @parrot three" not in terminal.screen, "an empty line")
        (folder / "go").touch()
        terminal.say("@gate four").expect("The gate heard: four")
        (folder / "go").unlink()
        terminal.say("@gate five").expect("running 0/1").say("@parrot six").expect("waits for its turn: @parrot six")
        terminal.keys(UP).expect("taken back", times=3).keys("ty" + ENTER).expect("waits for its turn: @parrot sixty")
        (folder / "go").touch()
        terminal.expect("You said: sixty")
        assert terminal.keys(CTRL_D).left() == 0
    assert [record["goal"] for record in runs()] == ["one", "four", "five", "sixty"]


def test_a_follow_up_goes_on_from_the_last_question(folder: Path) -> None:
    """Without a model "and why?" finds what was asked before; an agent is told the follow-up alone."""
    facts = "# Runs\n\n## Resuming\n\nA run that ends by kill -9 resumes from its journal: events are written first.\n"
    (folder / "runs.md").write_text(facts + "\n## Paint\n\nThe reason why paint dries is air.\n", encoding="utf-8")
    with chat("-f", "runs.md", columns=130) as terminal:
        terminal.say("How does a run resume after kill -9?").expect("resumes from its journal").expect("1 turn ")
        terminal.say("and why?").expect("resumes from its journal", times=2).expect("2 turns")
        terminal.say("but why, then?").expect("resumes from its journal", times=3).expect("3 turns")
        assert terminal.keys(CTRL_D).left() == 0
    _, asked, _ = runs()
    assert asked["goal"] == "and why?"
    events = [json.loads(line) for line in run("runs", "export", str(asked["run_id"])).stdout.splitlines()]
    assert events[0]["inputs"]["earlier"] == "How does a run resume after kill -9?"


def test_names_with_blanks_are_completed(folder: Path) -> None:
    r"""A blank and a `\` in a name are offered as they must be typed, and lead to the file."""
    (folder / "my notes").mkdir()
    (folder / "my notes" / "a\\b c.md").write_text("A hive has 7 gates.\n", encoding="utf-8")
    with chat("-a", "team.py") as terminal:
        terminal.keys("@parrot read @my").expect("my notes/").keys(TAB).expect("@my\\ notes/")
        terminal.keys("a").expect("a\\b c.md").keys(TAB).expect("@my\\ notes/a\\\\b\\ c.md")
        terminal.keys(ENTER).keys(ENTER).expect("attached: my notes/a\\b c.md").expect("You said: read")
        terminal.say("/files -my\\ notes/a\\\\b\\ c.md").expect("0 attached paths")
        terminal.say("/files my\\ notes/a\\\\b\\ c.md").expect("1 attached path")
        assert terminal.keys(CTRL_D).left() == 0


def test_ctrl_c_on_a_plain_terminal(folder: Path) -> None:
    """With TERM=dumb it stops the turn; at the line the first one warns, and the second leaves."""
    with Terminal("-a", "team.py", TERM="dumb") as terminal:
        terminal.expect(">").say("@gate one")
        terminal.wait((folder / "began").exists, "the gate's beginning")
        terminal.keys(CTRL_C).expect("stopped, 0 finished tasks of 1 kept: /resume goes on")
        terminal.keys(CTRL_C).expect("Ctrl-C once more, or Ctrl-D, leaves")
        terminal.say("@parrot two").expect("You said: two").expect("run ", times=2)
        terminal.keys(CTRL_C).expect("once more", times=2)
        terminal.keys(CTRL_C)
        assert terminal.left() == 0
    assert [record["status"] for record in runs()] == ["stopped", "succeeded"]
