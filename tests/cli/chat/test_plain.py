"""The chat without a terminal: in a pipe, for one question, as JSON, and taken up again."""

import json
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from agentorch.cli.chat.record import ChatRecord, named, newest
from agentorch.errors import ConfigurationError
from tests.cli.chat.model_server import serving
from tests.cli.test_processes import RUN, WAIT

pytestmark = pytest.mark.timeout(120)
PARROT = '''
"""An agent that needs no model."""

from agentorch.agents import agent


@agent(description="Repeats what it is told, and how much it was told before.")
async def parrot(question: str, conversation: str = "") -> str:
    return f"You said: {question} ({conversation.count('They said')} before)"
'''


@pytest.fixture
def folder(home: Path) -> Path:
    """A folder with a team, and a file to read."""
    (home / "team.py").write_text(PARROT, encoding="utf-8")
    (home / "bees.md").write_text("# Bees\n\nA hive holds one queen and 40,000 workers.\n", encoding="utf-8")
    return home


def chat(*arguments: str, said: str = "") -> "subprocess.CompletedProcess[str]":
    command = [*RUN, "chat", *arguments]
    return subprocess.run(command, input=said, capture_output=True, text=True, check=False, timeout=WAIT)


def test_one_question(folder: Path) -> None:
    """-p prints the answer alone on stdout; stdin can be the question."""
    said = chat("-p", "How many workers does a hive hold?", "-f", "bees.md", "--no-progress")
    assert (said.returncode, said.stdout.splitlines()[0]) == (
        0,
        "A hive holds one queen and 40,000 workers. [bees.md:3]",
    )
    assert said.stderr.startswith("no model used · ")
    said = chat("-", "-a", "team.py", "--no-progress", said="first\nsecond\n")
    assert said.stdout == "You said: first\nsecond (0 before)\n"
    assert chat("-", "-a", "team.py").returncode == 2
    both = chat("hello", "-p", "hello")
    assert (both.returncode, both.stdout) == (2, "")


def test_lines_in_a_pipe(folder: Path) -> None:
    """Each line is a turn or a command, in order; the exit code is the last turn's."""
    said = chat("-a", "team.py", "--no-progress", said="one\n/nonsense\ntwo\n/undo\nthree")
    assert said.stdout == "You said: one (0 before)\nYou said: two (1 before)\nYou said: three (1 before)\n"
    assert "no command /nonsense" in said.stderr
    assert said.returncode == 0
    assert chat("-a", "team.py", said="").returncode == 2


def test_json_lines(folder: Path) -> None:
    """--json gives every event and each outcome as a line of its own."""
    said = chat("-a", "team.py", "--json", said="one\ntwo\n")
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    outcomes = [line for line in lines if line["type"] == "Outcome"]
    assert [one["answer"] for one in outcomes] == ["You said: one (0 before)", "You said: two (1 before)"]
    assert {line["type"] for line in lines} >= {"RunStarted", "TaskSucceeded", "RunFinished"}


def test_a_chat_is_taken_up_again(folder: Path) -> None:
    """--continue takes up the newest, --resume one by its id, also when its record is lost."""
    assert chat("-p", "one", "-a", "team.py").returncode == 0
    again = chat("--continue", "-p", "two", "--no-progress")
    assert again.stdout == "You said: two (1 before)\n"
    (kept,) = (folder / "data" / "agentorch" / "chats").glob("*.json")
    record = ChatRecord.model_validate_json(kept.read_text(encoding="utf-8"))
    assert (record.title, len(record.runs), kept.stat().st_mode & 0o777) == ("one", 2, 0o600)
    third = chat("--resume", record.id[:20], "-p", "three", "--no-progress")
    assert third.stdout == "You said: three (2 before)\n"
    kept.unlink()
    fourth = chat("--resume", record.id, "-p", "four", "-a", "team.py", "--no-progress")
    assert fourth.stdout == "You said: four (3 before)\n"


def test_chats_that_are_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused in one line; a damaged record hides no other."""
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    assert chat("--resume", "nothing").returncode == 2
    refused = chat("--continue")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("agentorch: no chat of this folder has been kept with the journal ")
    for name in ("a1", "a2"):
        ChatRecord(id=name, title=name, folder="f", journal="x.db", runs=["r"]).save()
    (folder / "data" / "agentorch" / "chats" / "a0.json").write_text("{", encoding="utf-8")
    assert newest("x.db", "f").id == "a2"
    found = named("a1")
    assert found is not None
    assert found.id == "a1"
    assert named("b") is None
    with pytest.raises(ConfigurationError, match="2 chats are named by 'a'"):
        named("a")
    ChatRecord(id="gone").save()
    assert named("gone") is None


def test_what_a_turn_and_the_chat_cost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens, those of the cache too, and money: of the turn, and of all turns."""
    (folder / "scribe.md").write_text("---\nname: scribe\ndescription: Answers.\n---\nAnswer.\n", encoding="utf-8")
    monkeypatch.setenv("AGENTORCH_PRICES", '{"tiny": {"input": 1000, "output": 2000}}')
    with serving(lambda _: "Four words of answer.") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        said = chat("-a", "scribe.md", "-m", "tiny", "--no-progress", said="@scribe one\n@scribe two\n/cost\n")
    assert said.stdout == "Four words of answer.\nFour words of answer.\n"
    first, second, *table = said.stderr.splitlines()
    assert first.startswith("100 in (40 cached) + 4 out tokens · $0.1080 · ")
    assert second.startswith("100 in (40 cached) + 4 out tokens · $0.1080 (the chat $0.2160) · ")
    assert table[-1].split()[:1] + table[-1].split()[-1:] == ["all", "$0.2160"]


def test_a_budget_holds_for_each_turn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that would pass it fails in words, and the next one has its own."""
    (folder / "scribe.md").write_text("---\nname: scribe\ndescription: Answers.\n---\nAnswer.\n", encoding="utf-8")
    with serving(lambda _: "Done.") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        said = chat(
            "-a", "scribe.md", "-m", "tiny", "--no-progress",
            said="/budget calls=0\n@scribe one\n/budget calls=1\n@scribe two\n@scribe three\n",
        )  # fmt: skip
    assert said.stdout == "Done.\nDone.\n"
    assert len(server.requests) == 2
    assert "budget" in said.stderr


def test_nothing_that_is_typed_ends_a_chat(folder: Path) -> None:
    """What cannot be meant is refused in one line, and the chat goes on; what goes wrong elsewhere is said."""
    long = "x" * 5_000
    said = chat(
        "-a", "team.py", "--no-progress",
        said=f"/context {'9' * 5_000}\n/files {long}\n/plan @{long}\n/fork {'9' * 5_000}\n/budget money=inf\none\n",
    )  # fmt: skip
    assert said.stdout == "You said: one (0 before)\n"
    assert said.returncode == 0
    assert "bug" not in said.stderr
    (folder / "data" / "agentorch").mkdir(parents=True, exist_ok=True)
    for kept in (folder / "data" / "agentorch" / "chats").glob("*"):
        kept.unlink()
    (folder / "data" / "agentorch" / "chats").rmdir()
    (folder / "data" / "agentorch" / "chats").touch()
    said = chat("-a", "team.py", "--no-progress", said="two\n")
    assert said.stdout == "You said: two (0 before)\n"
    assert said.stderr.startswith("warning: the chat cannot be kept: ")


def test_what_a_pipe_says_is_taken_as_it_is(folder: Path) -> None:
    """Stdin is no command and mentions nobody; a question may stand beside it. -p is read as a line is."""
    said = chat("-", "-a", "team.py", "--no-progress", said="/help @parrot\n@dataclass")
    assert said.stdout == "You said: /help @parrot\n@dataclass (0 before)\n"
    said = chat("-", "-p", "Sum up:", "-a", "team.py", "--no-progress", said="a log")
    assert said.stdout == "You said: Sum up:\n\na log (0 before)\n"
    assert chat("-p", "@parrot hi", "-a", "team.py", "--no-progress").stdout == "You said: hi (0 before)\n"
    assert chat("-p", "/agents", "-a", "team.py").returncode == 0
    assert chat("-p", "/nothing", "-a", "team.py").returncode == 2


def test_each_folder_has_its_own_chats(folder: Path) -> None:
    """--continue takes up the newest of this folder; one that is taken up by its id reads the files it had."""
    (folder / "two").mkdir()
    assert chat("-p", "How many workers?", "-f", "bees.md", "--no-progress").returncode == 0
    (kept,) = (folder / "data" / "agentorch" / "chats").glob("*.json")
    command = [*RUN, "chat", "-p", "How many workers?", "--no-progress"]
    for arguments, code in ((["--continue"], 2), (["--resume", kept.stem], 0)):
        said = subprocess.run(
            [*command, *arguments], cwd=folder / "two", capture_output=True, text=True, check=False, timeout=WAIT
        )
        assert said.returncode == code
        assert ("40,000" in said.stdout) == (code == 0)


def test_what_is_spent_stays_spent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that is forgotten or asked again is on the bill, in a later chat too; a retry that fails loses nothing."""
    (folder / "scribe.md").write_text("---\nname: scribe\ndescription: Answers.\n---\nAnswer.\n", encoding="utf-8")
    monkeypatch.setenv("AGENTORCH_PRICES", '{"tiny": {"input": 1000, "output": 2000}}')
    with serving(lambda _: "Four words of answer.") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        said = chat("-a", "scribe.md", "-m", "tiny", "--no-progress", said="@scribe one\n/retry\n/model none\n/retry\n")
        assert "(the chat $0.2160)" in said.stderr
        assert "@scribe needs a model" in said.stderr
        later = chat("--continue", "--no-progress", said="/cost\n")
    assert [line.split()[0] for line in later.stderr.splitlines()] == ["turn", "1", "forgotten", "all"]
    assert later.stderr.splitlines()[-1].split()[-1] == "$0.2160"


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n\r\n[1]", b""])
def test_what_is_no_model_server_is_none(folder: Path, answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else listens at a usual port is passed over."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("AGENTORCH_LOCAL_PORTS", str(listening.getsockname()[1]))

        def speak() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        connection.sendall(answer)

        Thread(target=speak, daemon=True).start()
        said = chat("-a", "team.py", "--no-progress", said="/model\n")
    assert (said.returncode, said.stderr) == (0, "model: none; answers are extracted from your files\n")


def test_a_model_of_this_machine_is_named_where_the_chat_is_begun(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by `/model`; the chat keeps it, and what is not there is refused with what is."""
    with serving(lambda _: "No plan.") as server:
        monkeypatch.setenv("AGENTORCH_LOCAL_PORTS", str(server.server_port))
        chat("-p", "Who is there?", "-a", "team.py", "--model", "local:tiny")
        asked = len(server.requests)
        chat("-p", "Who else?", "--continue")
        refused = chat("-p", "Who?", "--model", "local:big")
        assert 0 < asked < len(server.requests)
    assert refused.returncode == 2
    assert refused.stderr.strip().endswith(f"model local:big: a model server is at {server.url}: /model local:tiny")


@pytest.mark.parametrize("question", ["", " \n"])
def test_no_question_is_refused(folder: Path, question: str) -> None:
    """An empty one is most often a variable that is not set: that is said."""
    said = chat("-p", question)
    assert (said.returncode, said.stdout) == (2, "")
    assert "-p says nothing: give it a message" in said.stderr
