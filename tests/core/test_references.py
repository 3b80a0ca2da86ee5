"""References: what names a value, and what stays a string."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.core.references import (
    BrokenReference,
    Found,
    Reference,
    adding,
    fill,
    found,
    look,
    mentioned,
    parse,
    resolve,
    targets,
    with_needs,
)
from agentorch.core.task import Task

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$load", Reference("load")),
        ("$load.rows.0.name", Reference("load", ("rows", "0", "name"))),
        ("$a-b_1.Größe", Reference("a-b_1", ("Größe",))),
        ("load", None),
        ("$", None),
        ("$5.00", None),
        ("$Load", None),
        ("$load.", None),
        ("$load rows", None),
        ("$load\n", None),
        ("x $load", None),
        ("$a" + ".b" * 600, None),
    ],
)
def test_parse(text: str, expected: Reference | None) -> None:
    """Only a whole string of the form `$id.path` is a reference."""
    assert parse(text) == expected


def test_a_reference_prints_as_it_is_written() -> None:
    """`str` of a reference is its text."""
    assert str(Reference("load", ("rows", "0"))) == "$load.rows.0"


def test_resolve_replaces_references_everywhere() -> None:
    """Whole strings at any depth become values; other strings, keys and numbers stay."""
    inputs: dict[str, Any] = {"a": "$x.r.1", "b": [{"$x": "$goal"}, "cost $x", 3], "c": ("$x.r",), "d": "$Not"}
    outputs = {"x": {"r": [1, "two"]}, "goal": "G"}
    assert resolve(inputs, outputs) == {"a": "two", "b": [{"$x": "G"}, "cost $x", 3], "c": [[1, "two"]], "d": "$Not"}


def test_resolve_without_references_returns_the_same_object() -> None:
    """Nothing is copied where nothing can be a reference."""
    inputs: dict[str, Any] = {"a": "text", "n": 3}
    assert resolve(inputs, {}) is inputs


def test_a_need_that_did_not_hold_is_null_and_so_are_its_parts() -> None:
    """Missing outputs and parts of null are None."""
    assert resolve({"a": "$x", "b": "$x.y", "c": "$n.y.z"}, {"n": None}) == {"a": None, "b": None, "c": None}


def test_with_needs_given_other_ids_are_strings() -> None:
    """`$eur` is an ordinary string in a plan that has no task of that name."""
    assert resolve({"a": "$x", "b": "$eur"}, {}, needs=("x",)) == {"a": None, "b": "$eur"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$x.b", "$x.b: no key 'b'; the keys are 'a'"),
        ("$e.b", "$e.b: no key 'b'; the keys are none"),
        ("$many.b", "$many.b: no key 'b'; the keys are '0', '1', '2', '3', '4', '5', '6', '7', ..."),
        ("$x.a.2", "$x.a.2: no item '2'; the list has 2 items, counted from 0"),
        ("$x.a.b", "$x.a.b: no item 'b'; the list has 2 items, counted from 0"),
        ("$x.a.-1", "$x.a.-1: no item '-1'; the list has 2 items, counted from 0"),
        ("$x.a.0.c", "$x.a.0.c: no part 'c'; the value is 1; refer to $x itself"),
    ],
)
def test_a_wrong_path_is_broken(text: str, message: str) -> None:
    """The message names the reference, the part and what there is instead."""
    outputs: dict[str, Any] = {"x": {"a": [1, 2]}, "e": {}, "many": {str(n): n for n in range(9)}}
    with pytest.raises(BrokenReference) as raised:
        resolve({"p": text}, outputs)
    assert str(raised.value) == message


@given(JSON)
def test_values_are_never_scanned_again(value: Any) -> None:
    """One pass: what an output holds, references included, arrives unchanged."""
    outputs = {"x": ["$secret", "${secret}", value], "secret": 1}
    assert resolve({"a": "$x"}, outputs)["a"] == outputs["x"]


def test_fill() -> None:
    """Strings as they are, else compact JSON; unknown ids stay; nothing is filled twice."""
    outputs: dict[str, Any] = {"x": {"s": "${y}", "n": [1, {"ü": None}]}, "y": "Y"}
    text = "${x.s} ${x.n} ${z.a} $y ${ y } ${y}"
    assert fill(text, outputs) == '${y} [1,{"ü":null}] ${z.a} $y ${ y } Y'
    assert fill("nothing", outputs) == "nothing"


def test_found_says_where() -> None:
    """Places are the parameter, then keys and indices."""
    inputs: dict[str, Any] = {"a": "$x", "b": {"k": [1, "$y.z"], "t": "text"}, "c": "text", "d": "$N"}
    assert found(inputs) == [Found(("a",), Reference("x")), Found(("b", "k", "1"), Reference("y", ("z",)))]
    assert mentioned("see ${x.y} and ${goal}") == [Reference("x", ("y",)), Reference("goal")]


def test_targets_in_first_seen_order_without_what_the_run_provides() -> None:
    """Inputs before the objective, each once; `goal` and `inputs` are nobody's need."""
    task = Task("t", "a", "about ${z} and ${x}", {"p": "$y.a", "q": ["$x", "$goal", "$inputs.f"], "r": "$y"})
    assert targets(task) == ("y", "x", "z")


def test_with_needs() -> None:
    """Known ids are added behind the explicit needs, each once; `strict` adds unknown ones too."""
    task = Task("t", "a", "", {"p": "$y", "q": "$usd"}, ("x", "y", "x"))
    assert with_needs(task, {"x", "y"}).needs == ("x", "y")
    assert with_needs(task, {"x", "y"}, strict=True).needs == ("x", "y", "usd")


def test_with_needs_returns_the_same_task_when_nothing_is_missing() -> None:
    """A task that is complete is not copied."""
    bare, complete = Task("t", "a"), Task("t", "a", "", {"p": "$y"}, ("y",))
    assert with_needs(bare, ()) is bare
    assert with_needs(complete, ("y",)) is complete


def test_a_large_value_is_followed_where_it_is_read() -> None:
    """A path into a blob reference makes one to that part; an objective that names one comes in pieces."""
    outputs: dict[str, Any] = {"x": {"$blob": {"sha256": "ab", "size": 9}}, "y": {"x": blob("cd", "a")}, "z": "Z"}
    part = {"$blob": {"sha256": "ab", "size": 9, "path": ["rows", "0"]}}
    assert resolve({"p": "$x.rows.0", "q": "$y.x.b"}, outputs) == {"p": part, "q": blob("cd", "a", "b")}
    assert fill("${z}: ${x.rows.0}!", outputs) == ["", "Z", ": ", {"x.rows.0": part}, "!"]


def blob(sha256: str, *path: str) -> dict[str, Any]:
    """Return a reference to a part of a blob."""
    return {"$blob": {"sha256": sha256, "size": 9, "path": list(path)}}


def test_a_raw_value_is_never_a_blob() -> None:
    """What a caller gave is looked into as it is; null has parts, all of them null."""
    inputs = {"x": {"$blob": {"sha256": "ab"}}, "y": None}
    assert look(Reference("inputs", ("x", "$blob", "sha256")), inputs) == "ab"
    assert look(Reference("inputs", ("y", "a", "b")), inputs) is None


@pytest.mark.parametrize("needs", [["x"], ["x", "x"], ("x", "x"), ("x",)])
def test_needs_come_out_as_a_tuple_each_once(needs: Any) -> None:
    """A planner of one's own may give a list."""
    assert adding(Task("z", "agent", needs=needs), (), {"x"}, strict=True).needs == ("x",)
