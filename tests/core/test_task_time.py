"""The seconds of a task: what counts of its running time, over waiting for people, back-offs and take-overs."""

import pytest

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from agentorch.core.reservations import end_of
from agentorch.core.task import Task
from agentorch.core.task_time import task_time
from agentorch.core.usage import Budget
from tests.core.bench import Bench, task

SHY = AgentCard(name="shy", policy=Policy(approval="before"))


def limited(*others: Task, seconds: float = 10) -> Bench:
    """Return a run whose task `a` has seconds of its own."""
    return Bench(SHY).begin(Task("a", "worker", budget=Budget(max_seconds=seconds)), *others, answer="$a")


def used(bench: Bench) -> float:
    """Return what `a` has used of its seconds by now."""
    account = bench.state.tasks["a"].account
    assert account is not None
    return task_time(bench.state, account, bench.now)


def ask(bench: Bench, name: str, question: str = "q") -> None:
    """Let the dispatch of a task ask a person."""
    bench.send(msg.Ask(bench.now, bench.key(name), question, "Sure?", {}))


def test_time_in_which_a_task_waits_for_a_person_is_not_its_own() -> None:
    """Also while the rest of the run goes on."""
    bench = limited(task("b"))
    bench.now = 100.0
    bench.admit("a")
    bench.admit("b")
    bench.now = 103.0
    ask(bench, "a")
    bench.now = 500.0
    bench.send(msg.Report(bench.now, bench.key("b"), "half"))
    waiting = used(bench)
    bench.now = 600.0
    bench.send(msg.Answer(bench.now, "q", "yes", "ann"))
    bench.now = 604.0

    assert (waiting, used(bench)) == (3.0, 7.0)
    assert end_of(bench.state, bench.state.tasks["a"]) == 607.0


def test_time_in_which_only_what_it_called_waits_for_a_person_is_not_its_own() -> None:
    """For as long as nothing else of it can go on: with another child at work it counts."""
    bench = limited()
    key = bench.admit("a")
    for name, agent in (("a.1", "shy"), ("a.2", "worker")):
        bench.send(msg.Delegate(bench.now, key, name, agent, {"n": name}))
        bench.admit(name)
    bench.now = 4.0
    both = used(bench)
    bench.succeed("a.2")
    bench.now = 1000.0
    alone = used(bench)
    bench.send(msg.Answer(bench.now, next(iter(bench.state.requests)), True, "ann"))
    bench.now = 1001.0

    assert (both, alone, used(bench)) == (4.0, 4.0, 5.0)


def test_back_offs_and_attempts_are_its_time() -> None:
    """The limit holds for all that is tried."""
    bench = limited()
    bench.admit("a")
    bench.now = 2.0
    bench.fail("a", FailureKind.TRANSIENT)
    bench.now = 6.0
    bench.ripe("a")
    bench.admit("a")
    bench.now = 7.0

    assert used(bench) == 7.0


def test_time_in_which_nobody_carries_the_run_out_is_not_its_own() -> None:
    """From the last event before a crash to the take-over."""
    bench = limited()
    bench.admit("a")
    bench.now = 9.0
    bench.send(msg.Report(bench.now, bench.key("a"), "nearly"))
    bench.now = 9000.0
    bench.send(msg.Adopt(bench.now, "me"))
    bench.now = 9000.5

    assert used(bench) == 9.5
    assert end_of(bench.state, bench.state.tasks["a"]) == 9001.0


@pytest.mark.parametrize(("now", "status"), [(9.9, "running"), (10.0, "failed")])
def test_a_task_ends_when_its_seconds_are_up(now: float, status: str) -> None:
    """With what it has delegated, and not before."""
    bench = limited()
    key = bench.admit("a")
    bench.send(msg.Delegate(bench.now, key, "a.1", "worker", {"n": 1}))
    bench.admit("a.1")
    bench.now = now
    bench.send(msg.TimeUp(now, "a"))
    bench.send(msg.TimeUp(now, "nobody"))
    problem = bench.state.tasks["a"].problem

    assert bench.statuses["a"] == status
    assert bench.statuses["a.1"] == ("running" if status == "running" else "cancelled")
    assert problem is None or (problem.code, problem.message) == ("budget", "the 10 seconds of 'a' are up")


def test_a_task_that_waits_for_a_person_is_not_ended() -> None:
    """A timer that came meanwhile is wrong; a task without seconds is not ended by any."""
    bench = limited(task("b"))
    bench.admit("a")
    bench.admit("b")
    bench.now = 10.0
    ask(bench, "a")
    bench.send(msg.TimeUp(10.0, "a"))
    bench.send(msg.TimeUp(10.0, "b"))

    assert bench.statuses == {"a": "running", "b": "running"}
