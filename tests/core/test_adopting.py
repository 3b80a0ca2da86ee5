"""A run is taken over: what has changed begins afresh, and so does who would go on with it."""

import pytest

from agentorch.core import inbox as msg
from agentorch.core.adopting import changed_agents
from agentorch.core.card import AgentCard
from agentorch.core.failures import FailureKind
from tests.core.bench import Bench, kinds, task


def cut_off() -> Bench:
    """Return a run whose only task was cut off while what an agent had called for it had finished a step."""
    bench = Bench(AgentCard(name="child", version="1"), AgentCard(name="between", version="1")).begin(task("a"))
    for caller, name in (("a", "a.1.between"), ("a.1.between", "a.1.between.1.child")):
        bench.send(msg.Delegate(bench.now, bench.admit(caller), name, name.rpartition(".")[2], {}))
    bench.send(msg.FinishStep(bench.now, bench.admit("a.1.between.1.child"), "s:1", "s", "result"))
    bench.fail("a", FailureKind.TRANSIENT)
    return bench


def test_an_agent_whose_steps_would_be_read_back_counts_as_at_work() -> None:
    """Its call was cut off with its caller, and goes on when it is called again."""
    state = cut_off().state

    assert changed_agents(state, {"child": "2", "between": "2"}) == ("child",)


@pytest.mark.parametrize(("restart", "attempt"), [("child", 2), ("between", 1)])
def test_a_caller_whose_call_would_go_on_with_a_changed_agent_begins_afresh(restart: str, attempt: int) -> None:
    """So that it calls the agent as it is now; one of which nothing is left changes nothing."""
    bench = cut_off()
    events = bench.send(msg.Adopt(bench.now, "another", restart=frozenset({restart})))

    assert kinds(events) == ["RunAdopted", *(["TaskRetried a"] if attempt == 2 else [])]
    assert bench.state.tasks["a"].attempt == attempt
