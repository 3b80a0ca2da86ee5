"""Approvals before a task starts: a yes is for the agent that was asked about, and for that call of it."""

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from tests.core.bench import Bench, kinds, task

CAREFUL = Policy(approval="before")


def answer(bench: Bench, value: bool) -> str:
    """Answer the only request; return its id."""
    (request_id,) = bench.state.requests
    bench.send(msg.Answer(bench.now, request_id, value, "ann"))
    return request_id


def test_a_fallback_is_asked_about_before_it_starts() -> None:
    """Its own setting holds, whatever the task's own agent needs."""
    bench = Bench(AgentCard(name="spare", policy=CAREFUL)).begin(task("a", fallback=("spare",)))
    bench.fail("a")
    bench.admit("a")
    waits = bench.statuses["a"]
    asked = answer(bench, True)
    bench.admit("a")

    assert (waits, asked, bench.statuses["a"]) == ("approval", "approve:a:1:2:spare", "running")


def test_a_yes_to_one_agent_is_no_yes_to_the_next() -> None:
    """Each is asked about in a request of its own."""
    bench = Bench(AgentCard(name="first", policy=CAREFUL), AgentCard(name="spare", policy=CAREFUL))
    bench.begin(task("a", agent="first", fallback=("spare",)))
    bench.admit("a")
    first = answer(bench, True)
    bench.fail("a")
    bench.admit("a")
    waits = bench.statuses["a"]
    second = answer(bench, False)

    assert (first, waits) == ("approve:a:1:1:first", "approval")
    assert (second, bench.statuses["a"]) == ("approve:a:1:2:spare", "failed")


def test_a_yes_holds_for_the_attempts_of_one_agent() -> None:
    """A fresh start is not asked about again."""
    bench = Bench().begin(task("a", approval="before", attempts=2))
    bench.admit("a")
    answer(bench, True)
    bench.fail("a")
    bench.fail("a")

    assert not bench.state.requests


def test_an_agent_that_is_called_again_after_a_cut_goes_on_with_its_question() -> None:
    """It is the same attempt: a person is asked the same question, and one answer is enough."""
    bench = Bench(AgentCard(name="child", policy=CAREFUL)).begin(task("a"))
    key = bench.admit("a")
    bench.send(msg.Delegate(bench.now, key, "a.1.child", "child", {}))
    bench.admit("a.1.child")
    (first,) = bench.state.requests
    bench.fail("a", kind=FailureKind.TRANSIENT)
    bench.ripe("a")
    again = bench.admit("a")
    bench.send(msg.Delegate(bench.now, again, "a.1.child", "child", {}))
    bench.admit("a.1.child")
    (second,) = bench.state.requests

    assert (first, second) == ("approve:a.1.child:1:1:child", "approve:a.1.child:1:1:child")
    assert kinds(bench.send(msg.Answer(bench.now, first, True, "ann"))) == ["RequestAnswered a.1.child"]
