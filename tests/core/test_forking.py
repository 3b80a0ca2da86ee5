"""A fork: the events of another run as this one's, then what takes the place of its outputs."""

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.advance import advance, replay
from agentorch.core.card import AgentCard
from agentorch.core.failures import FailureKind
from agentorch.core.invariants import check
from agentorch.core.reservations import end_of
from agentorch.core.running_time import end_of_run, running_time
from agentorch.core.scheduling import ripen
from agentorch.core.state import RunState
from agentorch.core.task import Task
from agentorch.core.usage import Budget
from tests.core.bench import Bench, task


def forked(parent: Bench, *, at: float = 9.0, **outputs: object) -> RunState:
    """Return a run that begins with all that `parent` has, and with these outputs."""
    state = RunState("other", parent.state.catalog)
    message = msg.Fork(at, "run", len(parent.events), tuple(parent.events), "me", outputs=dict(outputs))
    events = advance(state, message)
    twin = replay(RunState("other", parent.state.catalog), events)
    assert isinstance(events[-1], ev.RunForked)
    assert {event.run_id for event in events} == {"other"}
    assert (twin.pending, twin.outputs, twin.revision) == (state.pending, state.outputs, state.revision)
    check(state)
    return state


def asking() -> Bench:
    """Return a run that asks its planner about two tasks that have failed."""
    bench = Bench().begin(task("a"), task("b"), task("c", "a", "b"), planner="model")
    bench.fail("a", FailureKind.PERMANENT)
    bench.fail("b", FailureKind.PERMANENT)
    return bench


def test_a_run_that_has_begun_is_no_fork() -> None:
    """Nothing is decided."""
    bench = Bench().begin(task("a"))
    assert bench.send(msg.Fork(0.0, "else", 1, (), "me")) == []


def test_a_task_that_is_given_its_output_is_not_asked_about_any_more() -> None:
    """The planner is asked about the other one; when both are given, about nothing."""
    one, both = forked(asking(), a=1), forked(asking(), a=1, b=2)
    assert one.replan is not None
    assert (one.replan.tasks, "plan" in one.pending) == (["b"], True)
    assert (both.replan, "plan" in both.pending, both.tasks["c"].status) == (None, False, "ready")


def test_what_was_under_way_is_under_way_in_the_fork() -> None:
    """Its dispatch has a key of the fork."""
    bench = Bench().begin(task("a"))
    bench.admit("a")
    assert list(forked(bench).pending) == ["other/a/1/1/1"]


def test_time_begins_anew_in_a_fork() -> None:
    """What passed until the place, and between the place and the fork, counts for no limit."""
    model = AgentCard(name="model", needs_model=True, asks_model=True)
    bench = Bench(model)
    own = Budget(max_seconds=20)
    tasks = (Task("a", "model", budget=own), Task("b", "model", budget=own), Task("c", "worker", needs=("b",)))
    bench.begin(*tasks, budget=Budget(max_seconds=60))
    bench.admit("b")
    bench.now = 5.0
    bench.fail("b", FailureKind.TRANSIENT)
    bench.admit("a")
    state = forked(bench, at=90_000.0)
    a, b = state.tasks["a"], state.tasks["b"]
    assert (state.ran, running_time(state, 90_004.0), end_of_run(state)) == (0.0, 4.0, 90_060.0)
    assert (end_of(state, a), end_of(state, b)) == (90_020.0, 90_060.0)
    assert (a.started, b.ladder and b.ladder.since) == (90_000.0, 90_000.0)
    ripen(state, "b")
    advance(state, msg.Admit(90_010.0, "b"))
    assert end_of(state, b) == 90_030.0
