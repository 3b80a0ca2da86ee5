"""From a model's text to a JSON value."""

import json
from typing import Any

import pytest

from agentorch.planning.extraction import extract

PLAN: dict[str, Any] = {"tasks": [{"id": "a", "objective": 'say "}" [ \\'}]}
TEXT = json.dumps(PLAN)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"\ufeff```json\n{TEXT}\n```",
        f"Sure! As [1] says, {{here}} it is:\n{TEXT}\nLet me know {{if}} it helps [2].",
        f"<think>I could write {{}} or {{'a'}}</think><tool_call>{TEXT}</tool_call>",
        f"It's {{broken {TEXT}",
        f"I could write {{}}.\n</think>\n{TEXT}",
    ],
)
def test_the_plan_is_found(text: str) -> None:
    """In fences, prose, thoughts, wrappers, and behind a bracket that never closes."""
    found = extract(text)
    assert (found.value, found.problem, found.note) == (PLAN, None, None)


def test_trailing_commas_are_taken_out() -> None:
    """Outside strings only, and it is noted."""
    found = extract('{"tasks": [{"id": "a,]",},],}')
    assert (found.value, found.note) == ({"tasks": [{"id": "a,]"}]}, "took out trailing commas")


def test_a_truncated_plan_gives_what_came() -> None:
    """With its code."""
    found = extract('Plan:\n{"tasks": [{"id": "a"}, {"id": "b", "obj')
    assert found.value == {"tasks": [{"id": "a"}, {"id": "b"}]}
    assert found.problem is not None
    assert found.problem.code == "E_TRUNCATED"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E_EMPTY"),
        (" \n", "E_EMPTY"),
        ("<think>never ends {", "E_EMPTY"),
        ("I would rather not.", "E_SYNTAX"),
        ("{'tasks': []}", "E_SYNTAX"),
        ("[" * 100_000, "E_SYNTAX"),
        ("{" * 100_000, "E_SYNTAX"),
        ("[" * 100_000 + "]" * 100_000, "E_SYNTAX"),
        ('{"' + '\\"' * 200_000, "E_TRUNCATED"),  # a string that never closes is looked at once, not from each quote
        ("[" * 50 + '"\\"' * 200_000, "E_SYNTAX"),
        ('{"a": [1, }', "E_SYNTAX"),
    ],
)
def test_what_is_no_plan(text: str, code: str) -> None:
    """Never an exception, never a guess."""
    problem = extract(text).problem
    assert problem is not None
    assert problem.code == code


def test_thoughts_in_a_value_are_its_own() -> None:
    """A plan about thinking is read as it stands."""
    plan = {"tasks": [{"id": "a", "objective": "Explain <think> tags"}]}
    assert extract(f"<think>so</think>Here: {json.dumps(plan)} <think>done</think>").value == plan


def test_a_list_without_objects_counts_only_alone() -> None:
    """`[1]` is a citation, `[]` an empty plan."""
    assert extract("see [1] and [2]").problem is not None
    assert extract(" [] ").value == []


@pytest.mark.timeout(30)
@pytest.mark.parametrize("unit", ['\\"', "\\", '"', '", ', ", ", "{ "])
def test_a_string_that_never_closes_is_soon_read(unit: str) -> None:
    """However many quotes a long broken answer has, it is read in time in proportion to its length."""
    found = extract('{"tasks": [{"id": "' + unit * 40_000)
    assert found.problem is not None
