"""The chat on a real terminal: keys are sent, and the screen and the journal are read."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.chat.model_server import Body, plan_with, serving, text_of
from tests.cli.chat.terminal import CTRL_C, CTRL_D, CTRL_J, ENTER, Terminal
from tests.cli.test_processes import run

TEAM = '''
"""Agents that need no model."""

import asyncio
from pathlib import Path

from agentorch.agents import agent
from agentorch.context import Context


@agent(description="Repeats what it is told.")
async def parrot(question: str) -> str:
    return f"You said: {question}"


@agent(description="Waits for a file before it repeats.")
async def gate(question: str, context: Context) -> str:
    await context.step("first", lambda: "kept")
    Path("began").touch()
    while not Path("go").exists():
        await asyncio.sleep(0.02)
    return f"The gate heard: {question}"


@agent(description="Asks for a number first.")
async def asker(question: str, context: Context) -> str:
    number = await context.ask("How many?", int)
    return f"{number} times {question}"


@agent(description="Acts only when it may.", approval="before")
async def sender(question: str) -> str:
    return f"sent {question}"


@agent(description="Writes what a terminal would obey.")
async def painter(question: str) -> str:
    return "\\x1b[2Jcleared \\x1b]0;title\\x07 **bold** \\x9b31m"
'''

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def folder(home: Path) -> Path:
    """A folder with a team that needs no model, and a file to read."""
    (home / "team.py").write_text(TEAM, encoding="utf-8")
    (home / "bees.md").write_text("# Bees\n\nA hive holds one queen and 40,000 workers.\n", encoding="utf-8")
    return home


def chat(*arguments: str, **how: object) -> Terminal:
    return Terminal(*arguments, **how).expect("/help")  # pyright: ignore[reportArgumentType]


def runs(*arguments: str) -> list[dict[str, object]]:
    """Return the runs of the journal, oldest first."""
    said = run("runs", "ls", "--json", *arguments)
    return [json.loads(line) for line in said.stdout.splitlines()][::-1]


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
        terminal.say("many").expect("integer")
        terminal.say("7").expect("7 times bees")
        terminal.say("@sender honey").expect("to be approved, task 'sender'").expect("[y/N]")
        terminal.say("/why sender").expect("waits")
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


def test_an_unknown_command_is_never_said(folder: Path) -> None:
    """It is refused with what was meant, and comes back into the line to be mended."""
    with chat("-a", "team.py") as terminal:
        terminal.say("/agnets").expect("did you mean /agents?")
        terminal.wait(lambda: terminal.screen.count("/agnets") == 3, "the line filled again")
        terminal.keys(CTRL_C)
        terminal.say("@nobody hello").expect("no agent and no file has this name")
        assert runs() == []


def test_several_lines_and_a_paste(folder: Path) -> None:
    """Ctrl-J begins a new line; what is pasted stays whole, and is not said before Enter."""
    with chat("-a", "team.py") as terminal:
        terminal.keys("@parrot a").keys(CTRL_J).keys("b").keys(ENTER).expect("You said: a")
        terminal.keys("@parrot \x1b[200~x\ry\rz\x1b[201~").expect("z")
        assert len(runs()) == 1
        terminal.keys(ENTER).expect("You said: x")
        assert terminal.keys(CTRL_D).left() == 0
    assert [record["goal"] for record in runs()] == ["a\nb", "x\ny\nz"]


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
        terminal.say("/why").expect("read").say("/verbose").expect("verbose is on")
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
            terminal.expect(f"A model server is at {server.url} (tiny): /model NAME uses it.")
            terminal.say("@parrot hello").expect("You said: hello")
            assert server.requests == []
            terminal.say("/model tiny").expect("asked there")
            terminal.say("hello").wait(lambda: bool(server.requests), "a request")
        assert server.requests
        assert not any("not-for-this-machine" in key for key in server.keys)
