"""What each command of a chat sets, refuses and writes, read on the screen, in its record and in the journal."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.chat.model_server import serving
from tests.cli.chat.terminal import CTRL_C, CTRL_D, DOWN, ENTER, TAB, UP, Terminal, chat, runs
from tests.cli.test_processes import run

pytestmark = pytest.mark.timeout(180)


def kept(folder: Path) -> dict[str, Any]:
    """Return the record of the only chat."""
    (path,) = (folder / "data" / "agentorch" / "chats").glob("*.json")
    return json.loads(path.read_text(encoding="utf-8"))


def test_models_and_servers(folder: Path) -> None:
    """Models of one server only; what is not there is refused with what is; none takes them away again."""
    with serving(lambda _: "Nothing.") as server:
        with chat("-a", "team.py", columns=150, AGENTORCH_LOCAL_PORTS=str(server.server_port)) as terminal:
            terminal.say("/model").expect("model: none").expect("/model local:tiny", times=2)
            terminal.say("/model big").expect(
                "no server is named: set OPENAI_API_KEY or OPENAI_BASE_URL, or: a model server"
            )
            terminal.say("/model local:tiny, big").expect("models of one server only: all local:, or none")
            terminal.say("/model local:tiny").expect(f"model: tiny, at {server.url}")
            assert (kept(folder)["model"], kept(folder)["server"]) == (["tiny"], server.url)
            terminal.say("/model NONE").expect("model: none; answers are extracted", times=2)
            assert (kept(folder)["model"], kept(folder)["server"]) == ([], None)
            assert terminal.keys(CTRL_D).left() == 0
        server.model = ""
    with chat(
        "-a", "team.py", columns=150, AGENTORCH_LOCAL_PORTS="none", OPENAI_BASE_URL="http://127.0.0.1:9/v1"
    ) as terminal:
        terminal.say("/model local:tiny").expect("/model local:tiny: no server was found on this machine")
        terminal.say("/model a b").expect("model: a, b, at http://127.0.0.1:9/v1")
        assert terminal.keys(CTRL_D).left() == 0


def test_files_are_taken_away_by_name(folder: Path) -> None:
    """One that is not attached is refused with the one that is meant; the record holds whole paths."""
    with chat("-a", "team.py", "-f", "bees.md") as terminal:
        terminal.say("/files -bee.md").expect("bee.md is not attached: did you mean 'bees.md'?")
        terminal.say("/files team.py").expect("attached: team.py").expect("2 attached paths")
        assert kept(folder)["files"] == [str(folder / "bees.md"), str(folder / "team.py")]
        terminal.say("/files -bees.md").expect("1 attached path ")
        assert kept(folder)["files"] == [str(folder / "team.py")]
        assert terminal.keys(CTRL_D).left() == 0


def test_budgets_and_context(folder: Path) -> None:
    """Limits are set one by one, refused in words, and taken away; the next run has what holds."""
    with chat("-a", "team.py", columns=120) as terminal:
        terminal.say("/budget money=0.25 tokens=5000").expect("budget of each turn: money=0.25 tokens=5,000")
        terminal.say("/budget secnds=3").expect("/budget secnds=3: did you mean 'seconds'?; write it as money=0.10")
        terminal.say("/budget calls=-1").expect("/budget calls=-1: '-1' is no limit; write it as calls=10")
        terminal.say("/budget calls=inf").expect("'inf' is no limit")
        terminal.say("@parrot one").expect("You said: one").expect("1 turn ")
        assert kept(folder)["limits"] == {"max_money": 0.25, "max_tokens": 5000}
        terminal.say("/budget off").expect("budget: no limit")
        terminal.say("/context none").expect("/context none: give a number of tokens, such as /context 2000")
        terminal.say("/context 1").expect("0 of 1 tokens; 1 turn left out, but for what fits the next thing you say")
        assert (kept(folder)["limits"], kept(folder)["context"]) == ({}, 1)
        terminal.say("/context 900").expect("1. They said: one").expect("of 900 tokens")
        terminal.say("@parrot two").expect("You said: two").expect("2 turns")
        assert terminal.keys(CTRL_D).left() == 0
    first, second = (_started(str(one["run_id"])) for one in runs())
    assert (first["budget"]["max_money"], first["budget"]["max_tokens"]) == (0.25, 5000)
    assert second["budget"]["max_money"] is None
    assert "They said: one" in second["inputs"]["conversation"]


def _started(run_id: str) -> dict[str, Any]:
    return json.loads(run("runs", "export", run_id).stdout.splitlines()[0])


def test_a_plan_that_cannot_be_is_not_carried_out(folder: Path) -> None:
    """What the editor leaves is checked: unchanged, no plan at all, or with errors, the plan stays as it was."""
    editor = folder / "editor.py"
    editor.write_text(
        "import sys, pathlib\npath = pathlib.Path(sys.argv[1])\nstep = pathlib.Path('step')\n"
        "at = int(step.read_text()) if step.exists() else 0\nstep.write_text(str(at + 1))\ntext = path.read_text()\n"
        "new = [text, 'tasks: 7', text.replace('agent: parrot', 'agent: parot')][at]\npath.write_text(new)\n",
        encoding="utf-8",
    )
    with chat("-a", "team.py", columns=140, EDITOR=f"{sys.executable} {editor}") as terminal:
        terminal.say("/plan @parrot hello").expect("[y/N, or edit]")
        terminal.say("edit").expect("the plan was not changed; y carries it out, n refuses it")
        terminal.say("e").expect("; the plan is as before")
        terminal.say("edit").expect("the plan is as before, for what was saved has errors").expect("parot")
        terminal.say("perhaps").expect("say y, n or edit")
        terminal.say("y").expect("You said: hello")
        assert terminal.keys(CTRL_D).left() == 0
    (record,) = runs()
    assert (record["status"], record["goal"]) == ("succeeded", "hello")


def test_plans_are_signed_when_that_is_on(folder: Path) -> None:
    """`/plan on` has each turn shown first; one that nobody can carry out is refused in words."""
    with chat("-a", "team.py", columns=120) as terminal:
        terminal.say("/tasks").expect("no turn was taken here yet: say something first")
        terminal.say("/plan @nobody go").expect("no agent and no file has this name")
        terminal.say("/plan on").expect("each plan is shown, and carried out only when you agree")
        terminal.say("@parrot one").expect("[y/N, or edit]").say("y").expect("You said: one")
        terminal.say("/plan off").expect("plans are carried out at once")
        terminal.say("@parrot two").expect("You said: two")
        assert terminal.keys(CTRL_D).left() == 0
    first, second = (_started(str(one["run_id"])) for one in runs())
    assert (first["policy"]["approval"], second["policy"].get("approval")) == ("plan", None)


def test_there_is_nothing_to_repeat_yet(folder: Path) -> None:
    """Each command says in a line what it lacks; in a chat in memory a turn cannot be taken up, nor explained."""
    with chat("-a", "team.py", "--journal", "memory:", columns=150, EDITOR="true") as terminal:
        terminal.say("/retry").expect("there is nothing to ask again: say something first")
        terminal.say("/undo").expect("there is no turn to forget")
        terminal.say("/fork 1").expect("no turn yet")
        terminal.say("/export").expect("there is nothing to export yet")
        terminal.say("/editor").expect("nothing was written in the editor: nothing is said")
        terminal.say("@gate one").expect("running 0/1")
        terminal.wait((folder / "began").exists, "the gate's beginning")
        terminal.keys(CTRL_C).expect("/retry begins it anew, /undo forgets it")
        terminal.say("/resume").expect(
            "this chat's runs are in memory and cannot be taken up: /retry begins the turn anew"
        )
        terminal.say("/why gate").expect("/why reads the journal, and this chat's is in memory")
        terminal.say("/fork 2").expect("/fork 2: give the number of a turn, 1 to 1")
        (folder / "go").touch()
        terminal.say("/retry").expect("The gate heard: one")
        assert terminal.keys(CTRL_D).left() == 0
    assert not (folder / "data" / "agentorch" / "chats").exists()


def test_an_answer_that_does_not_fit(folder: Path) -> None:
    """`/approve` with what is no answer is refused with the answers, and the turn waits on; one that fits ends it."""
    with chat("-a", "team.py", columns=120) as terminal:
        terminal.say("@asker bees").expect("[integer]").keys(CTRL_C).expect("stopped, 0 finished")
        terminal.say("/approve many").expect("; answers: ")
        terminal.say("/approve 7").expect("7 times bees")
        terminal.say("@gate two").expect("running 0/1").wait((folder / "began").exists, "the gate's beginning")
        terminal.keys(CTRL_C).expect("stopped, 0 finished", times=2)
        terminal.say("/approve yes").expect("0 requests open: /resume asks one after the other")
        assert terminal.keys(CTRL_D).left() == 0
    assert next(one["status"] for one in runs()) == "succeeded"


def test_what_cannot_be_written(folder: Path) -> None:
    """A file without a name, or in no folder, is refused in words; what was forgotten stays on the bill."""
    with chat("-a", "team.py", columns=120) as terminal:
        terminal.say("@parrot one").expect("You said: one").expect("1 turn ")
        terminal.say("/save").expect("/save FILE: name a file")
        terminal.say("/save nowhere/a.txt").expect("nowhere/a.txt: cannot be written: No such file or directory")
        terminal.say("@sender two").expect("[y/N]").say("n").expect("failed").expect("2 turns")
        terminal.say("/export all.md").expect("written: all.md")
        terminal.say("/undo").expect("forgotten: two").keys(CTRL_C)
        terminal.say("/why").expect("'sender'").say("/cost").expect("forgotten")
        assert terminal.keys(CTRL_D).left() == 0
    text = (folder / "all.md").read_text(encoding="utf-8")
    assert "> @sender two\n\n*(failed)*\n\n*no answer*\n" in text
    assert f"run {runs()[0]['run_id']}</sub>" in text


def test_sources_are_exported(folder: Path) -> None:
    """An answer's places are in the Markdown, within it or below it."""
    with chat("-f", "bees.md") as terminal:
        terminal.say("How many workers?").expect("40,000").expect("1 turn ")
        terminal.say("/export bees-talk.md").expect("written: bees-talk.md")
        terminal.say("/why").expect("/why TASK: name one of").say("/tasks").expect("librarian")
        assert terminal.keys(CTRL_D).left() == 0
    assert "[bees.md:3]" in (folder / "bees-talk.md").read_text(encoding="utf-8")


def test_keys_of_the_line(folder: Path) -> None:
    r"""A `\` at the end goes on in a new line; an offered agent is taken; Up and Down go through what was said."""
    with chat("-a", "team.py") as terminal:
        terminal.keys("@parrot a\\" + ENTER + "b").expect("  b").keys(ENTER).expect("You said: a").expect("1 turn ")
        terminal.keys("@parr").expect("Repeats what it is told").keys(TAB).expect("› @parrot").keys(
            ENTER + " c" + ENTER
        )
        terminal.expect("You said: c").expect("2 turns")
        terminal.keys(UP).expect("› @parrot c", times=2).keys(DOWN)
        terminal.wait(lambda: terminal.screen.count("› @parrot c") == 1, "an empty line")
        terminal.keys("\x1b[<0;5;5M").keys("/exit" + ENTER)
        assert terminal.left() == 0
    assert [one["goal"] for one in runs()] == ["a\nb", "c"]


def test_what_is_typed_before_the_line_stands_there(folder: Path) -> None:
    """Enter that came as a line feed, before the terminal was the chat's, says it all the same."""
    with Terminal("-a", "team.py") as terminal:
        terminal.keys("@parrot early\n").expect("You said: early")
        assert terminal.keys(CTRL_D).left() == 0


def test_a_turn_that_was_stopped_while_it_was_planned(folder: Path) -> None:
    """There are no tasks to show, and no plan; the turn waits to be taken up."""
    with (
        serving(lambda _: "Nothing. " * 50, delay=2.0) as server,
        chat("-a", "team.py", "-m", "tiny", columns=120, OPENAI_BASE_URL=server.url) as terminal,
    ):
        terminal.say("hello").wait(lambda: bool(server.requests), "a request")
        terminal.say("/tasks").expect("there is no plan yet")
        terminal.keys(CTRL_C).expect("stopped, 0 finished tasks of 0 kept")
        terminal.say("/plan").expect("there is no plan yet", times=2)
        assert terminal.keys(CTRL_D).left() == 0
    assert [one["status"] for one in runs()] == ["stopped"]
