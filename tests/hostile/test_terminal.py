"""What a terminal would obey is shown instead, by every command; what is written as JSON stays JSON."""

import json
import os
import pty
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent
from agentorch.cli.words import harmless, json_text, one_line
from agentorch.errors import PermanentError
from tests.hostile.wire import command

TITLE = "\x1b]0;pwned\x07"
CLEAR = "\x1b[2J\x1b[H"
DEVICE = "\x1bP1;1|pwned\x1b\\"
C1 = "\x9b31m\x9d0;pwned\x9c"
BIDI = "invoice\u202egnp.exe\u2066\u200f"
UNSEEN = "pay\u200bpal\ufeff\U000e0041\u00ad"
FORGED = "\r\nagentorch: all is well\x85agentorch: really\u2028agentorch: yes\x0b\x0c"
HALF = "\ud800 \udcff"
EVIL = f"# evil {TITLE}{CLEAR}{DEVICE}{C1}{BIDI}{UNSEEN}{FORGED}{HALF}\x00\x7f\x08"
OBEYED = {
    *map(chr, range(32)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u2028\u2029\u200b\u200f\u202e\u2066\ufeff\U000e0041\u00ad",
}


@agent(description=f"Paints. {EVIL}")
async def painter(topic: str, context: Context) -> dict[str, Any]:
    context.report(EVIL)
    return {EVIL: [EVIL, topic], "sources": [EVIL], "number": float("nan")}


@agent(description="Writes.")
async def writer(paint: dict[str, Any]) -> str:
    return EVIL


@agent(description="Breaks.", attempts=1)
async def breaker() -> str:
    raise PermanentError(EVIL)


@agent(description="Asks.")
async def asker(context: Context) -> str:
    return await context.ask(EVIL)


async def kept(journal: Path, *agents: Any, **tasks: dict[str, Any]) -> str:
    """Carry out a plan of these tasks with a hostile goal; return the run's id."""
    plan = Plan(EVIL)
    for name, inputs in tasks.items():
        plan.add(name, agent=name, inputs=inputs)
    async with Orchestrator(agents, journal=journal, policy=Policy(replans=0), on_request=None) as orchestrator:
        return (await orchestrator.run(plan, inputs={"evil": EVIL}, tags={"tag": "x"})).run_id


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """A folder with three runs in its journal: one that has paint all over it, one that failed, one that asks."""
    journal = tmp_path / "runs.db"
    await kept(
        journal, painter, writer, breaker, painter={"topic": "$inputs.evil"}, writer={"paint": "$painter"}, breaker={}
    )
    await kept(journal, breaker, breaker={})
    await kept(journal, asker, asker={})
    return tmp_path


def test_every_look_at_a_hostile_run_is_harmless(home: Path) -> None:
    """`runs ls|show|watch|export` and `why`: no control, bidi or unseen character leaves, and no line is forged."""
    _, listed, _ = command(str(home), "runs", "ls", "--json")
    ids = [json.loads(line)["run_id"] for line in listed.splitlines()]
    assert len(ids) == 3
    looks = [["runs", "ls"], *(["runs", "show", id] for id in ids), *(["runs", "watch", id] for id in ids[1:])]
    looks += [["why", id, name] for id, name in zip(ids, ("asker", "breaker", "writer"), strict=True)]
    for look in looks:
        code, out, err = command(str(home), *look)
        assert code == 0, err
        assert not (set(out + err) & OBEYED - {"\n"}), look
        lines = err if "show" in look else out + err  # an answer has lines of its own, on stdout
        assert not any(line.startswith("agentorch: ") for line in lines.splitlines()), look
        assert not any("\ud800" <= letter <= "\udfff" for letter in out + err)


def test_what_is_written_as_json_is_json_and_the_same_value(home: Path) -> None:
    """`--json` and `export`: each line is read by a strict parser, holds the hostile text, and moves no cursor."""
    oldest = json.loads(command(str(home), "runs", "ls", "--json")[1].splitlines()[-1])["run_id"]
    for look in ("runs show {} --json", "why {} writer --json", "runs watch {} --json", "runs export {}"):
        code, out, err = command(str(home), *look.format(oldest).split())
        assert code == 0, err
        assert not set(out) & OBEYED - {"\n"}, look
        texts = [out] if out.startswith(("[", "{\n")) else out.splitlines()
        values = [json.loads(text, parse_constant=_none) for text in texts]
        assert _holds(values, EVIL if len(texts) > 1 else None), look


def _none(word: str) -> Any:
    raise AssertionError(f"{word} is no JSON")


def _holds(value: Any, text: str | None) -> bool:
    if isinstance(value, dict):
        return text is None or text in value or any(_holds(item, text) for item in value.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return any(_holds(item, text) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return value == text


PLAN = (
    "tasks:\n- {id: a, agent: painter, inputs: {topic: x}}\n- {id: b, agent: writer, inputs: {paint: $a}}\nanswer: $b\n"
)
TEAM = f"""
from agentorch import Context, agent

EVIL = {EVIL!r}


@agent(description=EVIL)
async def painter(topic: str, context: Context) -> dict[str, str]:
    context.report(EVIL)
    return {{EVIL: EVIL}}


@agent(description="Writes.")
async def writer(paint: dict[str, str]) -> str:
    return EVIL
"""


@pytest.mark.parametrize(
    "arguments", [["run", "--plan", "plan.yaml"], ["agents"], ["agents", "show", "painter"], ["plan", "x"]]
)
def test_a_terminal_sees_no_sequence_of_theirs(tmp_path: Path, arguments: list[str]) -> None:
    """On a real terminal, with the living table and Markdown: what is drawn is ours, what they wrote is shown."""
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "team.py").write_text(TEAM, encoding="utf-8")
    seen = drawn(tmp_path, *arguments, "-a", "team.py")
    for sequence in (b"\x1b]0;", b"\x1b[2J", b"\x1bP", b"\x07", b"\x08", b"\x00", b"\x7f", b"\xc2\x9b", b"\xc2\x9d"):
        assert sequence not in seen, (sequence, seen)
    for letter in "\u202e\u2066\u200b\u2028":
        assert letter.encode() not in seen, seen
    assert b"evil" in seen or arguments[0] == "plan"


def test_a_terminal_sees_an_exported_journal_with_escapes(home: Path) -> None:
    """Each line is JSON with the same values as in a file; nothing in it is obeyed."""
    code, _, err = command(str(home), "journal", "export", "--to", "there.jsonl")
    assert code == 0, err
    written = (home / "there.jsonl").read_text("utf-8")
    seen = drawn(home, "journal", "export").decode().replace("\r\n", "\n")
    lines = [line for line in seen.splitlines() if line.startswith("{")]

    assert set(written) & OBEYED - {"\n"}
    assert not set("".join(lines)) & OBEYED
    assert [json.loads(line) for line in lines] == [json.loads(line) for line in written.split("\n")[:-1]]


def drawn(folder: Path, *arguments: str) -> bytes:
    """Run a command on a terminal of its own; return every byte that the terminal was sent."""
    child, terminal = pty.fork()
    if not child:
        os.chdir(folder)
        settings = {"AGENTORCH_JOURNAL": "runs.db", "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2])}
        os.execve(sys.executable, [sys.executable, "-m", "agentorch", *arguments], os.environ | settings)
    seen = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    os.waitpid(child, 0)
    os.close(terminal)
    return seen


@pytest.mark.parametrize("show", [harmless, one_line])
def test_no_character_that_acts_is_left(show: Callable[[str], str]) -> None:
    """Of all characters: controls, halves, bidi marks and unseen ones are shown, replaced or left out."""
    left = set(show("".join(map(chr, range(0x110000)))))
    assert left & OBEYED <= {"\n", "\t"}
    assert not [letter for letter in left if "\ud800" <= letter <= "\udfff"]
    assert one_line("a\x85b\u2028c\nd\x0be") == "a b c d e"


def test_json_says_the_same_with_escapes() -> None:
    """Every character comes back from the JSON that is written; nothing in it is obeyed."""
    text = "".join(chr(code) for code in [*range(0x3000), *range(0xD7F0, 0xE010), 0xFEFF, 0x1F600, 0xE0041])
    said = json_text({"text": text, "nan": float("nan"), "deep": _nest(600)}, indent=2)
    back = json.loads(said, parse_constant=_none)["text"]
    assert back.encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")
    assert not set(said) & OBEYED - {"\n"}


def _nest(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_words_on_stderr_are_one_line(home: Path) -> None:
    """Names that break lines, in plan files and arguments, break none of ours."""
    name = "a\\nagentorch: forged"
    (home / "bad.yaml").write_text(f'tasks: [{{id: "{name}", agent: "{name}", needs: ["{name}"]}}]\n', encoding="utf-8")
    for arguments in (
        ["plan", "--file", "bad.yaml"],
        ["agents", "show", "x\nagentorch: forged"],
        ["runs", "show", "\x1b[2J\nagentorch: y"],
    ):
        code, out, err = command(str(home), *arguments)
        assert code == 2
        assert all(line.startswith("agentorch: ") for line in err.splitlines()), err
        assert "\nagentorch: forged" not in out + err
        assert not set(out + err) & OBEYED - {"\n"}
