"""Reservations as the core decides on them: what is set aside, who waits, who is called up, what is said."""

from typing import Any

import pytest

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.accounts import Amount
from agentorch.core.card import AgentCard
from agentorch.core.failures import FailureKind
from agentorch.core.invariants import InvariantError, check
from agentorch.core.reservations import DEFAULT_TOKENS, left_for, remaining
from agentorch.core.state import ANSWERER
from agentorch.core.task import Task
from agentorch.core.usage import Budget, Usage
from tests.core.bench import Bench, kinds, task

WRITER = AgentCard(name="writer", needs_model=True)
ANSWERING = AgentCard(name=ANSWERER, asks_model=True)
ONE = Usage(calls=1)


def written(*names: str, **fields: Any) -> tuple[Task, ...]:
    """Return tasks that need a model."""
    return tuple(Task(name, "writer", **fields) for name in names)


def called(bench: Bench, name: str, call: str, reserved: Usage = ONE) -> list[ev.Event]:
    """Let a running task make a call."""
    return bench.send(msg.CallModel(bench.now, call, reserved, ONE, bench.key(name)))


def admit_all(bench: Bench) -> None:
    """Admit whatever is ready."""
    while bench.state.ready_count:
        bench.admit()


def test_without_limits_nothing_is_set_aside() -> None:
    """There is no account, and no event says anything of one."""
    bench = Bench(WRITER).begin(*written("a"), answer="$a")
    bench.admit("a")
    started = bench.events[-1]
    assert (bench.state.account, bench.state.tasks["a"].account, left_for(bench.state, None)) == (None, None, None)
    assert isinstance(started, ev.TaskStarted)
    assert started.reserved is None
    assert called(bench, "a", "c1") == []
    assert remaining(bench.state, bench.state.tasks["a"], 0.0).max_calls is None


def test_an_estimate_is_what_the_agent_s_tasks_have_used() -> None:
    """At first a page in and a page out; later the mean of what was used, so that more fit."""
    bench = Bench(WRITER).begin(*written("a", "b", "c"), answer="$c", budget=Budget(max_tokens=3 * DEFAULT_TOKENS))
    bench.succeed("a", usage=Usage(100, 50, calls=1))
    bench.succeed("b", usage=Usage(101, 50, calls=2))
    bench.admit("c")
    reserved = [event.reserved for event in bench.events if isinstance(event, ev.TaskStarted)]
    assert [(use.tokens, use.calls) for use in reserved if use is not None] == [(2000, 1), (150, 1), (151, 2)]


def test_those_that_find_no_room_are_called_up_one_by_one() -> None:
    """In the order in which they came; each settlement calls up one, and one more for each that starts."""
    bench = Bench(WRITER).begin(*written("a", "b", "c", "d"), answer="$d", budget=Budget(max_tokens=4_000))
    admit_all(bench)
    assert bench.statuses == {"a": "running", "b": "running", "c": "budget", "d": "budget"}
    events = bench.succeed("a", usage=Usage(10, calls=1))
    assert (kinds(events), bench.state.called_up) == (["TaskSucceeded a"], "c")
    admit_all(bench)
    assert bench.statuses == {"a": "succeeded", "b": "running", "c": "running", "d": "running"}
    queued = [event.task for event in bench.events if isinstance(event, ev.TaskQueued)]
    assert queued == ["c", "d"]


def test_one_that_is_called_up_in_vain_keeps_its_place() -> None:
    """And whoever comes later stands behind it, but for what running tasks delegate."""
    bench = Bench(WRITER).begin(*written("a", "b", "c"), answer="$c", budget=Budget(max_calls=3))
    bench.state.usual, bench.twin.usual = {"writer": (1, _calls(2))}, {"writer": (1, _calls(2))}
    admit_all(bench)
    assert (bench.statuses["a"], [*(bench.state.queued or ())]) == ("running", ["b", "c"])
    bench.send(msg.Delegate(bench.now, bench.key("a"), "a.1", "writer", {"n": 1}))
    assert bench.admit("a.1")
    bench.succeed("a.1", usage=ONE)
    assert bench.state.called_up == "b"
    bench.admit("b")
    assert (bench.statuses["b"], [*(bench.state.queued or ())]) == ("budget", ["b", "c"])


def _calls(count: int) -> Amount:
    return Amount(count)


def test_with_nobody_to_give_back_what_is_left_is_taken() -> None:
    """Less than the estimate is better than nothing; nothing is a failure that names the limit and the remedy."""
    bench = Bench(WRITER).begin(*written("a", "b"), answer="$b", budget=Budget(max_tokens=500))
    bench.succeed("a", usage=Usage(500, calls=1))
    bench.admit("b")
    problem = bench.state.tasks["b"].problem
    assert problem is not None
    assert (problem.code, problem.message) == ("budget", "all of max_tokens=500 tokens are used")
    assert problem.remedy == "raise the budget and start again"
    assert bench.run_out().state.status == "partial"


def test_what_the_answer_needs_is_kept_free() -> None:
    """From the start, where there may be something to answer from; planning leaves it too."""
    bench = Bench(WRITER, ANSWERING).begin(*written("a", "b"), budget=Budget(max_calls=2))
    left = left_for(bench.state, None)
    assert (left.calls if left is not None else None) == 1
    admit_all(bench)
    assert bench.statuses["b"] == "budget"
    bench.succeed("a", usage=ONE)
    bench.admit("b")
    problem = bench.state.tasks["b"].problem
    assert problem is not None
    assert problem.message == "what is left of max_calls=2 is kept for the answer"
    bench.admit("answer")
    called(bench, "answer", "c1")
    bench.succeed("answer", usage=None)
    assert (bench.state.status, bench.state.spent.calls) == ("partial", 2)


def test_an_agent_without_a_model_stands_in() -> None:
    """The reason is said with it, and stays in the words of why."""
    poet = AgentCard(name="poet", needs_model=True, fallback=("other", "rhymer"))
    bench = Bench(poet, AgentCard(name="other", needs_model=True), AgentCard(name="rhymer"))
    bench.begin(task("a", agent="poet"), budget=Budget(max_calls=0))
    bench.admit("a")
    ladder = bench.state.tasks["a"].ladder
    assert ladder is not None
    assert (ladder.agent, ladder.first) == ("rhymer", "'poet' failed: all of max_calls=0 model calls are used")
    assert bench.succeed("a", 1)


def test_who_may_have_acted_has_no_stand_in() -> None:
    """What may happen once only is not done again by another agent."""
    payer = AgentCard(name="payer", needs_model=True, effects="once", fallback=("worker",))
    bench = Bench(payer).begin(task("a", agent="payer"), budget=Budget(max_calls=1))
    bench.now = 1.0
    bench.admit("a")
    bench.fail("a", FailureKind.BUDGET, usage=ONE)
    assert bench.statuses["a"] == "failed"


def test_an_attempt_without_budget_goes_on_when_others_give_back() -> None:
    """With nobody to give back it has failed."""
    bench = Bench(WRITER).begin(*written("a", "b"), answer="$b", budget=Budget(max_tokens=10_000))
    admit_all(bench)
    events = bench.fail("a", FailureKind.BUDGET)
    assert kinds(events) == ["AttemptFailed a", "TaskRetried a", "TaskQueued a"]
    bench.succeed("b", usage=ONE)
    assert bench.admit("a") == "run/a/1/1/2"
    bench.fail("a", FailureKind.BUDGET)
    assert bench.statuses["a"] == "failed"


def test_a_call_is_settled_once() -> None:
    """By its step, or by itself; a second word of it changes nothing, nor does one of a stranger."""
    bench = Bench(WRITER).begin(*written("a"), answer="$a", budget=Budget(max_calls=5, max_tokens=9_000))
    key = bench.admit("a")
    assert kinds(called(bench, "a", "c1", Usage(1_000, 500, calls=1))) == ["ModelCalled a"]
    assert called(bench, "a", "c1") == []
    assert bench.send(msg.CallModel(0.0, "c9", ONE, ONE, "run/a/1/9/9")) == []
    assert remaining(bench.state, bench.state.tasks["a"], 0.0).max_tokens == 7_500
    bench.send(msg.FinishStep(0.0, key, "model:1", "model", "said", Usage(10, 5, calls=1), "c1"))
    assert bench.send(msg.Spend(0.0, "a call", ONE, "c1")) == []
    called(bench, "a", "c2")
    assert kinds(bench.send(msg.Spend(0.0, "a call", ONE, "c2"))) == ["UsageAdded a"]
    bench.send(msg.CallModel(0.0, "p1", ONE, ONE, purpose="planning"))
    bench.send(msg.Spend(0.0, "planning", ONE, "p1"))
    spent = bench.state.tasks["a"].spent
    assert spent is not None
    assert (spent.calls, bench.state.spent.calls, bench.state.spent.tokens) == (2, 3, 15)


def test_a_call_that_outlives_its_attempt_is_charged_late() -> None:
    """A step that comes too late is no step, and its use is charged to its task, in the place of the estimate."""
    bench = Bench(WRITER).begin(*written("a", "b"), answer="$b", budget=Budget(max_calls=9))
    key = bench.admit("a")
    called(bench, "a", "c1")
    bench.succeed("a")
    assert kinds(bench.send(msg.FinishStep(0.0, key, "s", "model", 1, ONE, "c1"))) == ["OutcomeLate a"]
    assert bench.send(msg.FinishStep(0.0, key, "s", "model", 1, ONE, "c1")) == []
    bench.send(msg.FinishStep(0.0, key, "t", "model", 1, ONE))
    assert (bench.state.spent.calls, bench.state.calls) == (2, {})


def test_calls_that_nobody_tells_of_are_charged_as_expected() -> None:
    """When the run is taken over, and at its end."""
    bench = Bench(WRITER).begin(*written("a"), answer="$a", budget=Budget(max_calls=9))
    bench.admit("a")
    called(bench, "a", "c1")
    assert kinds(bench.send(msg.Adopt(0.0, "other"))) == ["RunAdopted", "UsageAdded a"]
    called(bench, "a", "c2")
    bench.succeed("a")
    assert kinds(bench.events[-2:]) == ["UsageAdded a", "RunFinished"]
    assert bench.state.spent.calls == 2


def test_a_task_s_budget_bounds_all_its_attempts_and_children() -> None:
    """Within that of the run, if there is one."""
    (a,) = written("a", budget=Budget(max_calls=2))
    bench = Bench(WRITER).begin(a, task("b", "a", join="settled"), answer="$b")
    bench.admit("a")
    bench.send(msg.Delegate(0.0, bench.key("a"), "a.1", "writer", {"n": 2}))
    bench.succeed("a.1", usage=ONE)
    bench.fail("a", FailureKind.CRASH, usage=ONE)
    bench.admit("a")
    problem = bench.state.tasks["a"].problem
    assert problem is not None
    assert problem.message == "all of max_calls=2 model calls of 'a' are used"
    assert bench.run_out().state.status == "partial"


def test_what_a_task_may_delegate_is_bounded() -> None:
    """In number and in depth, for it and for what it delegates."""
    budget = Budget(max_tasks=2, max_depth=1)
    bench = Bench(WRITER).begin(Task("a", "worker", budget=budget), budget=Budget(max_calls=9))
    bench.admit("a")
    bench.send(msg.Delegate(0.0, bench.key("a"), "a.1", "worker", {"n": 3}))
    bench.admit("a.1")
    bench.send(msg.Delegate(0.0, bench.key("a.1"), "a.2", "worker", {"n": 4}))
    bench.admit("a.2")
    bench.send(msg.Delegate(0.0, bench.key("a"), "a.3", "worker", {"n": 5}))
    words = [problem.message for one in ("a.2", "a.3") if (problem := bench.state.tasks[one].problem) is not None]
    assert words == ["delegation is 2 levels below 'a', max_depth=1", "'a' has delegated 2 tasks, max_tasks=2"]


def test_a_task_s_time_is_its_own_and_that_of_its_children() -> None:
    """It runs from its first start; `remaining` says what is left of it, and of everything else."""
    budget = Budget(max_seconds=10)
    bench = Bench().begin(Task("a", "worker", budget=budget), budget=Budget(max_seconds=100, max_tasks=5))
    key = bench.admit("a")
    bench.send(msg.Delegate(0.0, key, "a.1", "worker", {"n": 6}))
    left = remaining(bench.state, bench.state.tasks["a.1"], 4.0)
    assert (left.max_seconds, left.max_depth, left.max_tasks) == (6.0, 7, 3)
    bench.now = 10.0
    bench.admit("a.1")
    problem = bench.state.tasks["a.1"].problem
    assert problem is not None
    assert problem.message == "the 10 seconds of 'a' are up"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("spent", "the run's account has"),
        ("open", "under way for a is"),
        ("inside", "has spent"),
        ("aside", "which does not run"),
        ("admitted", "admitted is 5"),
        ("queued", "nobody will call them up"),
        ("room", "nobody can give any back"),
        ("called", "was called up and is not ready"),
        ("held", "the run is finished and"),
    ],
)
def test_accounts_that_contradict_themselves_are_noticed(damage: str, words: str) -> None:
    """Each thing that must hold is looked at."""
    bench = Bench(WRITER).begin(*written("a", "b"), answer="$b", budget=Budget(max_tokens=2_000))
    admit_all(bench)
    state, account = bench.state, bench.state.tasks["a"].account
    assert state.account is not None
    assert account is not None
    match damage:
        case "spent":
            state.account.spent += _calls(1)
        case "open":
            account.under_way += _calls(1)
        case "inside":
            account.spent += _calls(1)
        case "aside":
            account.admitted, state.admitted = False, 0
        case "admitted":
            state.admitted = 5
        case "queued":
            state.queued = None
        case "room":
            state.room = True
        case "called":
            state.called_up = "a"
        case _:
            bench.run_out()
            state.account.under_way += _calls(1)
    with pytest.raises(InvariantError, match=words):
        check(state)


def test_the_rest_of_the_books() -> None:
    """Use told late by an outcome counts for its task; a call that outlives a patched-out task counts for the run."""
    bench = Bench(WRITER).begin(*written("a", "b"), answer="$b", budget=Budget(max_calls=5), planner="model")
    key = bench.admit("a")
    called(bench, "a", "c1")
    bench.fail("a")
    bench.patched(task("c"), drop=("a",))
    bench.send(msg.Spend(0.0, "a call", ONE, "c1"))
    bench.send(msg.Succeed(0.0, key, "late", ONE))
    assert (bench.state.calls, bench.state.spent.calls) == ({}, 2)


def test_whoever_is_gone_is_not_called_up() -> None:
    """A task that was patched out while it waited for budget is passed over, and the next one has its turn."""
    bench = Bench(WRITER).begin(
        *written("a", "b", "c", "d"), answer="$c", planner="model", budget=Budget(max_tokens=4_000)
    )
    admit_all(bench)
    assert [*(bench.state.queued or ())] == ["c", "d"]
    bench.fail("a")
    bench.patched(task("a"), drop=("d",))
    admit_all(bench)
    bench.succeed("a")
    bench.succeed("b", usage=ONE)
    admit_all(bench)
    assert bench.run_out().state.status == "succeeded"


def test_while_the_plan_is_written_an_answer_is_kept_for() -> None:
    """There may be one; a task of it that asks for more than the rest waits for nobody and takes what is left."""
    bench = Bench(WRITER, ANSWERING).begin(budget=Budget(max_calls=3, max_depth=None))
    left = left_for(bench.state, None)
    assert (left.calls if left is not None else None) == 2
    bench.send(msg.Propose(0.0, written("a"), "model"))
    assert bench.admit("a")
    one = remaining(bench.state, bench.state.tasks["a"], 0.0)
    assert (one.max_depth, one.max_calls) == (None, 3)


def test_whoever_comes_while_another_is_called_up_stands_behind_it() -> None:
    """Nothing is kept where a task of the plan is the answer; the turn of the one that was called up stays its own."""
    bench = Bench(WRITER, ANSWERING).begin(
        *written("a", "b", "c"), *written("e", needs=("a",)), answer="$b", budget=Budget(max_tokens=4_000)
    )
    admit_all(bench)
    bench.succeed("a", usage=Usage(10, calls=1))
    assert bench.state.called_up == "c"
    bench.admit("e")
    assert (bench.statuses["e"], bench.state.called_up, bench.state.room) == ("budget", "c", True)


def test_a_caller_does_not_wait_for_what_the_called_agent_has_waited_for() -> None:
    """Its own call of a model would wait while another task holds what is left; the failure of an agent does not."""
    statuses: list[str] = []
    for of_an_agent in (False, True):
        bench = Bench(WRITER).begin(task("a"), task("b", agent="writer"), answer="$b", budget=Budget(max_calls=1))
        bench.admit("b")
        key = bench.admit("a")
        bench.send(msg.Fail(0.0, key, FailureKind.BUDGET, ("'writer' failed: too little is left",), called=of_an_agent))
        statuses.append(bench.statuses["a"])
    assert statuses == ["budget", "failed"]


def test_the_call_of_a_task_that_starts_again_counts_until_somebody_tells_of_it() -> None:
    """It was stopped in its call because what it needs was changed: what it may still use is nobody else's."""
    bench = Bench(WRITER).begin(
        task("a"), *written("b", needs=("a",)), task("x"), answer="$b", planner="model", budget=Budget(max_calls=2)
    )
    bench.succeed("a")
    key = bench.admit("b")
    called(bench, "b", "c1")
    bench.fail("x")
    bench.patched(task("a", inputs={"n": 1}), task("x", inputs={"n": 1}))
    during = left_for(bench.state, None)
    bench.send(msg.Spend(bench.now, f"a call of {key}", ONE, "c1"))
    after = left_for(bench.state, None)

    assert bench.statuses["b"] == "pending"
    assert [left.calls for left in (during, after) if left is not None] == [1, 1]
    assert bench.state.spent.calls == 1
