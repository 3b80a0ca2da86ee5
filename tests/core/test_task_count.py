"""What counts against `max_tasks`: what the plan and its agents ask for, and not the answer that the engine adds."""

from agentorch.core import inbox as msg
from agentorch.core.reservations import remaining
from agentorch.core.state import ANSWERER
from agentorch.core.usage import Budget
from tests.core.bench import Bench, task


def _lacks(bench: Bench) -> dict[str, str]:
    tasks = bench.state.tasks.values()
    return {one.task.id: one.problem.message for one in tasks if one.problem is not None}


def test_a_limit_that_is_used_up_leaves_an_answer() -> None:
    """Of two outputs, whether the run succeeds or one of three tasks is too many."""
    for names, status in (("ab", "succeeded"), ("abc", "partial")):
        bench = Bench().begin(*(task(name) for name in names), budget=Budget(max_tasks=2))
        assert remaining(bench.state, bench.state.tasks["a"], 0.0).max_tasks == max(0, 2 - len(names))
        bench.run_out()
        assert bench.state.status == status
        assert "answer" in bench.state.outputs
        assert _lacks(bench) == dict.fromkeys(names[2:], "the run has 3 tasks, max_tasks=2")


def test_an_answer_over_what_there_is_may_always_be_written() -> None:
    """The plan's answer is beyond the limit: what there is is answered with."""
    bench = Bench().begin(task("a"), task("b", "a"), task("c", "b"), budget=Budget(max_tasks=2)).run_out()
    assert (bench.state.status, "partial-answer" in bench.state.outputs) == ("partial", True)
    assert _lacks(bench) == {"c": "the run has 3 tasks, max_tasks=2"}


def test_a_task_behind_the_answer_counts_as_what_it_is() -> None:
    """Delegated ones come into the run behind the answer that the engine adds: the third of three, and a fourth."""
    bench = Bench().begin(task("a"), task("b"), budget=Budget(max_tasks=3))
    key = bench.admit("a")
    for name in ("a.1", "a.2"):
        bench.send(msg.Delegate(0.0, key, name, "worker", {"n": 1}))
        bench.admit(name)
    assert (bench.statuses["a.1"], _lacks(bench)) == ("running", {"a.2": "the run has 4 tasks, max_tasks=3"})


def test_an_answer_that_somebody_else_asks_for_counts() -> None:
    """The engine's writer, called like any agent."""
    bench = Bench().begin(task("a"), budget=Budget(max_tasks=1))
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", ANSWERER, {"goal": "g", "parts": {}, "missing": []}))
    bench.admit("a.1")
    assert _lacks(bench) == {"a.1": "the run has 2 tasks, max_tasks=1"}


def test_what_is_never_started_counts_and_what_is_taken_out_does_not() -> None:
    """Which tasks are beyond the limit does not depend on the order in which others end."""
    bench = Bench().begin(
        task("a"), task("b", "a"), task("c"), answer="$c", budget=Budget(max_tasks=2), planner="model"
    )
    bench.admit("c")
    assert _lacks(bench) == {"c": "the run has 3 tasks, max_tasks=2"}

    bench = Bench().begin(task("a"), task("b"), answer="$b", budget=Budget(max_tasks=2), planner="model")
    bench.fail("a")
    bench.patched(task("c"), drop=("a",), answer="$b")
    bench.admit("c")
    assert (bench.statuses["c"], _lacks(bench)) == ("running", {})
