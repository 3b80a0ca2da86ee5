"""The spec key: what an output depends on."""

from agentorch.core.policy import Policy
from agentorch.core.speckey import spec_key
from agentorch.core.task import Task

TASK = Task("t", "poet", "Write", {"a": "$x", "b": 1})


def test_ids_needs_and_policies_do_not_change_what_is_computed() -> None:
    """The same work under another name, order of inputs or patience has the same key."""
    same = Task("other", "poet", "Write", {"b": 1, "a": "$x"}, ("x",), Policy(attempts=9), 3.0)
    assert spec_key(same, "v1") == spec_key(TASK, "v1")


def test_everything_that_counts_changes_it() -> None:
    """Agent, version, objective, inputs and output schema."""
    keys = {
        spec_key(TASK),
        spec_key(TASK, "v1"),
        spec_key(TASK, output={"type": "string"}),
        spec_key(Task("t", "bard", "Write", TASK.inputs)),
        spec_key(Task("t", "poet", "Sing", TASK.inputs)),
        spec_key(Task("t", "poet", "Write", {"a": "$y", "b": 1})),
    }
    assert len(keys) == 6
