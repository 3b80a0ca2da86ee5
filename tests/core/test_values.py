"""The small values: keys, digests, verdicts, references to parts."""

import pytest

from agentorch.core.identity import Key, digest
from agentorch.core.task import Task
from agentorch.core.values import blob_ref, is_blob_ref
from agentorch.core.verdict import Verdict


def test_a_key_comes_back_from_its_text() -> None:
    """Taken apart and put together it is the same."""
    assert str(Key.parse("run/a/1/2/3")) == "run/a/1/2/3"


def test_only_json_has_a_digest() -> None:
    """The order of keys does not matter; anything else is refused with its type."""
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    with pytest.raises(TypeError, match="set is not a JSON value"):
        digest({1})


def test_a_verdict_accepts_or_says_why_not() -> None:
    """A rejection without words is refused."""
    assert (Verdict.accept().accepted, Verdict.reject("too short")) == (True, Verdict(("too short",)))
    with pytest.raises(ValueError, match="at least one problem"):
        Verdict.reject()


def test_a_task_gives_references_to_itself() -> None:
    """The whole output, or a part of it."""
    load = Task("load", "worker")
    assert (load.ref, load["rows"], load[0]) == ("$load", "$load.rows", "$load.0")


def test_a_blob_reference_is_told_from_a_value() -> None:
    """An object with just that key."""
    assert [is_blob_ref(blob_ref("ab", 3)), is_blob_ref({"$blob": 1, "x": 2}), is_blob_ref("$blob")] == [
        True,
        False,
        False,
    ]
