"""Marked values are found in every usual encoding and spelling, and what is left of the rest is whole."""

import json
import re
import string
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch import Context, Orchestrator, Plan, agent
from agentorch.blobs.memory import MemoryBlobs
from agentorch.context import Artifact
from agentorch.core.values import BLOB_KEY
from agentorch.runtime.json_texts import Apart
from agentorch.runtime.large import stored
from agentorch.runtime.redaction import RedactedBlobs, Redactor

VALUES = [
    "correct horse/battery ä",
    "pässwörd-zürich",
    'it\'s "quoted" \\ here',
    "line1line1\nline2line2",
    "50%25off/Deal+x y",
    "/a~(b)!*",
    "€uro-0815",
    "it's öffentlich",
    "hunter2",
    "ab\\\\cd!",
    "abc!\\\\",
    'a\\/b!\\"c',
]
KEYS = ("sk-proj-abcDEF0123456789abcdef", "sk-proj-abcDEF9876543210abcdef")


def lower(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def upper(text: str) -> str:
    return re.sub(r"\\u[0-9a-f]{4}", lambda found: "\\u" + found[0][2:].upper(), text)


def spelt(value: str) -> dict[str, str]:
    """Return a value as programs write it in addresses, in bytes and in JSON."""
    form = urlencode({"k": value})
    return {
        "a form": form,
        "a form in small letters": lower(form),
        "a part of an address": quote(value, safe=""),
        "a path": quote(value),
        "a path in small letters": lower(quote(value)),
        "large and small letters": lower(quote(value[:4], safe="")) + quote(value[4:], safe=""),
        "what JavaScript leaves": quote(value, safe="!'()*").replace("'", "%27"),
        "what Java leaves": quote_plus(value, safe="*").replace("~", "%7E"),
        "a form in JSON with slashes escaped": quote_plus(value, safe="/").replace("/", "\\/"),
        "bytes": repr(value.encode()),
        "bytes with both marks": repr(b"'\"" + value.encode()),
        "bytes in JSON": f"with {json.dumps({'a': repr(value.encode())})}",
        "large letters in JSON": f"with {upper(json.dumps(value))}",
        "JSON in JSON": f"with {json.dumps(upper(json.dumps(value)))}",
    }


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_found_in_every_spelling_of_an_address_and_of_bytes(value: str) -> None:
    """Spaces as `+`, digits of escapes in either case, whichever characters are escaped."""
    redactor = Redactor({"DB": value})
    for name, text in spelt(value).items():
        clean = redactor.text(f"x {text} y")
        assert "[redacted:DB]" in clean, name
        assert clean.startswith("x ")
        assert clean.endswith(" y")
        assert redactor.text(clean) is clean
        assert not [word for word in re.findall("[a-z0-9]{5,}", value) if word in clean.replace("[redacted:DB]", "")]


ESCAPED = {
    "as Go writes JSON": "&<>",
    "as .NET does": "&<>+'\"`é",
    "as Gson does": "=&<>'",
    "all that may be": "".join(sorted(set("".join(VALUES)) - set(string.ascii_letters + string.digits + "_."))),
}


@pytest.mark.parametrize("value", [*VALUES, "a&b<c>d", "AMI+K7MDENG+bPx==", "\\\\server\\share&x"])
@pytest.mark.parametrize("writer", ESCAPED)
def test_a_value_is_found_whichever_characters_are_escaped_by_number(value: str, writer: str) -> None:
    """In JSON, in a log that holds some, and in JSON in JSON."""
    redactor = Redactor({"DB": value})

    def written(text: str) -> str:
        escaped = {char: f"\\u{ord(char):04X}" for char in ESCAPED[writer] if char not in '"\\'}
        return "".join(escaped.get(char, char) for char in json.dumps(text, ensure_ascii=False))

    assert json.loads(redactor.text(f'{{"k": {written(value)}}}')) == {"k": "[redacted:DB]"}
    assert redactor.text(f"it says {written(value)}") == 'it says "[redacted:DB]"'
    within = redactor.text(written(f'{{"k": {written(value)}}}'))
    assert json.loads(json.loads(within)) == {"k": "[redacted:DB]"}
    assert redactor.text(f"it says {written(f'<{written(value)}>')}").count("[redacted:DB]") == 1


def test_an_address_in_json_may_leave_what_is_not_ascii_to_the_json() -> None:
    """Nobody escapes all of it."""
    text = json.dumps({"u": "http://h/?q=p+é%2Fx+yz"})
    assert Redactor({"DB": "p é/x yz"}).text(text) == '{"u": "http://h/?q=[redacted:DB]"}'


ACCOUNT = '{\n "user": "svc",\n "pass": "hunter-22"\n}\n'


@pytest.mark.parametrize(
    ("value", "text", "clean"),
    [
        (ACCOUNT, f"<think>It says:</think>\n{ACCOUNT}", "<think>It says:</think>\n*"),
        (ACCOUNT, f"<think>It says:</think>{ACCOUNT}done", "<think>It says:</think>*done"),
        ('tok\n"abc"', '```tok\n"abc"```', "```*```"),
        ('"abc"', '{"a": "abc", "b": "\\"abc\\"", "c": "abc"}', '{"a": "*", "b": "\\"*\\"", "c": "*"}'),
        ('"/1//', '{"a": "\\"/1//x", "b": 1}', '{"a": "*x", "b": 1}'),
        ("C:\\back/", '"of C:\\back/ it"', '"of * it"'),
        ("n12x", r'{"a": "\n12x", "b": "n12x"}', r'{"a": "\n12x", "b": "*"}'),
    ],
)
def test_a_value_beside_json_and_across_it(value: str, text: str, clean: str) -> None:
    """One that takes a part of it, one that is a string of it, and one that it only looks like."""
    assert Redactor({"DB": value}).text(text) == clean.replace("*", "[redacted:DB]")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_json_with_a_byte_order_mark_stays_json(encoding: str) -> None:
    """Also where the value looks like the second half of an escape."""
    data = json.dumps(["1\\/++%x", "sk-proj-abcDEF0123456789abcdef"]).join(("\ufeff", "")).encode(encoding)
    clean = Redactor({"DB": "/++%"}).data(data).decode(encoding).removeprefix("\ufeff")
    assert json.loads(clean) == ["1[redacted:DB]x", "[redacted:api-key]"]  # where it may be the escape of a slash


def test_json_in_latin_1_keeps_what_it_had_to_escape() -> None:
    """Its other characters are in no byte."""
    data = r'{"a": "é \u20ac \ud83d\ude00 hunter2"}'.encode("latin-1")
    clean = r'{"a": "é \u20ac \ud83d\ude00 [redacted:DB]"}'.encode("latin-1")
    assert Redactor({"DB": "hunter2"}).data(data) == clean


@pytest.mark.parametrize("text", ["correct horse", "correct+battery", "p%C3%A4ss", "50%25off", "hunter1 hunter 2"])
def test_a_part_of_a_value_is_no_value(text: str) -> None:
    """What only begins like one is passed on as it is."""
    assert Redactor(VALUES).text(text) is text


@given(st.sampled_from(VALUES), st.lists(st.text() | st.sampled_from(VALUES), max_size=3), st.booleans())
def test_json_with_marked_values_stays_json(value: str, parts: list[str], ascii_only: bool) -> None:
    """In every string of it, however the value is spelt there."""
    text = json.dumps([*parts, *spelt(value).values(), "end"], ensure_ascii=ascii_only)
    *_, end = json.loads(Redactor(VALUES).text(text))
    assert end == "end"


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16-le", "utf-16-be"])
def test_a_value_is_found_in_bytes_of_every_usual_encoding(value: str, encoding: str) -> None:
    """Alone and beside bytes that are no text; what is left is in the encoding that it was in."""
    redactor = Redactor({"DB": value})
    try:
        for written in (value, json.dumps(value, ensure_ascii=False)[1:-1]):
            before, data = (part.encode(encoding) for part in ("token=", f"{written} end"))
            clean = redactor.data(before + data)
            assert clean == before + "[redacted:DB] end".encode(encoding)
            beside = redactor.data(b"\xff\xfe\x00\x81" + data + b"\xff")
            assert beside == b"\xff\xfe\x00\x81" + "[redacted:DB] end".encode(encoding) + b"\xff"
    except UnicodeEncodeError:
        assert "€" in value
        assert encoding == "latin-1"


def test_bytes_without_a_value_are_the_same_object() -> None:
    """Text or none: nothing is copied."""
    redactor = Redactor(VALUES)
    for data in (b"\xff\x00 buses", "buses, Züge".encode(), "buses".encode("utf-16"), b"", b"\x00" * 1000):
        assert redactor.data(data) is data


@pytest.mark.timeout(15)
@pytest.mark.parametrize("begins", ["%", "%C3%A4", "p%c3%a4ss", "\\", "correct+horse", "50%2525off%2F"])
def test_what_only_ever_begins_as_a_value_costs_no_more_than_other_words(begins: str) -> None:
    """A megabyte of it takes a blink, as a text and as bytes."""
    text = begins * (1_000_000 // len(begins))
    redactor = Redactor([*VALUES, "/////////~", "%%%%%%%%%~"])
    assert redactor.text(text) is text
    data = text.encode("utf-16")
    assert redactor.data(data) is data


def test_names_that_become_the_same_are_told_apart() -> None:
    """No entry is lost, at any depth; a name that was there before keeps its own, wherever it stands."""
    redactor = Redactor()
    one, two = KEYS
    value = {"a": [{one: 1, two: {one: 2, two: 3}, "[redacted:api-key] (2)": 4}]}
    clean: dict[str, Any] = {
        "[redacted:api-key]": 1,
        "[redacted:api-key] (3)": {"[redacted:api-key]": 2, "[redacted:api-key] (2)": 3},
        "[redacted:api-key] (2)": 4,
    }
    assert redactor.value(value) == {"a": [clean]}
    assert json.loads(redactor.text(json.dumps(value))) == {"a": [clean]}
    assert json.loads(redactor.text(json.dumps([json.dumps(value)]))[2:-2].replace('\\"', '"')) == {"a": [clean]}
    again = redactor.value(value)
    assert redactor.value(again) is again
    assert redactor.text(f'{{"{one}": "{{", "{one}": [{{"}}": 1}}], "x": 1, "x": 2}}') == (
        '{"[redacted:api-key]": "{", "[redacted:api-key] (2)": [{"}": 1}], "x": 1, "x": 2}'
    )


def test_a_name_with_a_number_still_says_what_stands_beside_it() -> None:
    """A header of which there are two is without its token in both."""
    value = {f"{key} Authorization": "token 0123abcdef" for key in KEYS}
    clean = {
        "[redacted:api-key] Authorization": "token [redacted:authorization]",
        "[redacted:api-key] Authorization (2)": "token [redacted:authorization]",
    }
    assert Redactor().value(value) == clean
    assert json.loads(Redactor().text(json.dumps(value))) == clean


@pytest.mark.timeout(15)
def test_many_names_that_become_the_same_cost_a_look_each() -> None:
    """A hundred thousand of them are counted, not searched for."""
    apart = Apart(["x (7)"])
    names = [apart.name("x") for _ in range(100_000)]
    assert names[:8] == ["x", *(f"x ({number})" for number in (2, 3, 4, 5, 6, 8, 9))]
    assert len({*names}) == 100_000


async def test_a_reference_has_the_size_of_what_is_stored() -> None:
    """Secrets are taken out of it on the way."""
    blobs = RedactedBlobs(MemoryBlobs(), Redactor())
    for value in (["x" * 100_000, KEYS[0]], ["x" * 100_000]):
        reference = (await stored(value, blobs))[BLOB_KEY]
        assert reference["size"] == len(await blobs.get(reference["sha256"]))


SECRET = "pässwörd-zürich"


@agent(description="Keeps files.")
async def keeper(folder: str, context: Context) -> list[Artifact]:
    saved: list[Artifact] = []
    for name, data in (("a.bin", b"\xff\xfe\x00"), ("b.txt", b""), ("c.txt", "wide".encode("utf-16"))):
        path = Path(folder) / name
        encoding = "utf-16-le" if name == "c.txt" else "utf-8"
        path.write_bytes(data + f"token={SECRET} end".encode(encoding))
        artifact = await context.save(path)
        assert artifact.size == len(await context.read(artifact))
        saved.append(artifact)
    return saved


async def test_a_file_that_held_a_secret_is_kept_without_it(tmp_path: Path) -> None:
    """Be it text or not; its size is that of what is kept."""
    (tmp_path / "journal").mkdir()
    plan = Plan("keep")
    plan.add("keep", agent=keeper, inputs={"folder": str(tmp_path)})
    journal = tmp_path / "journal" / "runs.db"
    async with Orchestrator([keeper], journal=journal, secrets={"DB": SECRET}) as orchestrator:
        outcome = await orchestrator.run(plan)
        written = b"".join(path.read_bytes() for path in (tmp_path / "journal").iterdir())
    assert [artifact.size for artifact in outcome.outputs["keep"]] == [26, 23, 56]
    assert SECRET.encode() not in written
    assert SECRET.encode("utf-16-le") not in written
