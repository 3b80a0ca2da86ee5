"""Cost per event does not depend on the plan's size."""

import sys
from typing import Any

from agentorch.core import inbox as msg
from agentorch.core.advance import advance
from agentorch.core.state import RunState
from agentorch.core.task import Graph
from agentorch.core.verifier import verify
from tests.core.bench import next_ready, task, team


def _calls(size: int) -> int:
    """Return how many Python functions one admitted and succeeded task calls in the middle of a fan-out."""
    ids = [f"t{number}" for number in range(size)]
    plan = verify(Graph((*(task(id) for id in ids), task("end", *ids))), team())
    state = RunState("run", team())
    advance(state, msg.Begin(0.0, "goal", plan=plan))
    _one(state)
    count = 0

    def count_call(frame: object, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(count_call)
    try:
        _one(state)
    finally:
        sys.setprofile(None)
    return count


def _one(state: RunState) -> None:
    name = next_ready(state)
    assert name is not None
    advance(state, msg.Admit(0.0, name))
    advance(state, msg.Succeed(0.0, state.key_of(state.tasks[name]), 1))


def test_a_task_costs_the_same_in_a_plan_a_hundred_times_as_large() -> None:
    """Counted in calls of Python functions: equal within 10 %."""
    small, large = _calls(100), _calls(10_000)
    assert 0.9 * small <= large <= 1.1 * small, (small, large)
