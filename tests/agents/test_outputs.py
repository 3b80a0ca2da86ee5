"""Outputs of agents: to JSON and back, held to their types."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pytest
from dirty_equals import IsStr
from pydantic import Base64Bytes, BaseModel

from agentorch.agents import agent
from agentorch.errors import ConfigurationError, MalformedOutput
from agentorch.tools import tool


class Report(BaseModel):
    title: str
    day: date | None = None


@dataclass
class Row:
    name: str
    price: float = 0.0


RING: list[Any] = []
RING.append(RING)


@pytest.mark.parametrize(
    ("output", "annotation", "encoded"),
    [
        ("text", str, "text"),
        (3, int, 3),
        (None, None, None),
        (True, bool, True),
        (1.5, float, 1.5),
        (Report(title="t", day=date(2026, 1, 2)), Report, {"title": "t", "day": "2026-01-02"}),
        ({"title": "t"}, Report, {"title": "t", "day": None}),
        ((Row("a"),), tuple[Row, ...], [{"name": "a", "price": 0.0}]),
        ({"a": {1}}, dict[str, set[int]], {"a": [1]}),
        ("red", Literal["red", "blue"], "red"),
        ({"any": date(2026, 1, 2)}, Any, {"any": "2026-01-02"}),
    ],
)
def test_outputs_go_to_json_and_back(output: Any, annotation: Any, encoded: Any):
    """`encode` gives JSON, `revive` the declared type; both agree."""

    def body() -> Any: ...

    body.__annotations__["return"] = annotation
    made = agent(description="d")(body)
    assert made.encode(output) == encoded
    assert made.encode(made.revive(encoded)) == encoded


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ([{"name": 1}], "[0].name: input should be a valid string; got 1"),
        ("x", "input should be a valid list; got 'x'"),
        ([{"name": "a", "price": "dear"}, {}], IsStr(regex=r"\[0\].price: .*; got 'dear'; \[1\].name: is missing")),
    ],
)
def test_wrong_outputs_are_told_in_words(output: Any, message: Any):
    """Path, what came, what is wanted."""

    @agent(description="d")
    def rows() -> list[Row]:
        return []

    with pytest.raises(MalformedOutput) as caught:
        rows.encode(output)
    assert str(caught.value) == message


def test_an_output_without_json_form_is_told():
    """Any value may be declared, but not every value is JSON."""

    @agent(description="d")
    def anything() -> Any: ...

    with pytest.raises(MalformedOutput, match="no JSON form"):
        anything.encode({"a": object()})


@dataclass
class Picture:
    name: str
    frames: list[bytes]


@pytest.mark.parametrize("annotation", [bytes, bytes | None, dict[str, list[bytes]], Picture, list[Picture]])
def test_an_output_of_bytes_is_refused_when_it_is_declared(annotation: Any):
    """However deep: JSON has none, and not every byte is text."""

    def body() -> Any: ...

    body.__annotations__["return"] = annotation
    for declare in (agent(description="d"), tool):
        with pytest.raises(ConfigurationError) as caught:
            declare(body)
        words = f"its output type {annotation!r} holds bytes, which have no JSON form; return text, or what "
        assert str(caught.value).endswith(f"'body': {words}context.save(path) gives")


def test_bytes_in_base64_are_text():
    """They go to JSON and back."""

    @agent(description="d")
    def picture() -> Base64Bytes: ...

    assert picture.revive("/w==") == b"\xff"


@pytest.mark.parametrize(
    ("output", "words"),
    [(b"\xff", "'utf-8' codec can't decode byte 0xff"), (RING, "Circular reference detected")],
)
def test_what_cannot_be_written_as_json_is_a_problem_of_the_output(output: Any, words: str):
    """Not a crash: it can be told to who made it."""

    @agent(description="d")
    def anything() -> Any: ...

    encoded, problems = anything.output.examine({"a": output})
    assert (encoded, len(problems)) == (None, 1)
    assert problems[0].startswith("holds a value that has no JSON form: ")
    assert words in problems[0]


def test_many_problems_are_counted():
    """A long list of the same is not told in full."""

    @agent(description="d")
    def rows() -> list[int]:
        return []

    with pytest.raises(MalformedOutput, match=r"and 12 more$"):
        rows.encode(["x"] * 20)
