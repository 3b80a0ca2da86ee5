"""Agents that change the world: they begin late, and what they began is neither planned anew nor replaced."""

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from tests.core.bench import Bench, kinds, task

PAYER = AgentCard(name="payer", effects="once")


def test_what_has_effects_is_not_admitted_while_the_plan_is_written() -> None:
    """Whoever asks."""
    bench = Bench(PAYER).begin()
    bench.send(msg.Propose(0.0, (task("pay", agent="payer"),), "model"))
    assert bench.send(msg.Admit(0.0, "pay")) == []


def test_what_was_begun_once_is_not_planned_anew() -> None:
    """Nobody knows what it has done: it fails."""
    bench = Bench(PAYER).begin(task("pay", agent="payer"), task("b"), answer="$b", planner="model")
    bench.now = 1.0
    bench.fail("pay")
    assert (bench.statuses["pay"], bench.state.replan) == ("failed", None)


def test_what_was_begun_once_is_not_replaced() -> None:
    """Nor while it runs, by a patch that another task asked for."""
    bench = Bench(PAYER).begin(task("pay", agent="payer"), task("b"), answer="$b", planner="model")
    bench.now = 1.0
    bench.admit("pay")
    bench.fail("b")
    events = bench.patched(task("pay", agent="worker"), task("b", inputs={"n": 1}))
    assert kinds(events)[0] == "PlanRejected"
