"""The chat without a terminal: in a pipe, for one question, as JSON, and taken up again."""

import json
import subprocess
from pathlib import Path

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
    assert refused.stderr.startswith("agentorch: no chat has been kept with the journal ")
    for name in ("a1", "a2"):
        ChatRecord(id=name, title=name, journal="x.db", runs=["r"]).save()
    (folder / "data" / "agentorch" / "chats" / "a0.json").write_text("{", encoding="utf-8")
    assert newest("x.db").id == "a2"
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
