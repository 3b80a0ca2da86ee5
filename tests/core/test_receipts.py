"""Effects that may happen once only: intended, done, voided, and what a person says of one that nobody knows of."""

from typing import Any

import pytest

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.failures import FailureKind
from agentorch.core.state import Receipt
from tests.core.bench import Bench, kinds, task

PAY = "run/a/pay/3-1"
PAYER = AgentCard(name="payer", effects="once", tracked=True)


def begun() -> Bench:
    """Return a run whose only task is running."""
    bench = Bench(PAYER).begin(task("a", agent="payer"))
    bench.admit("a")
    return bench


def intend(bench: Bench, key: str | None = None) -> list[ev.Event]:
    """Let the task be about to pay."""
    return bench.send(msg.Intend(bench.now, key or bench.key("a"), PAY, "pay", "3"))


def test_an_intent_is_given_once_and_only_to_the_current_dispatch() -> None:
    """A stale dispatch gets nothing; nor does a second one for the same effect."""
    bench = begun()
    stale = bench.key("a")
    bench.fail("a", FailureKind.TRANSIENT)
    bench.ripe("a")
    bench.admit("a")
    assert intend(bench, stale) == []
    assert kinds(intend(bench)) == ["EffectIntended a"]
    assert intend(bench) == []
    assert bench.state.receipts == {PAY: Receipt("a", "pay", "3", key=bench.key("a"))}


def test_a_receipt_outlives_its_attempt_and_the_first_one_wins() -> None:
    """Confirmed once; what comes later, and what nobody intended, changes nothing."""
    bench = begun()
    intend(bench)
    bench.send(msg.Confirm(bench.now, PAY, "paid", "tool"))
    again = bench.send(msg.Confirm(bench.now, PAY, "paid twice", "tool"))
    void = bench.send(msg.Void(bench.now, PAY, "probe"))
    unknown = bench.send(msg.Confirm(bench.now, "run/a/pay/3-2", None, "tool"))
    key = bench.key("a")
    bench.fail("a", FailureKind.CRASH)
    assert (again, void, unknown) == ([], [], [])
    assert bench.state.receipts == {PAY: Receipt("a", "pay", "3", done=True, result="paid", key=key)}


def test_what_becomes_of_an_effect_is_kept_after_the_run_s_end() -> None:
    """The problem stands in the last word; the receipt behind it."""
    bench = begun()
    intend(bench)
    bench.send(msg.Cancel(bench.now, "ann"))
    (last,) = [event for event in bench.events if isinstance(event, ev.RunFinished)]
    bench.send(msg.Confirm(bench.now, PAY, "paid", "tool"))
    assert [problem.code for problem in last.problems] == ["cancelled", "cancelled", "unknown"]
    assert bench.state.receipts[PAY].done
    assert "unknown" not in [problem.code for problem in bench.state.problems], "it is known by now"


def test_an_effect_that_did_not_happen_may_be_intended_again_also_after_the_end() -> None:
    """Voided: nothing is left of it."""
    bench = begun()
    intend(bench)
    bench.send(msg.Void(bench.now, PAY, "tool"))
    assert kinds(intend(bench)) == ["EffectIntended a"]
    bench.send(msg.Cancel(bench.now, "ann"))
    assert kinds(bench.send(msg.Void(bench.now, PAY, "tool"))) == ["EffectVoided a"]
    assert (bench.state.receipts[PAY].void, bench.send(msg.Report(bench.now, "run/a/1/1/1", "late"))) == (True, [])


@pytest.mark.parametrize(
    ("said", "then", "receipt"),
    [
        ("done", "ready", Receipt("a", "pay", "3", done=True, key="run/a/1/1/1")),
        ({"done": "by hand"}, "ready", Receipt("a", "pay", "3", done=True, result="by hand", key="run/a/1/1/1")),
        ("retry", "ready", Receipt("a", "pay", "3", void=True, key="run/a/1/1/1")),
        ("skip", "failed", Receipt("a", "pay", "3", key="run/a/1/1/1")),
        (None, "failed", Receipt("a", "pay", "3", key="run/a/1/1/1")),
    ],
    ids=str,
)
def test_a_person_decides_what_nobody_knows(said: Any, then: str, receipt: Receipt) -> None:
    """The task waits for the effect; done and retry go on in the same attempt, skip gives it up."""
    bench = begun()
    intend(bench)
    bench.fail("a", FailureKind.UNKNOWN, effect=PAY)
    waits = bench.statuses["a"]
    (request,) = bench.state.requests.values()
    bench.send(msg.Answer(bench.now, request.request_id, said, "ann"))
    one = bench.state.tasks["a"]
    assert (waits, request.kind, request.effect) == ("effect", "effect", PAY)
    assert (bench.statuses["a"], one.attempt, bench.state.receipts.get(PAY)) == (then, 1, receipt)
    bench.run_out()


def test_an_unknown_effect_without_a_trace_waits_too() -> None:
    """Whoever says so need not have intended anything; a person can only let it be tried again, or give it up."""
    bench = begun()
    bench.fail("a", FailureKind.UNKNOWN)
    (request,) = bench.state.requests.values()
    bench.send(msg.Answer(bench.now, request.request_id, "done", "ann"))
    assert bench.statuses == {"a": "failed"}


@pytest.mark.parametrize("said", ["done", {"done": "by hand"}, "retry"], ids=str)
def test_a_person_says_what_is_to_be_of_a_call_that_was_never_intended(said: Any) -> None:
    """It may be one that has happened in other words: the answer is about this call, and no other receipt changes."""
    bench = begun()
    intend(bench)
    bench.send(msg.Confirm(bench.now, PAY, "paid", "tool"))
    bench.fail("a", FailureKind.UNKNOWN, effect="run/a/pay/4-1")
    (request,) = bench.state.requests.values()
    bench.send(msg.Answer(bench.now, request.request_id, said, "ann"))
    new, old = bench.state.receipts["run/a/pay/4-1"], bench.state.receipts[PAY]
    assert (new.done, new.void, new.result) == (
        said != "retry",
        said == "retry",
        "by hand" if "done" in said and said != "done" else None,
    )
    assert (new.tool, new.arguments, old.done, old.result) == ("pay", "4", True, "paid")


def test_no_patch_touches_a_task_with_an_open_effect() -> None:
    """The planner is told why."""
    bench = Bench(PAYER).begin(task("a", agent="payer"), task("b"), answer="$b", planner="model")
    bench.admit("a")
    intend(bench)
    bench.fail("b")
    refused = bench.patched(task("a"), task("b", inputs={"x": 1}))
    (event,) = refused
    assert isinstance(event, ev.PlanRejected)
    assert "nobody knows whether it has happened" in event.problems[0].message


def test_no_patch_touches_the_caller_of_an_agent_with_an_open_effect() -> None:
    """What it has delegated would be taken out, and the next one would pay again."""
    bench = Bench(PAYER).begin(task("a"), task("b"), answer="$b", planner="model")
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1.payer", "payer", {"n": 1}))
    key = bench.admit("a.1.payer")
    bench.send(msg.Intend(bench.now, key, "run/a.payer/pay/3-1", "pay", "3"))
    bench.fail("b")
    (event,) = bench.patched(task("a", inputs={"n": 2}), task("b", inputs={"x": 1}))
    assert isinstance(event, ev.PlanRejected)
    assert "nobody knows whether it has happened" in event.problems[0].message


def test_no_patch_drops_a_task_that_has_had_an_effect() -> None:
    """Under another id it would have it again; under its own it finds the receipt."""
    bench = Bench(PAYER).begin(task("a", agent="payer", attempts=1), task("b"), answer="$b", planner="model")
    bench.admit("a")
    intend(bench)
    bench.send(msg.Confirm(bench.now, PAY, "paid", "tool"))
    bench.fail("a", FailureKind.PERMANENT)
    (event,) = bench.patched(task("c", agent="payer"), drop=("a",))
    assert isinstance(event, ev.PlanRejected)
    assert (event.problems[0].message, event.problems[0].remedy) == (
        "'a' has had an effect: it may not be dropped, since another task would have it again",
        "keep it as 'a', with another agent, objective or inputs",
    )
    assert kinds(bench.patched(task("a", agent="payer", inputs={"n": 2})))[:1] == ["PlanPatched"]


def test_a_patch_may_drop_a_task_whose_effect_has_not_happened() -> None:
    """Nothing that another task does is done again."""
    bench = Bench(PAYER).begin(task("a", agent="payer", attempts=1), task("b"), answer="$b", planner="model")
    bench.admit("a")
    intend(bench)
    bench.send(msg.Void(bench.now, PAY, "probe"))
    bench.fail("a", FailureKind.PERMANENT)
    assert kinds(bench.patched(task("c", agent="payer"), drop=("a",)))[:1] == ["PlanPatched"]
