"""Budgets of tasks within that of the run: who waits for whom, and who for nobody."""

from typing import Any

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from agentorch.core.reservations import calls_within, lines_of, narrow_accounts
from agentorch.core.state import TaskState
from agentorch.core.task import Task
from agentorch.core.usage import Budget, Usage
from tests.core.bench import Bench, kinds

WRITER = AgentCard(name="writer", needs_model=True)
ONE = Usage(calls=1)


def written(name: str, **limits: Any) -> Task:
    """Return a task that needs a model and has a budget of its own."""
    return Task(name, "writer", budget=Budget(**limits) if limits else None)


def started(*tasks: Task, **limits: Any) -> Bench:
    """Return a run of these tasks, of which whatever is ready was admitted."""
    bench = Bench(WRITER).begin(
        *tasks, answer=f"${tasks[-1].id}", budget=Budget(**limits), policy=Policy(replans=0, attempts=1)
    )
    while bench.state.ready_count:
        bench.admit()
    return bench


def delegated(bench: Bench, caller: str, *names: str) -> None:
    """Let a running task delegate to writers, and admit them."""
    for number, name in enumerate(names):
        bench.send(msg.Delegate(bench.now, bench.key(caller), name, "writer", {"n": number}))
        bench.admit(name)


def queued(bench: Bench) -> list[tuple[str, str | None]]:
    """Return who has waited for budget, and whose account had no room."""
    return [(event.task, event.account) for event in bench.events if isinstance(event, ev.TaskQueued)]


def test_whose_own_budget_is_small_waits_for_nobody() -> None:
    """It takes what there is, with a budget of the run and without; and nobody waits behind it."""
    for limits in ({}, {"max_tokens": 100_000}):
        bench = started(written("hog"), written("small", max_tokens=10), written("free", max_calls=5), **limits)
        reserved = {one.task: one.reserved for one in bench.events if isinstance(one, ev.TaskStarted)}
        small = reserved["small"]
        assert (queued(bench), small and small.tokens, "free" in reserved) == ([], 10, True)
        events = bench.fail("small", FailureKind.BUDGET)
        assert kinds(events) == ["AttemptFailed small", "TaskFailed small"]


def test_whose_own_budget_is_used_up_fails_at_once() -> None:
    """No wait brings anything back, whoever else is at work."""
    bench = started(written("hog"), written("small", max_calls=1), max_calls=9)
    bench.send(msg.CallModel(bench.now, "c1", ONE, ONE, bench.key("small")))
    bench.send(msg.Spend(bench.now, "a call", ONE, "c1"))
    events = bench.fail("small", FailureKind.TRANSIENT)
    assert kinds(events)[-1] == "TaskRetried small"
    bench.ripe("small")
    bench.admit("small")
    problem = bench.state.tasks["small"].problem
    assert problem is not None
    assert (bench.statuses["small"], problem.message) == (
        "failed",
        "all of max_calls=1 model calls of 'small' are used",
    )


def test_what_a_task_delegates_waits_for_its_siblings_and_in_nobody_s_way() -> None:
    """Each is called up when something comes back within the account of their caller, not elsewhere."""
    caller = Task("p", "worker", budget=Budget(max_calls=2))
    bench = started(caller, written("x"), written("y"), max_calls=9)
    delegated(bench, "p", "p.1", "p.2", "p.3", "p.4")
    assert queued(bench) == [("p.3", "p"), ("p.4", "p")]
    bench.succeed("x", usage=ONE)
    assert (bench.statuses["p.3"], bench.state.called_up) == ("budget", None)
    bench.succeed("p.1")
    assert (bench.statuses["p.3"], bench.statuses["p.4"]) == ("ready", "budget")
    bench.admit("p.3")
    assert (bench.statuses["p.3"], bench.statuses["p.4"]) == ("running", "ready")
    bench.admit("p.4")
    assert bench.statuses["p.4"] == "budget"
    bench.succeed("p")
    assert (bench.state.queued_within, bench.statuses["p.4"]) == ({}, "cancelled")
    bench.run_out()


def test_a_sibling_that_failed_for_want_of_budget_comes_again() -> None:
    """When another one of the same account gives something back; with nobody to do so it fails."""
    bench = started(Task("p", "worker", budget=Budget(max_calls=2)), written("x"), max_calls=9)
    delegated(bench, "p", "p.1", "p.2")
    events = bench.fail("p.2", FailureKind.BUDGET)
    assert kinds(events)[-1] == "TaskQueued p.2"
    assert queued(bench) == [("p.2", "p")]
    bench.succeed("p.1")
    assert bench.admit("p.2")
    assert kinds(bench.fail("p.2", FailureKind.BUDGET))[-1] == "TaskFailed p.2"


def test_the_calls_that_may_leave_more() -> None:
    """Those in an account that is too narrow for what is wanted; in none where no wait could help."""
    bench = started(written("x", max_calls=2), written("y", max_calls=3), max_calls=9)
    x, y = bench.state.tasks["x"], bench.state.tasks["y"]
    bench.send(msg.CallModel(bench.now, "c1", ONE, ONE, bench.key("x")))

    def found(who: TaskState | None, calls: int) -> tuple[list[str | None], bool]:
        narrow = narrow_accounts(bench.state, who, lambda room: room.calls >= calls)
        return [one.task for one in narrow], calls_within(bench.state, narrow)

    assert (found(x, 1), found(x, 2), found(x, 3)) == (([], False), (["x"], True), ([], False))
    assert (found(y, 3), found(None, 9)) == (([], False), ([None], True))
    assert (lines_of(bench.state, x), lines_of(bench.state, None)) == (["x", ""], [""])
