"""Checks across tasks: when they are asked, and what a rejection does to the plan."""

from collections.abc import Sequence
from typing import Any

import pytest

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.commands import CheckOutputs, Withdraw
from agentorch.core.crosscheck import CrossCheck
from agentorch.core.events import CheckEnded, CheckStarted, Event, RunFinished, TaskStarted
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import Policy
from agentorch.core.state import Status
from agentorch.core.task import Task
from tests.core.bench import Bench, kinds, task

AGREE = CrossCheck("agree", ("a", "b"), "b")
MENDER = AgentCard(name="mender", repairable=True)
SENDER = AgentCard(name="sender", effects="idempotent")


def _refers(id: str, need: str, **fields: Any) -> Task:
    return task(id, need, inputs={"i": f"${need}"}, **fields)


def begun(*tasks: Task, check: CrossCheck = AGREE, cards: Sequence[AgentCard] = (), **fields: Any) -> Bench:
    return Bench(*cards).begin(*tasks, checks=(check,), **fields)


def say(bench: Bench, *problems: str, broken: bool = False, check: str = "agree") -> list[Event]:
    """Give the verdict of the check under way."""
    number = bench.state.checks[check].number
    return bench.send(msg.Checked(bench.now, check, number, problems, broken))


def test_a_run_is_over_only_when_its_check_has_accepted() -> None:
    """It is asked the moment that both outputs are there, and the answer waits for it."""
    bench = begun(task("a"), task("b"))
    bench.succeed("a", 1)
    asked = bench.succeed("b", 2)
    bench.succeed("answer", "done")
    before = bench.state.status
    ended = say(bench)
    assert kinds(asked) == ["TaskSucceeded b", "CheckStarted"]
    assert isinstance(asked[1], CheckStarted)
    assert (asked[1].check, asked[1].tasks, before) == ("agree", ("a", "b"), "running")
    assert (kinds(ended), bench.state.status) == (["CheckEnded", "RunFinished"], "succeeded")


def test_a_rejected_output_is_done_again_in_a_new_revision() -> None:
    """Its task takes the ladder with the problems; what depends on it starts again, the rest is left alone."""
    bench = begun(
        task("a"), task("b", agent="mender"), _refers("c", "b"), _refers("d", "a"), answer="$c", cards=(MENDER,)
    )
    for name in ("a", "b", "d"):
        bench.succeed(name, name)
    running = bench.admit("c")
    events = say(bench, "b does not fit a")
    assert kinds(events) == ["CheckEnded b", "TaskRetried b"]
    assert Withdraw(running, "c") in bench.commands
    assert bench.statuses == {"a": "succeeded", "b": "ready", "c": "pending", "d": "succeeded"}
    ladder = bench.state.tasks["b"].ladder
    assert ladder is not None
    assert (ladder.mode, ladder.output, ladder.problems) == ("repair", "b", ("b does not fit a",))
    assert bench.admit("b") == "run/b/2/2/1"
    again = bench.succeed("b", "better")
    say(bench)
    bench.succeed("c")
    assert (kinds(again), bench.state.status) == (["TaskSucceeded b", "CheckStarted"], "succeeded")


def test_the_final_output_of_a_revision_stays_what_it_was() -> None:
    """The old revision is retired as it ended; the new one has the same place in the plan."""
    bench = begun(task("a"), task("b"), task("c", "b"))
    order = bench.state.tasks["b"].order
    for name in ("a", "b", "c"):
        bench.succeed(name)
    say(bench, "no")
    old = [one for _, one in bench.state.retired if one.task.id == "b"]
    new = bench.state.tasks["b"]
    assert [(one.revision, one.status) for one in old] == [(1, Status.SUCCEEDED)]
    assert (new.revision, new.order, new.attempt) == (2, order, 2)


def test_dependents_are_kept_when_the_output_comes_out_equal() -> None:
    """As after a patch: nothing is paid for twice."""
    bench = begun(task("a"), task("b"), _refers("c", "b"))
    for name in ("a", "b"):
        bench.succeed(name, name)
    bench.succeed("c")
    say(bench, "no")
    bench.succeed("b", "b")
    bench.admit("c")
    say(bench)
    assert (bench.statuses["c"], bench.state.tasks["c"].revision) == ("succeeded", 2)


def test_rejections_are_bounded_by_the_ladder() -> None:
    """A check that is never content ends in a failed task, not in a circle."""
    bench = begun(task("a"), task("b", agent="mender"), cards=(MENDER,))
    bench.succeed("a")
    for number in range(20):
        if bench.state.tasks["b"].status is Status.FAILED:
            break
        bench.succeed("b", number)
        say(bench, f"no {number}")
    bench.run_out()
    starts = [event for event in bench.events if isinstance(event, TaskStarted) and event.task == "b"]
    assert (len(starts), bench.statuses["b"], bench.state.status) == (4, "failed", "partial")
    assert bench.state.problems[0] == Problem("invalid", "no 3", "b", "see what was rejected: agentorch why run b")


def test_the_same_output_with_the_same_problems_is_not_tried_for_ever() -> None:
    """A stall is one here too."""
    bench = begun(task("a"), task("b", agent="mender", attempts=9), cards=(MENDER,))
    bench.succeed("a")
    for _ in range(3):
        bench.succeed("b", "same")
        say(bench, "no")
    assert bench.statuses["b"] == "failed"


def test_a_rejected_task_that_gives_up_is_planned_anew() -> None:
    """The patch takes its place, and the check is asked again over the new output."""
    bench = begun(task("a"), task("b", attempts=1), planner="model")
    bench.succeed("a")
    bench.succeed("b")
    events = say(bench, "no")
    bench.patched(task("b", inputs={"better": 1}))
    again = bench.succeed("b")
    assert kinds(events) == ["CheckEnded b", "TaskGaveUp b", "ReplanRequested"]
    assert kinds(again) == ["TaskSucceeded b", "CheckStarted"]


@pytest.mark.parametrize(
    "tasks", [(task("a"), task("b", agent="sender")), (task("a"), task("b"), _refers("c", "b", agent="sender"))]
)
def test_what_has_had_effects_is_not_done_again(tasks: tuple[Task, ...]) -> None:
    """Neither the task itself nor what depends on it: the problem stands, and the run cannot succeed."""
    bench = begun(*tasks, cards=(SENDER,))
    for one in tasks:
        bench.succeed(one.id)
    events = say(bench, "no")
    bench.run_out()
    assert kinds(events)[:1] == ["CheckEnded"]
    assert bench.state.status == "partial"
    assert bench.state.problems[0].code == "check"
    assert "check 'agree' rejects 'a', 'b': no; " in bench.state.problems[0].message
    assert "has effects: it may not be changed" in bench.state.problems[0].message


def test_a_check_that_breaks_has_accepted_nothing() -> None:
    """Its problem stands with the run."""
    bench = begun(task("a"), task("b"), answer="$b")
    bench.succeed("a")
    bench.succeed("b")
    say(bench, "KeyError: 'x'", broken=True)
    assert (bench.state.status, bench.state.problems[-1].message) == (
        "partial",
        "check 'agree' could not judge 'a', 'b': KeyError: 'x'",
    )


def test_a_verdict_on_outputs_that_were_taken_back_changes_nothing() -> None:
    """A patch has changed one of them meanwhile: the check is asked again."""
    bench = begun(task("a"), task("b"), task("x"), planner="model", answer="$x")
    bench.succeed("a")
    bench.succeed("b")
    stale = msg.Checked(0.0, "agree", 1, ("no",))
    bench.fail("x")
    bench.patched(task("b", inputs={"n": 1}), task("x", inputs={"n": 1}))
    assert (bench.send(stale), bench.state.checks["agree"].status) == ([], "open")
    bench.succeed("x")
    bench.succeed("b")
    assert bench.send(stale) == []
    say(bench)
    assert bench.state.status == "succeeded"


def _with_a_poet(*, judged: bool) -> Bench:
    """Two outputs are held against each other, one by its agent's name; then a planner is asked about a third task."""
    check = CrossCheck("agree", ("a", "mender"), "mender")
    tasks = (task("a"), task("b", agent="mender"), task("x", attempts=1))
    bench = begun(*tasks, check=check, cards=(MENDER,), planner="model", answer="$b")
    for name in ("a", "b"):
        bench.succeed(name, name)
    if judged:
        say(bench)
    bench.fail("x")
    return bench


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("problems", [(), ("no",)])
def test_a_check_whose_name_means_two_tasks_by_a_patch_binds_nobody(judged: bool, problems: tuple[str, ...]) -> None:
    """The verdict that it had, or that is on its way, was on other tasks; the run says that it is unchecked."""
    bench = _with_a_poet(judged=judged)
    late = msg.Checked(bench.now, "agree", 1, problems)
    bench.patched(task("x", inputs={"n": 1}), task("c", agent="mender"), answer="$c")
    assert (bench.send(late), bench.state.pending.keys() & {"check:agree"}) == ([], set())
    bench.succeed("c", "unseen")
    bench.succeed("x")
    assert [problem.message for problem in bench.state.problems if problem.code == "W_UNCHECKED"] == [
        "check 'agree' was not asked again: not each of 'a', 'mender' is a task, or an agent with just one task"
    ]


@pytest.mark.parametrize("judged", [True, False])
def test_a_check_whose_name_means_another_task_by_a_patch_is_asked_about_that(judged: bool) -> None:
    """A task of that id comes before an agent of that name."""
    bench = _with_a_poet(judged=judged)
    late = msg.Checked(bench.now, "agree", 1, ("no",))
    bench.patched(task("x", inputs={"n": 1}), task("mender"), answer="$mender")
    assert bench.send(late) == []
    bench.succeed("mender", "better")
    bench.succeed("x")
    asked = [event for event in bench.events if isinstance(event, CheckStarted)]
    assert ([event.tasks for event in asked], bench.state.status) == ([("a", "b"), ("a", "mender")], "running")
    say(bench)
    assert bench.state.status == "succeeded"


def test_a_patch_that_leaves_the_judged_tasks_alone_leaves_the_verdict_alone() -> None:
    """What has been judged is not judged twice."""
    bench = _with_a_poet(judged=True)
    bench.patched(task("x", inputs={"n": 1}))
    bench.succeed("x")
    assert (bench.state.status, bench.state.checks["agree"].number) == ("succeeded", 1)


@pytest.mark.parametrize(
    ("about", "tasks", "said"),
    [
        (
            ("a", "nobody"),
            (task("a"), task("b")),
            "not each of 'a', 'nobody' is a task, or an agent with just one task",
        ),
        (
            ("a", "worker"),
            (task("a"), task("b")),
            "not each of 'a', 'worker' is a task, or an agent with just one task",
        ),
        (("a", "b"), (task("a"), task("b")), "'b' brought nothing"),
    ],
)
def test_a_check_that_is_never_asked_is_said(about: tuple[str, ...], tasks: tuple[Task, ...], said: str) -> None:
    """As a warning: it holds the run to nothing."""
    bench = begun(*tasks, check=CrossCheck("agree", about, about[-1]), answer="$a", policy=Policy(attempts=1))
    bench.succeed("a")
    bench.fail("b") if said.startswith("'b'") else bench.succeed("b")
    warning = [problem for problem in bench.state.problems if problem.code == "W_UNCHECKED"]
    assert [problem.message for problem in warning] == [f"check 'agree' was not asked: {said}"]


def test_an_agent_with_one_task_is_a_name_too() -> None:
    """So that a check fits plans that a model writes."""
    bench = begun(
        task("a"), task("b", agent="mender"), check=CrossCheck("agree", ("a", "mender"), "mender"), cards=(MENDER,)
    )
    bench.succeed("a")
    bench.succeed("b")
    assert kinds(say(bench, "no")) == ["CheckEnded b", "TaskRetried b"]


def test_a_check_is_asked_when_a_stopped_run_is_taken_up() -> None:
    """Nothing is begun while it stands still; a check under way is asked again by the next owner."""
    bench = begun(task("a"), task("b"), task("c"), answer="$c")
    bench.succeed("a")
    running = bench.admit("b")
    bench.fail("c", FailureKind.UNCONFIGURED)
    still = bench.send(msg.Succeed(0.0, running, 1))
    taken = bench.send(msg.Adopt(0.0, "me"))
    assert (kinds(still), kinds(taken)) == (["TaskSucceeded b"], ["RunAdopted", "CheckStarted"])
    assert CheckOutputs("agree", 1, ("a", "b")) in bench.state.pending.values()


def test_a_cancelled_run_waits_for_no_check() -> None:
    """Its verdict comes too late."""
    bench = begun(task("a"), task("b"), answer="$b")
    bench.succeed("a")
    bench.succeed("b")
    events = bench.send(msg.Cancel(0.0, "ann"))
    assert (kinds(events), say(bench, "no")) == (["RunCancelling", "RunFinished"], [])
    assert not [event for event in bench.events if isinstance(event, CheckEnded)]
    assert isinstance(bench.events[-1], RunFinished)


def test_a_called_agent_is_no_task_of_the_plan() -> None:
    """What a task delegated does not make a name mean two tasks."""
    check = CrossCheck("agree", ("a", "worker"), "a")
    bench = begun(task("a", agent="mender"), task("x"), planner="model", answer="$x", check=check, cards=(MENDER,))
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {}))
    bench.fail("x")
    bench.patched(task("x", inputs={"n": 1}))
    assert bench.state.checks["agree"].tasks == ("a", "x")
