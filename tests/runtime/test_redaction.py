"""Secrets are found where they stand, nothing else is, and redacting twice is redacting once."""

import json
import re
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.core import inbox
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError
from agentorch.runtime.redaction import RedactedBlobs, Redactor

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq+/=\nq9c3\n-----END RSA PRIVATE KEY-----"
SECRETS = {
    "api-key": ["sk-proj-abcDEF0123456789abcdef", "sk-ant-api03-AbCdEf_0123456789-xyz", "sk-0123456789abcdef0123"],
    "aws-key": ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"],
    "github-token": ["ghp_0123456789abcdefghijABCDEFGHIJ012345", "github_pat_11ABCDEFG0123456789_abcdefghij"],
    "slack-token": ["xoxb-123456789012-abcdefABCDEF", "xapp-1-A0123456789-abcdef"],
    "google-key": ["AIzaSyA0123456789abcdefghijklmnopqrstuv"],
    "google-token": ["ya29.a0AfH6SMBx0123456789abcdef"],
    "jwt": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"],
    "private-key": [PEM],
}
HELD = {
    "Authorization: Bearer abc123def456ghi": "Authorization: Bearer [redacted:authorization]",
    "authorization: Basic dXNlcjpwYXNz": "authorization: Basic [redacted:authorization]",
    '{"Authorization": "token 0123abcdef"}': '{"Authorization": "token [redacted:authorization]"}',
    "AUTHORIZATION=a1b2c3d4e5f6g7": "AUTHORIZATION=[redacted:authorization]",
    "curl -H 'X: bearer abcdefgh_ijklmnop'": "curl -H 'X: bearer [redacted:token]'",
    "postgres://bob:hunter2!@db.local/x": "postgres://bob:[redacted:password]@db.local/x",
    "https://u:p@h and http://a:b@c": "https://u:[redacted:password]@h and http://a:[redacted:password]@c",
    'secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"': 'secret_access_key = "[redacted:aws-secret]"',
    "https://hooks.slack.com/services/T0/B0/abcdefghijklmnop": "https://hooks.slack.com/services/[redacted:slack-hook]",
}
HARMLESS = [
    "",
    "Buses carry envelopes.",
    "sk-learn is a library; scikit-learn-contrib-packages too",
    "the bearer of good news will arrive on Thursday",
    "bearer certificates-and-other-instruments are old",
    "Authorization: required for every request",
    "https://example.org:8080/a@b and user@example.org",
    "http://localhost:8000/v1",
    "a task-risk-assessment-of-everything",
    "eyJ is how base64 of JSON begins",
    "AKIA is a prefix; ghp_ too, xoxb- and AIza",
    "0123456789abcdef" * 4,
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
]
REDACTOR = Redactor()


@pytest.mark.parametrize(("name", "secret"), [(name, secret) for name, all in SECRETS.items() for secret in all])
@pytest.mark.parametrize("around", ["{}", "the key is {}.", "a={}\nb", '{{"k": "{}"}}', "({})", "x {}, y"])
def test_what_looks_like_a_secret_is_taken_out(name: str, secret: str, around: str):
    """Whatever stands around it, nothing of it is left, and what stands around it is."""
    assert REDACTOR.text(around.format(secret)) == around.format(f"[redacted:{name}]")


@pytest.mark.parametrize(("text", "clean"), HELD.items())
def test_what_holds_a_secret_keeps_the_rest(text: str, clean: str):
    """Headers, addresses and settings stay readable."""
    assert REDACTOR.text(text) == clean


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_is_the_same_object(text: str):
    """Words, addresses, hashes and ids are left alone, and nothing is copied."""
    assert REDACTOR.text(text) is text
    value = {"a": [text, {"b": text}], text: 1}
    assert REDACTOR.value(value) is value


@pytest.mark.parametrize("text", [*HELD, *(secret for all in SECRETS.values() for secret in all)])
def test_redacting_twice_is_redacting_once(text: str):
    """A run that is resumed, or forked, sees what the first one saw."""
    once = REDACTOR.text(f"{text} {text}")
    assert REDACTOR.text(once) is once


@pytest.mark.parametrize("secret", [*HELD, *(secret for all in SECRETS.values() for secret in all)])
def test_json_stays_json(secret: str):
    """A secret is taken out of a large value's bytes, and they can be read afterwards, nothing else changed."""
    value = {"before": "x", "text": f"it is {secret}", 'quo"te': [secret, "\\", "end"]}
    clean = json.loads(REDACTOR.data(json.dumps(value).encode()))
    assert [*clean] == [*value]
    assert clean["before"] == "x"
    assert clean['quo"te'][1:] == ["\\", "end"]
    assert secret not in json.dumps(clean)


@given(st.text(), st.sampled_from([PEM, *HELD, *SECRETS["api-key"]]), st.text())
def test_json_around_a_secret_stays_json(before: str, secret: str, after: str):
    """Whatever stands before and behind it."""
    data = REDACTOR.data(json.dumps([before + secret + after, "end"]).encode())
    assert json.loads(data)[1:] == ["end"]


def test_a_key_that_was_cut_is_taken_out():
    """A long text that was clipped in the middle of a private key shows nothing of it."""
    assert REDACTOR.text(PEM[:60] + "... (9000 characters)").startswith("[redacted:private-key]")


@pytest.mark.parametrize(
    "value", ['pass"word\\1', "line\nbreak-1", "pässwörd", "a b/c?d", "hunter2", "sk-proj-abcDEF0123456789abcdef"]
)
def test_marked_values_are_found_however_they_are_spelt(value: str):
    """As they are, in JSON, in a repr, in an address."""
    redactor = Redactor({"DB": value})
    for text in (value, json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value), f"x{value}y"):
        clean = redactor.text(text)
        assert "[redacted:DB]" in clean
        assert value not in clean
    assert b"[redacted:DB]" in redactor.data(json.dumps({"a": value}).encode())


def _lower(address: str) -> str:
    return re.sub("%..", lambda code: code[0].lower(), address)


def _upper(text: str) -> str:
    return re.sub(r"(?<=\\u)....", lambda code: code[0].upper(), text)


@pytest.mark.parametrize("value", ["pässwörd", "a b/c?d+e"])
def test_marked_values_are_found_in_addresses_and_bytes(value: str):
    """With spaces as `+`, in small hexadecimal digits, in the `repr` of bytes, in JSON with capital ones."""
    addresses = [quote(value), quote(value, safe=""), urlencode({"q": value})]
    texts = [*addresses, *map(_lower, addresses), repr({"a": value.encode()}), _upper(json.dumps([value]))]
    assert [text for text in texts if "[redacted:DB]" not in Redactor({"DB": value}).text(text)] == []


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_marked_values_are_found_in_bytes_of_other_encodings(encoding: str):
    """Also where the bytes are no text as a whole, or another one than they seem."""
    value = "pässwörd-1"
    for before in (b"", b"\xff\xfe\x00\x01"):
        clean = Redactor({"DB": value}).data(before + f"it is {value}.".encode(encoding))
        assert any("[redacted:DB]".encode(left) in clean for left in ("ascii", "utf-16-le", "utf-16-be"))
        assert value.encode(encoding)[4:] not in clean


def test_the_longer_of_two_values_goes_first():
    """A secret that begins like another is not left half."""
    assert Redactor({"A": "hunter", "B": "hunter-two"}).text("hunter-two hunter") == "[redacted:B] [redacted:A]"


def test_values_without_names_are_marked_too():
    """A list marks values as well as a mapping does."""
    assert Redactor(["hunter2"]).text("it is hunter2") == "it is [redacted:secret]"


def test_the_key_of_a_provider_is_taken_out_however_it_looks():
    """But not a word that stands in for one at a local server."""
    redactor = Redactor(known=["none", "gsk-local-0123", "hunter2hunter2"])
    assert redactor.text("none of hunter2hunter2") == "none of [redacted:api-key]"


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ({"A": "abc"}, "secrets: 'A' has 3 characters: a secret has at least 4"),
        ({"A": 12345}, "secrets: 'A' is a int: give text"),
        ({"a b": "hunter2"}, "secrets: 'a b' is no name: use letters, digits, '_', '-' and '.'"),
        ("hunter2", "secrets: it is a text: give a list of values, or values by name"),
        ([""], "secrets: 'secret' has 0 characters: a secret has at least 4"),
    ],
)
def test_what_cannot_be_marked_is_refused(marked: object, words: str):
    """One line, which shows no value."""
    with pytest.raises(ConfigurationError) as raised:
        Redactor(marked)  # pyright: ignore[reportArgumentType]
    assert str(raised.value) == words


def test_messages_are_redacted_whole():
    """Outputs, problems, plans and reports: what the core is told holds no secret."""
    key = SECRETS["api-key"][0]
    messages: list[inbox.Message] = [
        inbox.Begin(1.0, f"use {key}", inputs={"a": [key]}, tags={"t": key}),
        inbox.Succeed(1.0, "r/a/1/1/1", {"b": key, key: 1}, sources=(key,)),
        inbox.Fail(1.0, "r/a/1/1/1", FailureKind.CRASH, (f"ValueError: {key}",), output=key),
        inbox.Propose(1.0, (Task("a", "b", f"do {key}", {"x": key}),), "model"),
        inbox.Reject(1.0, (Problem("x", f"bad {key}", remedy=key),), "model"),
        inbox.Answer(1.0, "q", {"key": key}, key),
        inbox.FinishStep(1.0, "r/a/1/1/1", "s", "model", {"text": key}),
        inbox.Confirm(1.0, "r/a/t/1", [key], "tool"),
    ]
    for message in messages:
        clean = REDACTOR.message(message)
        assert key not in repr(clean)
        assert "[redacted:api-key]" in repr(clean)
        assert type(clean) is type(message)


def test_messages_without_secrets_are_passed_on():
    """The same object: nothing is copied for them."""
    for message in (inbox.Admit(1.0, "a"), inbox.Succeed(1.0, "k", {"a": ["text"]}), inbox.Conclude(1.0)):
        assert REDACTOR.message(message) is message


def test_a_deep_value_is_no_trouble():
    """A value without secrets may be nested as deep as the journal takes it."""
    value: list[object] = []
    for _ in range(5000):
        value = [value]
    message = inbox.Succeed(1.0, "k", value)
    assert REDACTOR.message(message) is message
    assert replace(message, output=1).output == 1


@pytest.mark.timeout(15)
@pytest.mark.parametrize("begins", ["sk-", "sk-_", "eyJ-", "authorization=", "bearer%20", "://a:"])
def test_what_only_ever_begins_as_a_secret_costs_no_more_than_other_words(begins: str):
    """A megabyte of it takes a blink; where each beginning is followed to the end, it takes minutes."""
    text = begins * (1_000_000 // len(begins))
    assert REDACTOR.text(text) is text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("sk-" * 40 + "0123", "[redacted:api-key]"),
        ("sk-" * 40 + " sk-0123456789abcdef", "sk-" * 40 + " [redacted:api-key]"),
        ("eyJ-" * 9 + f".x {SECRETS['jwt'][0]}", "eyJ-" * 9 + ".x [redacted:jwt]"),
        ("eyJ-" * 9 + SECRETS["jwt"][0][2:], "[redacted:jwt]"),
        ("Authorization: " + "a-" * 60 + "1", "Authorization: [redacted:authorization]"),
        ("authorization=authorization: abcdef123456", "authorization=authorization: [redacted:authorization]"),
    ],
)
def test_a_secret_behind_beginnings_of_one_is_found(text: str, clean: str):
    """In the same word, and in the next."""
    assert REDACTOR.text(text) == clean


async def test_blobs_are_stored_without_secrets():
    """Large values too, JSON or not; the name is that of what is stored."""

    class Kept:
        def __init__(self) -> None:
            self.data: list[bytes] = []

        async def put(self, data: bytes) -> str:
            self.data.append(data)
            return str(len(self.data) - 1)

        async def get(self, sha256: str) -> bytes:
            return self.data[int(sha256)]

    kept = Kept()
    blobs = RedactedBlobs(kept, REDACTOR)
    secret = SECRETS["github-token"][0].encode()
    name = await blobs.put(b"\xff\x00" + secret + b"\xfe")
    assert await blobs.get(name) == b"\xff\x00[redacted:github-token]\xfe"
    plain = b'{"a": 1}'
    await blobs.put(plain)
    assert kept.data[1] is plain
