"""Tasks out of a plan that is still being written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.planning.streaming import TaskStream

TASKS: list[dict[str, Any]] = [
    {"id": "a", "inputs": [{"name": "x", "value": 'a "quoted" } ] \\ brace {'}], "steps": [{"no": "task"}]},
    {"id": "b", "needs": ["a"], "deep": {"tasks": [{"id": "inner"}]}},
]


def fed(pieces: list[str]) -> list[list[str]]:
    stream = TaskStream()
    return [[task["id"] for task in stream.feed(piece)] for piece in pieces]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"thought": 'it\'s "so" [{', "tasks": TASKS, "answer": "$b"}),
        json.dumps(TASKS),
        json.dumps({"plan": {"Tasks": TASKS}}),
        "Here's [1] the \"plan:\n```json\n" + json.dumps({"tasks": TASKS}, indent=2) + "\n```\nDone.",
    ],
)
@given(data=st.data())
def test_tasks_come_out_whole_however_the_text_is_cut(text: str, data: st.DataObject) -> None:
    """Strings, escapes and nested lists do not matter, nor where the pieces end."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=30)))
    stream = TaskStream()
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert [task for piece in pieces for task in stream.feed(piece)] == TASKS


def test_a_task_comes_out_when_its_object_closes() -> None:
    """Not before, and not later."""
    assert fed(['{"tasks": [{"id": "a"', "}", ', {"id": "b"}', "]", "}"]) == [[], ["a"], ["b"], [], []]


def test_what_cannot_be_followed_yields_nothing() -> None:
    """Mismatched brackets and objects that are no JSON are left to the reading of the whole."""
    assert fed(['{"an open string']) == [[]]
    assert fed(["(see {this]) ", '{"tasks": [{id: 1}, {"id": "b"}]}']) == [[], ["b"]]


def test_a_long_string_in_many_pieces_is_linear() -> None:
    """A long text in pieces of four characters."""
    stream = TaskStream()
    stream.feed('{"tasks": [{"id": "')
    for _ in range(50_000):
        assert not stream.feed("aaaa")
    assert len(stream.feed('"}')) == 1
