"""What is typed: lines of the terminal, and the answers that they are, or are not."""

import asyncio
import os
import pty
from typing import Any

import pytest

from agentorch.cli.typed import forget_typed, read_in_thread, read_line
from agentorch.cli.typed_answers import Unfit, answer_from, prompt_of
from agentorch.core.effects import ANSWERS
from agentorch.core.planned import SIGNATURE
from agentorch.core.state import Request

FAILURE: dict[str, Any] = {
    "anyOf": [
        {"const": "retry"},
        {"const": "fail"},
        {"type": "object", "properties": {"output": {"type": "integer"}}, "required": ["output"]},
    ]
}
YES_OR_NO = {"type": "boolean"}
NOTHING = "say retry, fail, or give the output as JSON: text stands in quotes"


def request(kind: str, schema: dict[str, Any]) -> Request:
    return Request("r", kind, None, "?", schema, None)


@pytest.mark.parametrize(
    ("kind", "schema", "typed", "value"),
    [
        ("approval", YES_OR_NO, "Y", True),
        ("approval", YES_OR_NO, "no", False),
        ("approval", YES_OR_NO, "", False),
        ("approval", YES_OR_NO, "maybe", Unfit("say y or n")),
        ("plan", SIGNATURE, "yes", True),
        ("plan", SIGNATURE, "{}", Unfit("say y or n")),
        ("failure", FAILURE, "retry", "retry"),
        ("failure", FAILURE, "4", {"output": 4}),
        ("failure", FAILURE, "", Unfit(NOTHING)),
        ("failure", FAILURE, "retri", Unfit(NOTHING)),
        ("failure", FAILURE, '"x"', Unfit("output: 'x' is not integer")),
        ("effect", ANSWERS, "skip", "skip"),
        ("effect", ANSWERS, '{"a": 1}', {"done": {"a": 1}}),
        ("question", {"type": "string"}, "42", "42"),
        ("question", {"type": "integer"}, "42", 42),
        ("question", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "4 or 5", "4 or 5"),
        ("question", {"anyOf": [{"type": "null"}, {"type": "string"}]}, "42", "42"),
        ("question", {"enum": ["red", "blue"]}, "red", "red"),
        ("question", YES_OR_NO, "y", True),
        ("question", YES_OR_NO, "false", False),
    ],
)  # fmt: skip
def test_answers_typed_at_the_terminal(kind: str, schema: dict[str, Any], typed: str, value: object) -> None:
    """Each in the form that its question asks for; what does not fit is none, and is said in words."""
    answer = answer_from(request(kind, schema), typed)
    assert (answer, type(answer)) == (value, type(value))


def test_what_does_not_fit_the_type_of_a_question() -> None:
    """The words name the type."""
    unfit = answer_from(request("question", {"type": "integer"}), "many")
    assert isinstance(unfit, Unfit)
    assert "integer" in unfit.words


@pytest.mark.parametrize(
    ("kind", "schema", "prompt"),
    [
        ("approval", YES_OR_NO, "[y/N] "),
        ("plan", SIGNATURE, "[y/N] "),
        ("failure", FAILURE, "[retry/fail, or the output as JSON] "),
        ("effect", ANSWERS, "[done/retry/skip, or what it gave as JSON] "),
        ("question", {}, "> "),
        ("question", {"type": "string"}, "> "),
        ("question", YES_OR_NO, "[y/n] "),
        ("question", {"type": "array", "items": {"type": "integer"}}, "[list of integer] "),
        ("question", {"enum": ["red", "blue"]}, "[red/blue] "),
    ],
)
def test_a_prompt_names_what_may_be_answered(kind: str, schema: dict[str, Any], prompt: str) -> None:
    """The words that there are, or the type."""
    assert prompt_of(request(kind, schema)) == prompt


@pytest.mark.parametrize("read", [read_line, read_in_thread])
async def test_a_line_is_read_piece_by_piece(read: Any) -> None:
    """Up to its end, or up to the end of the input."""
    there, here = os.pipe()
    reading = asyncio.ensure_future(read(there))
    os.write(here, b"ye")
    await asyncio.sleep(0)
    os.write(here, b"s\n")
    assert await reading == b"yes\n"
    os.write(here, b"half")
    os.close(here)
    assert await read(there) == b"half"
    assert await read(there) == b""
    os.close(there)


async def test_a_line_that_is_not_waited_for_is_left_to_the_next() -> None:
    """Whoever is interrupted takes nothing along."""
    there, here = os.pipe()
    reading = asyncio.ensure_future(read_line(there))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    os.write(here, b"next\n")
    assert await read_line(there) == b"next\n"
    os.close(there)
    os.close(here)


async def test_what_was_typed_ahead_is_dropped() -> None:
    """Of a terminal; a pipe holds its data."""
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"y\n")
    forget_typed(terminal)
    os.write(keyboard, b"n\n")
    assert await read_line(terminal) == b"n\n"
    os.close(keyboard)
    there, here = os.pipe()
    os.write(here, b"kept\n")
    forget_typed(there)
    assert await read_line(there) == b"kept\n"
    for handle in (terminal, there, here):
        os.close(handle)
