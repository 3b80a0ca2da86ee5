"""Agents that repeat themselves: attempts that bring the same again, and agents that call each other in a circle."""

import pytest

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.events import TaskFailed, TaskRetried
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from tests.core.bench import Bench, kinds, task

INVALID, CRASH = FailureKind.INVALID, FailureKind.CRASH
MENDER = AgentCard(name="mender", repairable=True, models=2)


def _rungs(bench: Bench) -> list[tuple[str, int | None]]:
    return [(event.rung, event.repeats) for event in bench.events if isinstance(event, TaskRetried)]


def test_an_attempt_that_brings_the_same_again_is_not_repeated() -> None:
    """After the same repair comes the fresh start, after the same fresh start the next model, counted anew."""
    bench = Bench(MENDER).begin(task("a", agent="mender"))
    while not bench.state.finished:
        bench.fail("a", INVALID, output="bad")
    assert _rungs(bench) == [("repair", None), ("retry", 1), ("model", 1), ("repair", None), ("retry", 4)]
    last = bench.events[-2]
    assert isinstance(last, TaskFailed)
    assert last.problem.message == "no (stalled: output and problems are those of attempt 4)"


def test_a_fresh_start_that_brings_what_a_repair_brought_is_a_stall_too() -> None:
    """Any earlier attempt of the same agent and model counts, not only the last."""
    bench = Bench(MENDER).begin(task("a", agent="mender"))
    for output in ("one", "two", "three", "one"):
        bench.fail("a", INVALID, output=output)
    assert _rungs(bench) == [("repair", None), ("repair", None), ("retry", None), ("model", 1)]


def test_the_same_output_with_other_problems_is_no_stall() -> None:
    """Nor are other outputs, crashes, or anything at all where the policy does not look."""
    bench = Bench(MENDER).begin(task("a", agent="mender"))
    for problem in ("p1", "p2"):
        bench.send(msg.Fail(0.0, bench.admit("a"), INVALID, (problem,), "bad"))
    assert _rungs(bench) == [("repair", None), ("repair", None)]
    crashing = Bench(MENDER).begin(task("a", agent="mender", attempts=3))
    for _ in range(2):
        crashing.fail("a", CRASH)
    assert _rungs(crashing) == [("retry", None), ("retry", None)]
    unwatched = Bench(MENDER).begin(task("a", agent="mender", repeats=None))
    for _ in range(2):
        unwatched.fail("a", INVALID, output="bad")
    assert _rungs(unwatched) == [("repair", None), ("repair", None)]


PARTS = (AgentCard(name="left"), AgentCard(name="right"))


def _call(bench: Bench, name: str, agent: str, number: int) -> list[str]:
    """Let the deepest running task call an agent, and admit what it called."""
    caller = [one for one in bench.state.tasks.values() if one.status == "running"][-1]
    events = bench.send(msg.Delegate(0.0, bench.state.key_of(caller), name, agent, {"n": number}))
    if bench.state.tasks[name].status == "ready":
        bench.admit(name)
    return kinds(events)


def test_a_circle_of_calls_with_the_same_inputs_is_refused_before_it_runs() -> None:
    """Whoever called hears which calls lead round; it may catch that and go on."""
    bench = Bench(*PARTS).begin(task("a", agent="left", inputs={"n": 1}))
    bench.admit("a")
    _call(bench, "a.r", "right", 1)
    assert _call(bench, "a.r.l", "left", 1) == ["TaskDelegated a.r.l", "TaskFailed a.r.l"]
    problem = bench.state.tasks["a.r.l"].problem
    assert problem is not None
    assert (problem.code, problem.message) == (
        "stalled",
        "'left' is being called with the same inputs already: 'left' -> 'right' -> 'left'",
    )
    bench.succeed("a.r")
    bench.succeed("a")
    assert bench.state.status == "succeeded"


@pytest.mark.parametrize(
    ("calls", "policy"),
    [
        ([("left", 2), ("left", 3)], Policy()),
        ([("right", 1), ("right", 2), ("left", 3)], Policy()),
        ([("left", 1), ("left", 1)], Policy(repeats=None)),
    ],
)
def test_calls_that_go_on_with_other_inputs_are_no_circle(calls: list[tuple[str, int]], policy: Policy) -> None:
    """An agent may call itself for a smaller part; without `repeats` for anything."""
    bench = Bench(*PARTS).begin(task("a", agent="left", inputs={"n": 1}), policy=policy)
    bench.admit("a")
    for level, (agent, number) in enumerate(calls):
        assert _call(bench, f"a.{level}", agent, number)[:1] == [f"TaskDelegated a.{level}"]
    assert [one.status for one in bench.state.tasks.values()] == ["running"] * (len(calls) + 1)


def test_the_same_call_one_after_the_other_is_no_circle() -> None:
    """Asking an agent again and again is how one waits for something."""
    bench = Bench(*PARTS).begin(task("a", agent="left", inputs={"n": 1}))
    bench.admit("a")
    for number in range(12):
        _call(bench, f"a.{number}", "right", 1)
        bench.succeed(f"a.{number}", "not yet")
    assert not [event for event in bench.events if isinstance(event, TaskFailed)]
