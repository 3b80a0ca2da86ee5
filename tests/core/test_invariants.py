"""The invariants notice a state that contradicts itself."""

from collections.abc import Callable

import pytest

from agentorch.core.commands import Withdraw
from agentorch.core.crosscheck import CrossCheck
from agentorch.core.invariants import InvariantError, check, check_near
from agentorch.core.state import CrossCheckState, RunState, Status
from tests.core.bench import Bench, task


def _count_wrong(state: RunState) -> None:
    state.tasks["b"].open = 2


def _lose_a_key(state: RunState) -> None:
    state.pending.clear()


def _hold_a_wish(state: RunState) -> None:
    state.pending["x"] = Withdraw("x", "a")


def _empty_the_heap(state: RunState) -> None:
    state.ranks_stale = False
    state.ready.clear()


def _keep_an_output(state: RunState) -> None:
    state.outputs["b"] = 1


def _judge_nothing(state: RunState) -> None:
    state.checks = {"agree": CrossCheckState(CrossCheck("agree", ("b",), "b"), ("b",), status="done")}


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (_count_wrong, r"\(open, held, lost\) of 'b' is \(2, 0, 0\), but it should be \(1, 0, 0\)"),
        (_lose_a_key, "pending keys is {}"),
        (_hold_a_wish, "waits for no answer"),
        (_empty_the_heap, "'c' is ready and not in the heap of 'worker'"),
        (_keep_an_output, "ids with an output"),
        (_judge_nothing, "judged ids without an output is {'b'}"),
    ],
)
def test_a_contradiction_is_named(break_it: Callable[[RunState], None], words: str) -> None:
    """With the run, the event, the thing and the values."""
    bench = Bench().begin(task("a"), task("b", "a"), task("c"), answer="$b")
    bench.admit("a")
    break_it(bench.state)
    with pytest.raises(InvariantError, match=words):
        check(bench.state)


def test_a_final_task_stays_as_it_ended() -> None:
    """What was final at the last look is so still."""
    bench = Bench().begin(task("a"), task("b"), answer="$b")
    bench.succeed("a")
    ended = check(bench.state)
    ended[("a", 1, 0)] = Status.FAILED
    with pytest.raises(InvariantError, match="a was failed and is succeeded"):
        check(bench.state, ended)


def test_a_large_plan_is_looked_at_near_a_task() -> None:
    """The task, its needs and its dependents."""
    bench = Bench().begin(task("a"), task("b", "a"), task("c", "b"))
    check_near(bench.state, "b")
    bench.state.tasks["a"].held = 1
    with pytest.raises(InvariantError, match="of 'a' is"):
        check_near(bench.state, "b")
