"""Turns of a chat on a real terminal: repeated, forgotten, shared, stopped, killed, kept; and what holds for them."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.chat.model_server import serving
from tests.cli.chat.terminal import CTRL_C, CTRL_D, ENTER, chat, runs
from tests.cli.test_processes import run

pytestmark = pytest.mark.timeout(180)


def test_turns_are_repeated_forgotten_and_shared(folder: Path) -> None:
    """/retry, /undo, /fork, /clear: on the screen, in the journal, and in what a later chat takes up."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@parrot one").expect("You said: one").expect("1 turn ")
        terminal.say("@parrot two").expect("You said: two").expect("2 turns")
        terminal.say("/retry").expect("again: two").expect("You said: two", times=2).expect("2 turns")
        terminal.say("/undo").expect("forgotten: two (1 turn left)").expect("1 turn ")
        terminal.wait(lambda: terminal.screen.count("› @parrot two") == 2, "what was said back in the line")
        terminal.keys(CTRL_C)
        terminal.say("/fork").expect("a new chat, ").expect("with 1 turn of")
        terminal.say("@parrot three").expect("You said: three").expect("2 turns")
        terminal.say("/clear").expect("the last one: agentorch chat --resume").expect("0 turns")
        terminal.say("/resume").expect("there is no turn to resume")
        terminal.say("/tasks").expect("no turn was taken here yet")
        assert re.search(r"a new chat, [0-9a-f-]{13}, with 1 turn of [0-9a-f-]{13}\n", terminal.text)
        assert re.search(r"the last one: agentorch chat --resume [0-9a-f-]{13}\n", terminal.text)
        assert terminal.keys(CTRL_D).left() == 0
    assert [record["goal"] for record in runs()] == ["one", "two", "two", "three"]
    with chat("--continue", "-a", "team.py") as terminal:
        terminal.expect("one (fork): 2 turns so far").expect("last: three")
        terminal.say("@parrot four").expect("You said: four").expect("3 turns")
        assert terminal.keys(CTRL_D).left() == 0


def test_what_holds_for_the_next_turns(folder: Path) -> None:
    """/model, /files, /budget, /agents, /verbose, /approve: said, set, refused in one line."""
    with chat("-a", "team.py") as terminal:
        terminal.say("/model").expect("model: none")
        terminal.say("/files").expect("no files: /files PATH")
        terminal.say("/files nowhere.md").expect("nowhere.md: no such file or folder")
        terminal.say("/files bees.md").expect("attached: bees.md").expect("1 attached path")
        terminal.say("/files -bees.md").expect("0 attached paths")
        terminal.say("@parrot read @bees.md").expect("You said: read").expect("1 attached path")
        terminal.say("/budget").expect("budget: no limit")
        terminal.say("/budget money=0.5 calls=3").expect("budget of each turn: money=0.5 calls=3")
        terminal.say("/budget money=much").expect("is no limit")
        terminal.say("/agents").expect("@gate").expect("Waits for a file")
        terminal.say("/approve yes").expect("nothing waits for you")
        terminal.say("/why").expect("'parrot' succeeded").say("/verbose").expect("verbose is on")
        terminal.say("@parrot loud").expect("parrot: started").expect("You said: loud")
        terminal.say("/exit")
        assert terminal.left() == 0
    limits = [json.loads(line) for line in run("runs", "export", str(runs()[-1]["run_id"])).stdout.splitlines()]
    assert limits[0]["budget"]["max_calls"] == 3


def test_answers_and_chats_are_written(folder: Path) -> None:
    """/save and /export write files, and no file over another; /editor says what was written in the editor."""
    editor = folder / "editor.py"
    editor.write_text("import sys, pathlib\npathlib.Path(sys.argv[1]).write_text('@parrot by hand')", encoding="utf-8")
    with chat("-a", "team.py", EDITOR=f"{sys.executable} {editor}") as terminal:
        terminal.say("/save answer.txt").expect("there is no answer yet")
        terminal.say("/editor").expect("You said: by hand")
        terminal.say("/save answer.txt").expect("written: answer.txt")
        terminal.say("/save answer.txt").expect("answer.txt is there already: give another name")
        terminal.say("/export talk.md").expect("written: talk.md")
        terminal.say("/export talk.json").expect("written: talk.json")
        assert terminal.keys(CTRL_D).left() == 0
    assert (folder / "answer.txt").read_text(encoding="utf-8") == "You said: by hand\n"
    assert "> @parrot by hand" in (folder / "talk.md").read_text(encoding="utf-8")
    (turn,) = json.loads((folder / "talk.json").read_text(encoding="utf-8"))["turns"]
    assert (turn["message"], turn["agent"], turn["answer"]) == ("by hand", "parrot", "You said: by hand")


def test_a_waiting_turn_is_taken_up_in_another_chat(folder: Path) -> None:
    """A chat that is left while a turn waits is gone on with later; its approval is asked again, and answered."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@sender honey").expect("to be approved, task 'sender'")
        assert terminal.keys(CTRL_D).left() == 0
    with chat("--continue", "-a", "team.py") as terminal:
        terminal.expect("1 turn so far")
        terminal.say("/approve yes").expect("sent honey").expect("1 turn ")
        assert terminal.keys(CTRL_D).left() == 0
    (record,) = runs()
    assert record["status"] == "succeeded"


def test_a_server_on_this_machine_is_offered_and_gets_no_key(folder: Path) -> None:
    """It is used only when it is chosen; the key of the environment is not sent there."""
    with serving(lambda _: "Nothing.") as server:
        environment = {"AGENTORCH_LOCAL_PORTS": str(server.server_port), "OPENAI_API_KEY": "sk-not-for-this-machine"}
        with chat("-a", "team.py", **environment) as terminal:
            terminal.expect(f"A model server is at {server.url}: /model local:tiny")
            terminal.say("@parrot hello").expect("You said: hello")
            assert server.requests == []
            terminal.say("/model tiny").expect("model: tiny, at api.openai.com")
            terminal.say("/model local:tiny").expect(f"model: tiny, at {server.url}")
            terminal.say("/model local:typo").expect("/model local:typo: a model server is at")
            terminal.say("hello").wait(lambda: bool(server.requests), "a request")
        assert server.requests
        assert not any("not-for-this-machine" in key for key in server.keys)


def test_a_half_typed_line_is_no_answer(folder: Path) -> None:
    """What is being typed when something is asked is set aside, and comes back when that is answered."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@late bees").expect("running 0/1")
        terminal.keys("summarise the logs").expect("› summarise the logs")
        (folder / "ask").touch()
        terminal.expect("How many?").expect("[integer]")
        terminal.wait(lambda: "summarise" not in terminal.screen, "the line set aside")
        terminal.keys("7" + ENTER).expect("7 times bees").expect("› summarise the logs")


def test_a_turn_that_was_killed_is_taken_up(folder: Path) -> None:
    """After SIGKILL the chat knows its turn: `/resume` takes the same run up."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@gate hello").expect("running 0/1")
        terminal.wait((folder / "began").exists, "the gate's beginning")
        terminal.kill()
    with chat("--continue", "-a", "team.py") as terminal:
        terminal.expect("1 turn so far")
        (folder / "go").touch()
        terminal.say("/resume").expect("The gate heard: hello")
        assert terminal.keys(CTRL_D).left() == 0
    (record,) = runs()
    assert record["status"] == "succeeded"


def test_what_was_written_is_kept_when_a_turn_is_stopped(folder: Path) -> None:
    """The part of an answer that was seen stays, marked, and can be saved."""
    (folder / "scribe.md").write_text("---\nname: scribe\ndescription: Answers.\n---\nAnswer.\n", encoding="utf-8")
    words = "These words come one after the other. " * 60
    with (
        serving(lambda _: words, delay=0.05) as server,
        chat("-a", "scribe.md", "-m", "tiny", OPENAI_BASE_URL=server.url) as terminal,
    ):
        terminal.say("@scribe go").expect("one after the other. These words come")
        terminal.keys(CTRL_C).expect("stopped, 0 finished tasks of 1 kept").expect("~")
        terminal.say("/save part.txt").expect("written: part.txt")
        assert terminal.keys(CTRL_D).left() == 0
    assert (folder / "part.txt").read_text(encoding="utf-8").startswith("These words come one after the other.")


def test_two_chats_do_not_write_over_each_other(folder: Path) -> None:
    """The second to go on with a chat does so as a new one, and says it; no turn is lost."""
    with chat("-a", "team.py") as first:
        first.say("@parrot one").expect("You said: one").expect("1 turn ")
        with chat("--continue", "-a", "team.py") as second:
            second.say("@parrot two").expect("You said: two").expect("2 turns")
            assert second.keys(CTRL_D).left() == 0
        first.say("@parrot three").expect("goes on as a new one").expect("You said: three")
        assert first.keys(CTRL_D).left() == 0
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "data/agentorch/chats").glob("*.json")]
    assert sorted(len(record["runs"]) for record in kept) == [2, 2]


def test_secrets_are_not_kept_beside_the_journal(folder: Path) -> None:
    """Neither the history nor the title of a chat holds the environment's key; both are for their owner alone."""
    key = "sk-a-key-that-was-typed"
    with chat("-a", "team.py", OPENAI_API_KEY=key) as terminal:
        terminal.say(f"@parrot {key}").expect("You said: ").expect("1 turn ")
        assert terminal.keys(CTRL_D).left() == 0
    written = [path for path in (folder / "data" / "agentorch").rglob("*") if path.is_file()]
    assert len(written) >= 2
    assert not any(key.encode() in path.read_bytes() for path in written)
    assert (folder / "data/agentorch/chat_history").stat().st_mode & 0o777 == 0o600


def test_steps_of_an_agent_are_no_tool_calls(folder: Path) -> None:
    """What an agent journals by itself is counted as what it is."""
    (folder / "go").touch()
    with chat("-a", "team.py") as terminal:
        terminal.say("@gate words").expect("The gate heard: words").expect("1 step: first ×1")
        assert "tool call" not in terminal.text
        assert terminal.keys(CTRL_D).left() == 0


def test_tool_calls_are_folded(folder: Path) -> None:
    """They are one line, and told one by one when everything is."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@reader words").expect("A B words").expect("2 tool calls: look ×2")
        assert "called look" not in terminal.text
        terminal.say("/verbose").expect("verbose is on")
        terminal.say("@reader again").expect("A B again").expect("reader: called look", times=2)
        assert terminal.keys(CTRL_D).left() == 0
