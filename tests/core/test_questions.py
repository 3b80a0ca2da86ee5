"""Questions to a person: who waits for an answer takes no slot, and a run of which all wait is idle."""

from typing import Any

import pytest

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import Policy
from agentorch.core.requests import problems_of_answer
from tests.core.bench import Bench, task

PROBLEM = Problem("x", "words")


def test_who_asks_a_person_takes_no_slot() -> None:
    """Nor while its callers wait for it; the run is idle until the answer, the stop of another dispatch, or the end."""
    bench = Bench().begin(task("a"), task("b"), answer="$b")
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    ready = (bench.state.blocked, bench.state.idle)
    bench.send(msg.Ask(0.0, bench.admit("a.1"), "q1", "which?", {}))
    bench.send(msg.Ask(0.0, bench.key("a.1"), "q2", "and?", {}))
    bench.admit("b")
    busy = (bench.state.blocked, bench.state.idle)
    bench.send(msg.Ask(0.0, bench.key("b"), "q3", "which?", {}))
    asking = (bench.state.blocked, bench.state.idle)
    bench.send(msg.Answer(0.0, "q1", 1, "ann"))
    half = (bench.state.blocked, bench.state.idle)
    bench.send(msg.Answer(0.0, "q2", 1, "ann"))
    assert (ready, busy, asking, half) == ((1, False), (2, False), (3, True), (3, True))
    assert (bench.state.blocked, bench.state.idle) == (2, False)


def test_a_later_dispatch_of_an_attempt_asks_the_same_question() -> None:
    """It is asked of the person once, and whoever asks waits for it, not who went before; late it is asked no more."""
    bench = Bench().begin(task("a"), task("b"), answer="$b")
    first = bench.admit("a")
    bench.send(msg.Ask(0.0, first, "q1", "which?", {}))
    bench.fail("a", FailureKind.TRANSIENT)
    bench.ripe("a")
    bench.admit("a")
    at_work = (bench.state.blocked, bench.commands)
    stale = bench.send(msg.Ask(0.0, first, "q1", "which?", {}))
    bench.send(msg.Ask(0.0, bench.key("a"), "q1", "which?", {}))
    waits = (bench.state.blocked, bench.commands)
    bench.succeed("a")
    assert (at_work[0], stale, waits, bench.state.blocked) == (0, [], (1, []), 0)


def test_an_answer_to_a_dispatch_that_is_gone_waits_for_the_next() -> None:
    """Nobody is freed by it, and nobody asks again."""
    bench = Bench().begin(task("a"))
    bench.send(msg.Ask(0.0, bench.admit("a"), "q1", "which?", {}))
    bench.fail("a", FailureKind.TRANSIENT)
    bench.ripe("a")
    bench.admit("a")
    bench.send(msg.Answer(0.0, "q1", 1, "ann"))
    assert bench.send(msg.Ask(0.0, bench.key("a"), "q1", "which?", {})) == []
    assert (bench.state.blocked, bench.state.answers) == (0, {"q1": 1})


def test_a_stopped_run_whose_tasks_wait_for_others_is_idle() -> None:
    """What they wait for is not started any more."""
    bench = Bench().begin(task("a"))
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    bench.send(msg.Stop(0.0, PROBLEM))
    assert bench.state.idle


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (True, ()),
        (False, ()),
        ("yes", ("'yes' is not boolean",)),
        (1, ("1 is not boolean",)),
        (None, ("None is not boolean",)),
    ],
)
def test_an_approval_is_answered_with_true_or_false(value: Any, problems: tuple[str, ...]) -> None:
    """Anything else is neither a yes nor a no."""
    bench = Bench(AgentCard(name="shy", policy=Policy(approval="before"))).begin(task("a", agent="shy"))
    bench.admit("a")
    assert problems_of_answer(bench.state.requests["approve:a:1:1:shy"], value) == problems


@pytest.mark.parametrize(("value", "fits"), [("retry", True), ("fail", True), ({"output": 7}, True), ("later", False)])
def test_the_last_rung_takes_what_it_offers(value: Any, fits: bool) -> None:
    """Retry, fail, or an output."""
    bench = Bench().begin(task("a"), task("b"), answer="$b", person=True)
    bench.fail("a")
    assert (problems_of_answer(bench.state.requests["failure:a:1:1"], value) == ()) is fits


def test_a_question_without_a_schema_takes_any_answer() -> None:
    """Who asks says what is wanted, or takes what comes."""
    bench = Bench().begin(task("a"))
    bench.send(msg.Ask(0.0, bench.admit("a"), "q1", "which?", {}))
    assert problems_of_answer(bench.state.requests["q1"], ["anything"]) == ()
