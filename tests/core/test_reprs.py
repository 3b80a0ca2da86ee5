"""What a task, a policy and a budget say of themselves: what somebody has set, and no more."""

import pytest

from agentorch.core.policy import Policy
from agentorch.core.task import EMPTY, Task
from agentorch.core.usage import Budget


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Policy(), "Policy()"),
        (Policy(timeout=None, fallback=("b",)), "Policy(timeout=None, fallback=('b',))"),
        (Policy(attempts=2), "Policy(attempts=2)"),
        (Budget(), "Budget()"),
        (Budget(max_calls=3, max_depth=8), "Budget(max_calls=3)"),
        (Task("a", "poet"), "Task(id='a', agent='poet')"),
        (Task("a", "poet", inputs=dict(EMPTY), policy=Policy()), "Task(id='a', agent='poet')"),
        (Task("a", "poet", policy=Policy(attempts=2)), "Task(id='a', agent='poet', policy=Policy(attempts=2))"),
        (
            Task("a", "poet", "An ode.", {"x": "$b"}, ("b",), Policy(repairs=1), 2.0, Budget(max_calls=1)),
            (
                "Task(id='a', agent='poet', objective='An ode.', inputs={'x': '$b'}, needs=('b',), "
                "policy=Policy(repairs=1), seconds=2.0, budget=Budget(max_calls=1))"
            ),
        ),
    ],
)
def test_what_was_set_is_shown(value: object, words: str) -> None:
    """As it would be written; a default that was set is a setting, for it beats those of the agent and of the run."""
    assert (repr(value), str(value)) == (words, words)


def test_what_was_set_is_shown_by_whatever_asks_for_it() -> None:
    """Programs that show values of pydantic ask for their parts."""
    task = Task("a", "poet", policy=Policy(attempts=1))
    assert dict(task.__repr_args__()) == {"id": "a", "agent": "poet", "policy": Policy(attempts=1)}
    assert dict(task.policy.__repr_args__()) == {"attempts": 1}
