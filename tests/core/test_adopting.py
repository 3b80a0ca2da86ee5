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


def test_what_an_earlier_attempt_had_called_does_not_go_on() -> None:
    """So it has not changed, and takes no finished step from the attempt under way."""
    bench = Bench(AgentCard(name="child", version="1")).begin(task("a"))
    bench.send(msg.Delegate(bench.now, bench.admit("a"), "a.1.child", "child", {}))
    bench.send(msg.FinishStep(bench.now, bench.admit("a.1.child"), "s:1", "s", "result"))
    bench.fail("a", FailureKind.CRASH)
    bench.send(msg.FinishStep(bench.now, bench.admit("a"), "model:1", "model", "paid for"))

    assert changed_agents(bench.state, {"child": "2"}) == ()
    assert kinds(bench.send(msg.Adopt(bench.now, "another", restart=frozenset({"child"})))) == ["RunAdopted"]
    assert bench.state.tasks["a"].attempt == 2
    assert bench.state.tasks["a"].steps == {"model:1": "paid for"}


def test_a_task_that_has_given_up_waits_for_its_new_plan() -> None:
    """It is not begun afresh beside it: it would be done twice."""
    bench = Bench(AgentCard(name="child", version="1"))
    bench.begin(task("a", attempts=1), task("b"), answer="$b", planner="model")
    bench.send(msg.FinishStep(bench.now, bench.admit("a"), "s:1", "s", "result"))
    bench.send(msg.Delegate(bench.now, bench.key("a"), "a.1.child", "child", {}))
    bench.send(msg.FinishStep(bench.now, bench.admit("a.1.child"), "s:1", "s", "result"))
    bench.fail("a")

    restart = frozenset({"worker", "child"})
    assert kinds(bench.send(msg.Adopt(bench.now, "another", restart=restart))) == ["RunAdopted"]
    assert bench.state.tasks["a"].waiting == "replan"


@pytest.mark.parametrize("restart", [{"child", "worker"}, {"child"}])
def test_what_a_caller_had_called_is_cancelled_once_when_both_begin_afresh(restart: set[str]) -> None:
    """Be it that both have changed, or that the caller would go on with an earlier call of the changed one."""
    bench = Bench(AgentCard(name="child", version="1")).begin(task("a"))
    bench.send(msg.Delegate(bench.now, bench.admit("a"), "a.1.child", "child", {}))
    bench.send(msg.FinishStep(bench.now, bench.admit("a.1.child"), "s:1", "s", "result"))
    bench.fail("a", FailureKind.TRANSIENT)
    bench.now += 100
    bench.ripe("a")
    bench.send(msg.Delegate(bench.now, bench.admit("a"), "a.1.child.2", "child", {"n": 2}))
    bench.admit("a.1.child.2")

    events = bench.send(msg.Adopt(bench.now, "another", restart=frozenset(restart)))
    assert kinds(events) == ["RunAdopted", "TaskCancelled a.1.child.2", "AttemptFailed a", "TaskRetried a"]
    bench.run_out()
    assert bench.state.status == "succeeded"
