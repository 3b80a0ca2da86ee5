"""Secrets are found behind every spelling of a character: in JSON, in JSON in JSON, in a repr, in an address."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from agentorch import Agent, Context, Orchestrator, Plan, agent, tool
from agentorch.core.requests import Request
from agentorch.ports.model import ToolCall
from agentorch.runtime.redaction import Redactor
from agentorch.testing import Reply, ScriptedModel

SECRETS = [
    "sk-proj-abcDEF0123456789abcdef",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_11ABCDEFG0123456789_abcdefghij",
    "xoxb-123456789012-abcdefABCDEF",
    "xapp-1-A0123456789-abcdef",
    "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    "ya29.a0AfH6SMBx0123456789abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "Bearer abcdefghijklmnop0123456789",
]
ESCAPED = "\n\t\r\b\f\v\a\0\"'\\/é\x0b\xa0\u2028\U0001f600 "
REDACTOR = Redactor()


def spellings(text: str) -> dict[str, str]:
    """Return a text as the usual programs write it."""
    in_json = json.dumps(text)
    in_python = repr(f"'\"{text}")
    return {
        "json": f"with {in_json}",
        "characters as they are": f"with {json.dumps(text, ensure_ascii=False)}",
        "slashes escaped": "with " + in_json.replace("/", "\\/"),
        "json in json": f"with {json.dumps(in_json)}",
        "json in json in json": f"with {json.dumps(json.dumps(in_json))}",
        "repr": in_python,
        "ascii": ascii(text),
        "repr of bytes": repr(text.encode()),
        "repr of json": repr(in_json),
        "json of repr": f"with {json.dumps(in_python)}",
        "address": f"https://example.org/?q={quote(text)}",
        "shell": "$'" + "".join(f"\\{ord(c):03o}" if c < " " else c for c in text) + "'",
    }


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", ESCAPED)
def test_a_secret_behind_an_escape_is_taken_out(before: str, secret: str):
    """The letter in which an escape ends is no part of the word behind it."""
    for written in spellings(f"the file says:{before}{secret}\nend").values():
        kept = secret.removeprefix("Bearer ")
        clean = REDACTOR.text(written)
        assert kept not in clean
        assert "[redacted:" in clean


@pytest.mark.parametrize("colour", ["\x1b[32m", "\x1b[m", "\x1b[1;31m"])
def test_a_secret_in_colour_is_taken_out(colour: str):
    """As a program wrote it for a terminal."""
    written = spellings(f"key:{colour}{SECRETS[0]}\x1b[0m")
    del written["address"]
    for one in written.values():
        assert "abcDEF" not in REDACTOR.text(one)


@pytest.mark.parametrize(
    "word", ["task-risk-assessment-of-2024-everything", "desk-0123456789abcdefghij", "Ask-proj-012345"]
)
@pytest.mark.parametrize("before", ["", "\n", "C:\\", "é"])
def test_a_word_behind_an_escape_is_a_word(before: str, word: str):
    """What ends like the beginning of a key is none, whatever is escaped before it."""
    for written in spellings(f"see{before}{word}").values():
        assert REDACTOR.text(written) is written


def test_a_letter_that_was_escaped_is_a_letter():
    """JSON is taken as what it spells, so a word stays one, however it is spelt."""
    text = r'{"a": "\u0041sk-proj-abcDEF0123456789abcdef"}'
    assert REDACTOR.text(text) is text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('with {"a": "{\\"Authorization\\": \\"token 0123abcdef\\"}"}', "token [redacted:authorization]"),
        (
            'with {"a": "{\\"b\\": \\"{\\\\\\"Authorization\\\\\\": \\\\\\"x0123abcdefg',
            ': \\\\\\"[redacted:authorization]',
        ),
        ('at {"db": "postgres:\\/\\/bob:hunter2!@db\\/x"}', "postgres:\\/\\/bob:[redacted:password]@db\\/x"),
        (
            "hooks.slack.com\\/services\\/T0\\/B0\\/abcdefghijklmnop",
            "hooks.slack.com\\/services\\/[redacted:slack-hook]",
        ),
        ('at {"secretAccessKey": "wJalrXUtnFEMI\\/K7MDENG\\/bPxRfiCYEXAMPLEKEY"}', 'Key": "[redacted:aws-secret]"'),
    ],
)
def test_what_holds_a_secret_may_be_escaped(text: str, clean: str):
    """Headers, addresses and settings as JSON in JSON, and by those who escape slashes."""
    assert clean in REDACTOR.text(text)


@pytest.mark.parametrize("value", ['pass"word\\1', "line\nbreak-1", "pässwörd", "o'ha\"ra/x"])
def test_marked_values_are_found_however_often_they_were_escaped(value: str):
    """As JSON in JSON in JSON, with slashes escaped, and in a repr with both marks of quotation."""
    redactor = Redactor({"DB": value})
    for name, written in spellings(f"x\n{value}y").items():
        if name not in {"repr of bytes", "shell"}:
            assert "[redacted:DB]y" in redactor.text(written), name


def test_a_private_key_in_json_in_json_is_taken_out():
    """The breaks of its lines are escaped as often as its quotation marks."""
    key = "-----BEGIN PRIVATE KEY-----\r\nMIIEvQIBADAN/Bgkq\r\n-----END PRIVATE KEY-----"
    for name, written in spellings(f"x {key} y").items():
        if name not in {"address", "shell"}:
            assert "[redacted:private-key] y" in REDACTOR.text(written), name


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


KEY = SECRETS[0]
NOTE = f"the file says:\n{KEY}"
TEXT = "keys:" + "".join(f"\n{secret}\n\t{secret}" for secret in SECRETS)


@tool(approval=True)
async def save_note(text: str) -> str:
    """Save a note."""
    return "saved"


@agent(description="Says very much.")
async def writer() -> str:
    return TEXT + "padding " * 10_000


@agent(description="Shows what it fails with.", attempts=1)
async def shower() -> str:
    raise ValueError(repr(NOTE))


@agent(description="Asks first.", tools=[save_note])
async def saver(context: Context) -> str:
    return await context.tool(save_note, text=NOTE)


def refuse(request: Request) -> bool:
    assert request.kind == "approval"
    assert 'with {"text": "the file says:\\n[redacted:api-key]"}' in request.question
    return False


async def test_no_secret_behind_an_escape_is_on_the_disk(tmp_path: Path) -> None:
    """In large values, in models' texts and arguments, in questions, in words of errors."""
    summary = Agent("summary", description="Sums up.", prompt="Sum up.", output={"summary": "string"})
    noter = Agent("noter", description="Notes.", prompt="Note.", tools=[save_note], output=str)
    plan = Plan("say it all")
    for name in ("writer", "shower", "saver", "summary", "noter"):
        plan.add(name, agent=name)
    model = ScriptedModel().on(Reply(json.dumps({"summary": NOTE})), agent="summary")
    model.on([ToolCall("c1", "save_note", json.dumps({"text": NOTE})), "noted"], agent="noter")
    orchestrator = Orchestrator(
        [writer, shower, saver, summary, noter],
        journal=tmp_path / "runs.db",
        model=model,
        on_request=refuse,
    )
    async with orchestrator:
        outcome = await orchestrator.run(plan)
        written = on_disk(tmp_path)
    for secret in SECRETS:
        assert secret.removeprefix("Bearer ").encode() not in written
    assert outcome.outputs["summary"] == {"summary": "the file says:\n[redacted:api-key]"}
    assert outcome.outputs["writer"].count("[redacted:") == 2 * len(SECRETS)
