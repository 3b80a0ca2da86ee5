"""A text that is JSON loses what the value that it spells would lose, and is JSON afterwards."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch import Agent, Orchestrator, Plan, agent
from agentorch.runtime.json_texts import json_spots
from agentorch.runtime.redaction import Redactor
from agentorch.testing import ScriptedModel

PIN = "12345"
KEY = "sk-proj-abcDEF9876543210abcdef"
REDACTOR = Redactor({"PIN": PIN})
PARTS = (PIN, KEY, "AKIAIOSFODNN7EXAMPLE", "Bearer abcdef9876543210", "https://bob:hunter2@db", "token 9876abcdef")
NAMES = ("Authorization", "secretAccessKey", "a1/+" * 10)
BETWEEN = ("\n", "\t", "é", "\\", '"', "{", "[", "```", "</think>", "%0A", "n", "\ud800")
PIECES = st.sampled_from([*PARTS, *NAMES, *BETWEEN])
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=4).map("".join)
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.integers() | st.floats(allow_nan=False) | st.sampled_from([12345, 1234567, None, True]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4) | inner.map(json.dumps),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_json_loses_what_its_value_would_lose(value: Any, ascii_only: bool):
    """A large value is redacted as a small one is, numbers and structure left as they are; and twice is once."""
    text = json.dumps([value], ensure_ascii=ascii_only)
    clean = REDACTOR.text(text)
    assert json.loads(clean) == REDACTOR.value([value])
    assert REDACTOR.text(clean) is clean
    if "\ud800" not in text:
        assert json.loads(REDACTOR.data(text.encode())) == REDACTOR.value([value])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"count": 1234567, "pin": 12345}', '{"count": 1234567, "pin": 12345}'),
        ('{"count": 1234567, "pin": "12345"}', '{"count": 1234567, "pin": "[redacted:PIN]"}'),
        ('{ "a" :1.0e3,\n"12345":["x12345y" ] }', '{ "a" :1.0e3,\n"[redacted:PIN]":["x[redacted:PIN]y" ] }'),
        ('"12345"', '"[redacted:PIN]"'),
        ('["{\\"a\\": 12345}", "{\\"a\\": \\"12345\\"}"]', '["{\\"a\\": 12345}", "{\\"a\\": \\"[redacted:PIN]\\"}"]'),
        ('["\\u00e9 12345", "é12345", "\\u00e9"]', '["\\u00e9 [redacted:PIN]", "é[redacted:PIN]", "\\u00e9"]'),
        ('["é\\ud800 12345"]', '["\\u00e9\\ud800 [redacted:PIN]"]'),
        ("12345\n```json\n[123456]\n``` ```12345```", "[redacted:PIN]\n```json\n[123456]\n``` ```[redacted:PIN]```"),
        ('<think>12345</think>\n{"a": 123456}\n', '<think>[redacted:PIN]</think>\n{"a": 123456}\n'),
        ('{"authorization": 1234567890123}', '{"authorization": 1234567890123}'),
        ('{"Authorization" : "token 0123abcdef"}', '{"Authorization" : "token [redacted:authorization]"}'),
        ('{"Authorization": 12345, "b": "token 0123abcdef"}', '{"Authorization": 12345, "b": "token 0123abcdef"}'),
        (f'{{"Authorization {KEY}": "{KEY}"}}', '{"Authorization [redacted:api-key]": "[redacted:api-key]"}'),
        ("12345", "[redacted:PIN]"),
        ("{12345}", "{[redacted:PIN]}"),
        ('"12345", 12345 and "12345"', '"[redacted:PIN]", [redacted:PIN] and "[redacted:PIN]"'),
        ('the count is {"a": 12345}', 'the count is {"a": [redacted:PIN]}'),
        ('[12345, "a', '[[redacted:PIN], "a'),
        ("<think>12345</think>", "<think>[redacted:PIN]</think>"),
    ],
)  # fmt: skip
def test_a_number_in_json_is_no_text(text: str, clean: str):
    """Of JSON only strings are searched, however it is spelt, in a fence and behind thoughts too; else it is text."""
    assert REDACTOR.text(text) == clean
    assert REDACTOR.data(text.encode()) == clean.encode()


def test_a_number_without_end_is_no_trouble():
    """Not even one that Python refuses to read."""
    text = f'[{"1" * 5000}, "12345"]'
    assert REDACTOR.text(text) == text.replace(PIN, "[redacted:PIN]")


@pytest.mark.parametrize("depth", [100, 5000, 50_000])
def test_deep_json_is_no_trouble(depth: int):
    """As a value and as a text: a secret in its middle is taken out, and all else stays."""
    text = '[{"a":' * depth + f'[12345, "12345"]{"}]" * depth}'
    assert REDACTOR.text(text) == text.replace('"12345"', '"[redacted:PIN]"')
    broken = text[:-1] + "x]"
    assert REDACTOR.text(broken) == broken.replace("12345", "[redacted:PIN]")
    value: Any = [12345, PIN]
    for _ in range(depth):
        value = [{"a": value}]
    clean = REDACTOR.value(value)
    for _ in range(depth):
        ((clean,),) = (part.values() for part in clean)
    assert clean == [12345, "[redacted:PIN]"]


def test_json_in_json_is_followed_so_far_and_no_further():
    """What is deeper is a text, so nothing is left in it, and it takes no longer the deeper it is."""
    text = json.dumps([PIN, 12345])
    for _ in range(8):
        text = json.dumps([text])
    clean = REDACTOR.text(text)
    assert PIN not in clean
    for _ in range(5):
        (clean,) = json.loads(clean)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_marked_value_may_be_json(indent: int | None):
    """An account's file, given as a secret, is found alone, as a string and as a part of other JSON."""
    account = json.dumps({"client": "me", "key": "0815"}, indent=indent)
    redactor = Redactor({"ACCOUNT": account})
    assert redactor.text(f"it is {account}") == "it is [redacted:ACCOUNT]"
    for text in (f'{{"a": {account}, "b": 1}}', json.dumps({"a": account, "b": 1})):
        clean = redactor.text(text)
        assert "0815" not in clean
        assert "[redacted:ACCOUNT]" in json.loads(clean)["a"]
    assert Redactor({"HALF": '"x", "y'}).text('["x", "y", "z"]') == '[[redacted:HALF]", "z"]'


def test_names_in_values_say_what_stands_beside_them():
    """A value loses what its JSON loses."""
    value = {"x": [{"Authorization": "token 0123abcdef", "secretAccessKey": "a1/+" * 10, "authorization": "none"}]}
    clean = {"Authorization": "token [redacted:authorization]", "secretAccessKey": "[redacted:aws-secret]"}
    assert REDACTOR.value(value) == {"x": [{**clean, "authorization": "none"}]}
    harmless = {"Authorization": "required", "authorization": ["token"], "proxy-authorization-or-not": "x"}
    assert REDACTOR.value(harmless) is harmless


@pytest.mark.parametrize("text", ["", "x", "[1", "{} {}", "```", "```\n1\n```", "``````", "```json\n{}", "[nul]"])
def test_what_is_no_json_has_no_spots(text: str):
    """Neither words nor halves of JSON; a fence that never closes is one."""
    assert json_spots(text) == ([(7, 10)] if text.endswith("{}") and "`" in text else [])


@agent(description="Makes numbers.")
async def numbers() -> list[Any]:
    return [*range(10_000, 30_000), "the pin 12345"]


@agent(description="Counts.")
async def count(rows: list[Any]) -> list[Any]:
    return [len(rows), sum(rows[:-1]), rows[-1]]


async def test_a_secret_of_digits_leaves_large_values_and_answers_what_they_are(tmp_path: Path) -> None:
    """Numbers that it is a part of are kept, live and on resume; as a text it is taken out."""
    counter = Agent("counter", description="Counts.", prompt="Count.", output={"count": "integer", "of": "string"})
    plan = Plan("count")
    plan.add("many", agent=numbers)
    plan.add("sum", agent=count, inputs={"rows": "$many"})
    plan.add("asked", agent=counter)
    model = ScriptedModel(['```json\n{"count": 1234567, "of": "12345"}\n```', "It is counted."])
    team = [numbers, count, counter]
    secrets = {"PIN": PIN}
    live = await Orchestrator(team, model=model, journal=tmp_path / "r.db", secrets=secrets).run(plan)
    assert live.outputs["sum"] == [20_001, sum(range(10_000, 30_000)), "the pin [redacted:PIN]"]
    assert live.outputs["asked"] == {"count": 1234567, "of": "[redacted:PIN]"}
    again = await Orchestrator(team, journal=tmp_path / "r.db", secrets=secrets).resume(live.run_id)
    assert dict(again.outputs) == dict(live.outputs)
