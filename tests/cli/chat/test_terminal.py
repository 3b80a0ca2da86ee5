"""The chat on a real terminal: keys are sent, and the screen and the journal are read."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.chat.model_server import Body, plan_with, serving, text_of
from tests.cli.chat.terminal import CTRL_C, CTRL_D, CTRL_J, ENTER, ESCAPE, Terminal, chat, runs
from tests.cli.test_processes import run

pytestmark = pytest.mark.timeout(180)


def test_a_question_and_the_end(folder: Path) -> None:
    """An answer over a file with its place, the dim line, and Ctrl-D leaves with 0."""
    with chat("-f", "bees.md") as terminal:
        terminal.expect("No model is set")
        terminal.say("How many workers does a hive hold?").expect("40,000 workers").expect("[bees.md:3]")
        (record,) = runs()
        terminal.expect("no model used · ").expect(f"run {str(record['run_id'])[:13]}").expect("1 turn")
        assert terminal.keys(CTRL_D).left() == 0
        terminal.expect("kept: agentorch chat --continue")
        assert record["status"] == "succeeded"
        assert record["tags"]["turn"] == "1"  # pyright: ignore[reportIndexIssue,reportArgumentType,reportCallIssue]


def test_ctrl_c_stops_the_turn_and_resume_goes_on(folder: Path) -> None:
    """What is done is kept and marked; `/resume` takes the same run up, and its finished step is not made again."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@gate hello").expect("gate", times=2)
        terminal.wait((folder / "began").exists, "the gate's beginning")
        terminal.keys(CTRL_C).expect("stopped, 0 finished tasks of 1 kept: /resume goes on")
        assert [record["status"] for record in runs()] == ["stopped"]
        (folder / "go").touch()
        terminal.say("/resume").expect("The gate heard: hello")
        assert terminal.keys(CTRL_D).left() == 0
    (record,) = runs()
    assert record["status"] == "succeeded"
    events = [json.loads(line) for line in run("runs", "export", str(record["run_id"])).stdout.splitlines()]
    assert [event["name"] for event in events if event["type"] == "StepFinished"] == ["first"]


def test_ctrl_c_on_an_empty_line(folder: Path) -> None:
    """It clears what is typed; on an empty line the second one leaves."""
    with chat("-a", "team.py") as terminal:
        terminal.keys("half a thought").expect("half a thought")
        terminal.keys(CTRL_C).wait(lambda: "half a thought" not in terminal.screen, "an empty line")
        terminal.keys(CTRL_C).expect("once more")
        assert terminal.keys(CTRL_C).left() == 0
    assert runs() == []


def test_type_ahead(folder: Path) -> None:
    """What is typed while a run goes on waits for its end; commands that look are obeyed at once."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@gate one").expect("running 0/1")
        terminal.say("@parrot two").expect("waits for its turn: @parrot two")
        terminal.say("/tasks").expect("gate  running")
        assert len(runs()) == 1
        (folder / "go").touch()
        terminal.expect("The gate heard: one").expect("You said: two")
        assert terminal.keys(CTRL_D).left() == 0
    assert [record["goal"] for record in runs()] == ["one", "two"]


def test_questions_and_approvals(folder: Path) -> None:
    """They come up in the chat and are answered there; what is no answer is asked for again."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@asker bees").expect("asked by task 'asker'").expect("How many?")
        terminal.say("many").expect("integer", times=2)  # in the prompt, and in what is wrong
        terminal.say("7").expect("7 times bees")
        terminal.say("@sender honey").expect("to be approved, task 'sender'").expect("[y/N]")
        terminal.say("/why sender").expect("'sender' waits")
        terminal.say("/approve yes").expect("sent honey")
        terminal.say("@sender wax").expect("to be approved, task 'sender'", times=2)
        terminal.say("n").expect("failed")
        assert terminal.keys(CTRL_D).left() == 0
    assert [record["status"] for record in runs()] == ["succeeded", "succeeded", "failed"]


def test_a_plan_is_seen_edited_and_signed(folder: Path) -> None:
    """`/plan GOAL` shows the tasks; `edit` opens the editor, and the edited plan is what is carried out."""
    editor = folder / "editor.py"
    editor.write_text(
        "import sys, pathlib\npath = pathlib.Path(sys.argv[1])\n"
        "path.write_text(path.read_text().replace('question: $goal', 'question: edited'))\n",
        encoding="utf-8",
    )
    with chat("-a", "team.py", EDITOR=f"{sys.executable} {editor}") as terminal:
        terminal.say("/plan @parrot hello").expect("answer: $parrot").expect("[y/N, or edit]")
        assert runs()[0]["status"] == "waiting"
        terminal.say("edit").expect("You said: edited")
        terminal.say("/plan").expect("question: edited")
        terminal.say("/plan @parrot again").expect("[y/N, or edit]")
        terminal.say("n").expect("cancelled")
        assert terminal.keys(CTRL_D).left() == 0


def test_the_plan_is_drawn(folder: Path) -> None:
    """`/plan` draws who gives to whom, and once it is carried out where each task stands."""
    editor = folder / "editor.py"
    tasks = "{parrot: {agent: parrot, inputs: {question: hi}}, again: {agent: parrot, inputs: {question: $parrot}}}"
    editor.write_text(
        f"import sys, pathlib\npathlib.Path(sys.argv[1]).write_text('tasks: {tasks}\\nanswer: $again\\n')\n",
        encoding="utf-8",
    )
    with chat("-a", "team.py", EDITOR=f"{sys.executable} {editor}") as terminal:
        terminal.say("/plan @parrot hello").expect("[y/N, or edit]")
        terminal.say("edit").expect("You said: You said: hi")
        terminal.say("/plan").expect("○    parrot  parrot  succeeded\n╰─●  again   parrot  succeeded\n")
        assert terminal.keys(CTRL_D).left() == 0


def test_an_unknown_command_is_never_said(folder: Path) -> None:
    """It is refused with what was meant; a message that names nobody comes back into the line to be mended."""
    with chat("-a", "team.py") as terminal:
        terminal.say("/agnets").expect("did you mean /agents?")
        terminal.say("@nobody hello").expect("no agent and no file has this name")
        terminal.wait(lambda: terminal.screen.count("@nobody hello") == 2, "the line filled again")
        assert runs() == []


def test_several_lines_and_a_paste(folder: Path) -> None:
    """Alt-Enter and Ctrl-J begin a new line; what is pasted stays whole, and is not said before Enter."""
    with chat("-a", "team.py") as terminal:
        terminal.keys("@parrot a").keys(ESCAPE + ENTER).keys("b").keys(ENTER).expect("You said: a").expect("1 turn ")
        terminal.keys("/undo").keys(ENTER).expect("forgotten").keys(CTRL_C)
        terminal.keys("@parrot a").keys(CTRL_J).keys("b").keys(ENTER).expect("You said: a", times=2)
        terminal.keys("@parrot \x1b[200~x\ry\rz\x1b[201~").expect("z")
        assert len(runs()) == 2
        terminal.keys(ENTER).expect("You said: x")
        assert terminal.keys(CTRL_D).left() == 0
    assert [record["goal"] for record in runs()] == ["a\nb", "a\nb", "x\ny\nz"]


def test_what_agents_write_is_not_obeyed(folder: Path) -> None:
    """Escapes are shown, in the answer as in everything else."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@painter hello").expect("cleared").expect("bold")
        assert b"\x1b[2Jcleared" not in terminal.raw
        assert b"\x1b]0;title" not in terminal.raw
        assert b"\xc2\x9b31m" not in terminal.raw
        terminal.expect("␛[2Jcleared")


@pytest.mark.parametrize("columns", [40, 24])
def test_a_narrow_terminal(folder: Path, columns: int) -> None:
    """Nothing is lost, no line is wider, and the line can be typed."""
    with Terminal("-f", "bees.md", columns=columns) as terminal:
        terminal.expect("no model · 1").say("How many workers?").expect("40,000")
        terminal.wait(lambda: re.search(r"run\s+0", terminal.text) is not None, "the dim line")
        assert all(len(line) <= columns for line in terminal.text.splitlines())
        terminal.say("/help").expect("/exit")
        assert terminal.keys(CTRL_D).left() == 0


def test_without_colour(folder: Path) -> None:
    """NO_COLOR leaves none; the chat is the same."""
    with chat("-f", "bees.md", NO_COLOR="1") as terminal:
        terminal.say("How many workers?").expect("40,000 workers")
        assert terminal.keys(CTRL_D).left() == 0
        assert not re.search(rb"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;)[0-9;]*m", terminal.raw)


def test_stdout_is_a_pipe(folder: Path) -> None:
    """The chat is held on the terminal; answers go where stdout goes."""
    out = folder / "out.txt"
    with chat("-f", "bees.md", stdout=out) as terminal:
        terminal.say("How many workers?").expect("run ")
        assert terminal.keys(CTRL_D).left() == 0
    assert "40,000 workers. [bees.md:3]" in out.read_text(encoding="utf-8")
    assert "\x1b" not in out.read_text(encoding="utf-8")


def test_history_is_kept_and_searched(folder: Path) -> None:
    """The line of an earlier chat comes back by search."""
    with chat("-a", "team.py") as terminal:
        terminal.say("@parrot remember me").expect("You said: remember me")
        assert terminal.keys(CTRL_D).left() == 0
    with chat("-a", "team.py") as terminal:
        terminal.keys("\x12ember").expect("@parrot remember me")
        terminal.keys(ENTER).keys(ENTER).expect("You said: remember me")
        assert terminal.keys(CTRL_D).left() == 0


def test_a_menu_on_a_slash(folder: Path) -> None:
    """Typing / shows the commands; Tab and Enter take one."""
    with chat("-a", "team.py") as terminal:
        terminal.keys("/").expect("/agents").expect("the team")
        terminal.keys("ver").wait(lambda: "/agents" not in terminal.screen, "a shorter menu")
        terminal.keys("\t").expect("/verbose").keys(ENTER).expect("verbose is on")


FACT = "The password of the garden gate is heliotrope."


def remembering(body: Body) -> str:
    """Plan one task for the scribe, with the conversation; the scribe repeats what it sees of the fact."""
    text = text_of(body)
    if "You plan the work" in text:
        shown = {"conversation": "$inputs.conversation"} if "$inputs.conversation" in text else {}
        return plan_with({"id": "say", "agent": "scribe", "objective": "${goal}", "inputs": shown}, answer="$say")
    asked = text.rpartition("Your task:")[2]
    if "password" in asked.split("conversation")[0] and "heliotrope" in text:
        return "It is heliotrope."
    return "I see. " + "Words about nothing in particular. " * 30


def test_a_fact_of_turn_1_in_turn_12(folder: Path) -> None:
    """It is found again with a budget below the transcript; the transcript is not sent."""
    agents = folder / "scribe.md"
    agents.write_text("---\nname: scribe\ndescription: Answers.\n---\nAnswer in a sentence.\n", encoding="utf-8")
    with serving(remembering) as server:
        environment = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-test-of-a-chat"}
        with chat("-a", "scribe.md", "-m", "tiny", **environment) as terminal:
            terminal.say("/context 600").expect("of 600 tokens")
            terminal.say(FACT).expect("1 turn ")
            for number in range(2, 12):
                terminal.say(f"Tell me about topic {number}").expect(f"{number} turns")
            terminal.say("What is the password of the gate?").expect("It is heliotrope.")
            terminal.say("/context").expect("left out")
            terminal.say("/cost").expect("all ")
            assert terminal.keys(CTRL_D).left() == 0
        last = [text_of(body) for body in server.requests][-1]
    assert FACT in last
    assert "topic 5" not in last
    assert len(last) < 6_000


def test_nothing_is_left_above_the_greeting() -> None:
    """The line that is drawn first, on an empty screen, does not stay where what is erased whole is kept."""
    with chat() as terminal:
        terminal.expect("say what you want").expect("no model · ")
        assert terminal.text.split("agentorch chat:")[0].strip() == ""
        assert terminal.text.count("›") == 1
        assert terminal.keys(CTRL_D).left() == 0
        assert "›" not in terminal.text  # nor does the line stay when its chat is left
