"""Re-planning by patch: what it keeps, resets, withdraws and refuses."""

from typing import Any

import pytest

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.commands import AskPlanner, Withdraw
from agentorch.core.events import PlanPatched, PlanRejected, ReplanRequested
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from tests.core.bench import Bench, kinds, task

SENDER = AgentCard(name="sender", effects="idempotent")


def _refers(id: str, *needs: str, **fields: Any):  # a task with a reference to each need
    return task(id, *needs, inputs={f"i{n}": f"${need}" for n, need in enumerate(needs)}, **fields)


def test_a_task_that_gave_up_is_unseen_by_joins() -> None:
    """Its dependents wait; its siblings go on."""
    bench = Bench().begin(task("a"), task("b"), task("c", "a", "b", join="settled"), planner="model")
    bench.fail("a")
    bench.succeed("b")
    assert (bench.statuses, bench.state.status) == ({"a": "replan", "b": "succeeded", "c": "pending"}, "replanning")


def test_a_dependent_is_kept_when_its_inputs_come_out_equal() -> None:
    """Early cutoff: what is below a changed task does not run again when the new value is the old one."""
    plan = [task("a"), _refers("b", "a"), task("x"), task("end", "b", "x")]
    bench = Bench().begin(*plan, planner="model")
    bench.succeed("a", 1)
    bench.succeed("b", 2)
    bench.fail("x")
    bench.patched(task("a", inputs={"better": 1}), task("x", inputs={"better": 1}))
    bench.succeed("a", 1)
    bench.admit("b")
    assert (bench.statuses["b"], bench.state.outputs["b"], bench.state.tasks["b"].revision) == ("succeeded", 2, 2)


def test_what_stands_below_a_reset_task_starts_again_too() -> None:
    """All the way down, as far as values come out otherwise."""
    bench = Bench().begin(task("a"), _refers("b", "a"), _refers("c", "b"), task("x", "c"), planner="model")
    for name in ("a", "b", "c"):
        bench.succeed(name, 1)
    bench.fail("x")
    bench.patched(task("a", inputs={"n": 1}), task("x", "c", inputs={"n": 1}))
    before = bench.statuses
    for name in ("a", "b"):
        bench.succeed(name, 2)
    bench.admit("c")
    assert before == {"a": "ready", "b": "pending", "c": "pending", "x": "pending"}
    assert bench.statuses == {"a": "succeeded", "b": "succeeded", "c": "running", "x": "pending"}


def test_a_replan_that_nobody_waits_for_any_more_holds_no_run_open() -> None:
    """Its tasks were cancelled by a join that went on: the run closes, and the patch comes too late."""
    bench = Bench().begin(task("a"), task("b"), task("c", "a", "b", join="any", cancel_rest=True), planner="model")
    bench.fail("a")
    bench.succeed("b")
    bench.succeed("c")
    assert (bench.state.status, bench.patched(task("a", inputs={"n": 1}))) == ("succeeded", [])


def test_the_same_spec_under_another_policy_keeps_its_output() -> None:
    """Only agent, objective and inputs make a task another one."""
    bench = Bench().begin(task("a"), task("x", "a"), planner="model")
    bench.succeed("a", 1)
    bench.fail("x")
    bench.patched(task("a", attempts=5), task("x", "a", inputs={"n": 1}))
    bench.admit("a")
    assert (bench.statuses, bench.state.outputs["a"]) == ({"a": "succeeded", "x": "ready"}, 1)


def test_a_running_task_is_withdrawn_before_it_is_changed() -> None:
    """Its outcome is late then, and what it used counts, once."""
    bench = Bench().begin(task("a"), task("x"), answer="$x", planner="model")
    key = bench.admit("a")
    bench.send(msg.Ask(0.0, key, "q", "which?", {}))
    bench.fail("x")
    bench.patched(task("a", inputs={"n": 1}), task("x", inputs={"n": 1}))
    assert (Withdraw(key, "a") in bench.commands, bench.state.requests) == (True, {})
    assert kinds(bench.send(msg.Succeed(0.0, key, "late"))) == ["OutcomeLate a"]
    assert bench.statuses == {"a": "ready", "x": "ready"}


def test_a_join_that_went_on_without_the_changed_need_stands() -> None:
    """A need that settles later never re-opens a join."""
    bench = Bench().begin(task("a"), task("b"), _refers("c", "a", "b", join="any"), planner="model")
    bench.fail("a")
    bench.succeed("b")
    bench.succeed("c")
    bench.patched(task("a", inputs={"n": 1}))
    bench.succeed("a")
    assert (bench.state.status, bench.state.tasks["c"].revision) == ("succeeded", 1)


def test_a_task_that_gave_up_below_a_changed_one_starts_again() -> None:
    """It is dealt with, though the patch does not name it."""
    bench = Bench().begin(task("a"), _refers("b", "a"), planner="model")
    bench.succeed("a", 1)
    bench.fail("b")
    bench.patched(task("a", inputs={"n": 1}))
    assert bench.statuses == {"a": "ready", "b": "pending"}


def test_what_the_plan_has_is_left_alone_when_it_is_named_again() -> None:
    """A planner that sends the whole plan costs nothing, even where there were effects."""
    done, failed = task("s", agent="sender"), task("x", "s")
    bench = Bench(SENDER).begin(done, failed, planner="model")
    bench.succeed("s")
    bench.fail("x")
    events = bench.patched(done, task("x", "s", inputs={"n": 1}))
    assert [[one.id for one in event.put] for event in events if isinstance(event, PlanPatched)] == [["x"]]


@pytest.mark.parametrize(
    ("put", "drop", "words"),
    [
        ((), (), "changes nothing"),
        ((), ("y",), "drops 'y'"),
        ((task("s", agent="sender", inputs={"n": 1}),), (), "has effects"),
        ((task("x", "s"),), (), "has had before"),
        ((task("x", "gone"),), (), "no task of the plan"),
        ((task("s", "x", agent="worker"),), (), "wait for each other"),
        ((), ("s",), "needs 's'"),
    ],
)
def test_a_bad_patch_is_refused_in_words(put: Any, drop: Any, words: str) -> None:
    """The re-plan goes on: the next planner is asked."""
    bench = Bench(SENDER).begin(task("s", agent="sender"), task("x", "s"), planner="model")
    bench.succeed("s")
    bench.fail("x")
    (event,) = bench.patched(*put, drop=drop)
    assert isinstance(event, PlanRejected)
    assert words in event.problems[0].message
    assert bench.state.status == "replanning"


def test_a_plan_seen_before_is_seen_with_what_the_cards_say_of_joins() -> None:
    """Join settings that come from a card do not hide that a plan comes back."""
    card = AgentCard(name="joiner", policy=Policy(join="settled"))
    bench = Bench(card).begin(task("a"), task("x", "a", agent="joiner"), planner="model")
    bench.succeed("a")
    bench.fail("x")
    (event,) = bench.patched(task("x", "a", agent="joiner"))
    assert isinstance(event, PlanRejected)


def test_problems_that_arrive_meanwhile_join_and_are_asked_about_once_more() -> None:
    """Once; what comes after that gets a re-plan of its own, while there are any left."""
    bench = Bench().begin(task("a"), task("b"), task("c"), task("d"), planner="model")
    bench.fail("a")
    bench.fail("b")
    again = bench.patched(task("a", inputs={"n": 1}))
    stale = bench.send(msg.Patched(0.0, (task("a", inputs={"n": 9}),), (), None, "model", ("a",)))
    bench.fail("c")
    events = bench.patched(task("a", inputs={"n": 1}))
    assert kinds(again) == ["ReplanRequested"]
    assert stale == []
    assert kinds(events) == ["PlanPatched", "TaskFailed b", "ReplanRequested"]
    assert isinstance(events[-1], ReplanRequested)
    assert (events[-1].number, events[-1].tasks, bench.commands[-1]) == (2, ("c",), AskPlanner(2, ("c",)))


def test_without_a_patch_they_go_on_down_the_ladder() -> None:
    """A failed re-plan fails what waited for it."""
    bench = Bench().begin(task("a"), task("b"), planner="model", answer="$b")
    bench.fail("a")
    bench.send(msg.PatchFailed(0.0, (), "planners"))
    idle = bench.send(msg.PatchFailed(0.0, (), "planners"))
    assert (bench.statuses, bench.state.status, idle) == ({"a": "failed", "b": "ready"}, "running", [])


def test_replans_are_bounded() -> None:
    """After the last one a task that gives up has failed."""
    bench = Bench().begin(task("a"), planner="model", policy=Policy(replans=1))
    bench.fail("a")
    bench.patched(task("a", inputs={"n": 1}))
    bench.fail("a")
    assert bench.state.status == "failed"


def test_the_task_that_joins_several_outputs_follows_the_patch() -> None:
    """Last outputs that the patch adds or drops are added to and dropped from the answer."""
    bench = Bench().begin(task("a"), task("b"), planner="model")
    bench.fail("a")
    bench.patched(task("c"), drop=("a",))
    both = bench.state.tasks["answer"].task.needs
    bench.fail("b")
    bench.patched(drop=("b",))
    assert (both, bench.state.answer, list(bench.state.tasks)) == (("b", "c"), "$c", ["c"])


def test_a_patch_that_drops_the_answer_gets_a_new_one() -> None:
    """Several last outputs are joined, as they are in a plan."""
    bench = Bench().begin(task("a"), answer="$a", planner="model")
    bench.fail("a")
    bench.patched(task("b"), task("c"), drop=("a",))
    assert (bench.state.answer, bench.state.tasks["answer"].task.needs) == ("$answer", ("b", "c"))


def test_what_a_changed_task_delegated_leaves_the_run() -> None:
    """Its delegated task is cancelled, and a new dispatch calls anew."""
    bench = Bench().begin(task("a"), task("x"), answer="$x", planner="model")
    key = bench.admit("a")
    bench.send(msg.Delegate(0.0, key, "a.1", "worker", {"n": 1}))
    bench.fail("x")
    events = bench.patched(task("a", inputs={"n": 1}), task("x", inputs={"n": 1}))
    assert (kinds(events), list(bench.state.tasks)) == (["TaskCancelled a.1", "PlanPatched"], ["a", "x"])


def test_a_task_that_gives_up_while_the_plan_is_written_is_replanned_after_it() -> None:
    """The re-plan is asked for as soon as the plan is whole."""
    bench = Bench().begin()
    bench.send(msg.Propose(0.0, (task("a"),), "model"))
    bench.fail("a")
    waiting = bench.statuses
    events = bench.send(msg.Complete(0.0, (task("b", "a"),), None, "model"))
    assert (waiting, kinds(events)[-1], bench.state.status) == ({"a": "replan"}, "ReplanRequested", "replanning")


def test_a_patch_whose_card_refuses_everything_is_no_way_round_a_failure() -> None:
    """A failure that is cancelled on purpose asks for no re-plan."""
    bench = Bench().begin(task("a"), planner="model")
    assert kinds(bench.fail("a", FailureKind.CANCELLED))[1:] == ["TaskFailed a", "RunFinished"]
