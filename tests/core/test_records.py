"""How a task went: what is put aside when it is done again, and what it is told apart from."""

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.crosscheck import CrossCheck
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from agentorch.core.records import TaskRecord, records_of
from agentorch.core.usage import Usage
from tests.core.bench import Bench, task

USED = Usage(input_tokens=10, output_tokens=1, calls=1)


def record(bench: Bench, name: str) -> TaskRecord:
    """Return how a task went by now."""
    return {one.task: one for one in records_of(bench.state, bench.now)}[name]


def spans(bench: Bench, name: str) -> list[tuple[int, int, float, float, str]]:
    """Return the dispatches of a task: revision, attempt, start, end, and how it ended."""
    return [(one.revision, one.attempt, one.started, one.ended, one.how) for one in record(bench, name).dispatches]


def test_a_plain_task_has_nothing_behind_it() -> None:
    """One dispatch, told by the task itself."""
    bench = Bench().begin(task("a"))
    bench.now = 1.0
    bench.admit("a")
    bench.now = 3.0
    assert spans(bench, "a") == [(1, 1, 1.0, 3.0, "running")]
    bench.succeed("a", usage=USED)
    assert spans(bench, "a") == [(1, 1, 1.0, 3.0, "succeeded")]
    assert (record(bench, "a").waiting, record(bench, "a").usage) == (1.0, USED)
    assert bench.state.tasks["a"].ended == ()


def test_a_patch_adds_to_what_was_used() -> None:
    """A task that is put in the place of one that gave up has its tries and its use of models too."""
    bench = Bench().begin(task("a"), planner="model")
    bench.admit("a")
    bench.now = 1.0
    bench.fail("a", usage=USED)
    bench.now = 2.0
    bench.patched(task("a", inputs={"n": 1}))
    bench.admit("a")
    bench.now = 4.0
    bench.succeed("a", usage=USED)
    assert spans(bench, "a") == [(1, 1, 0.0, 1.0, "permanent"), (2, 1, 2.0, 4.0, "succeeded")]
    assert (record(bench, "a").usage, record(bench, "a").waiting) == (USED + USED, 1.0)
    assert (record(bench, "a").attempts, bench.state.tasks["a"].spent) == (2, USED)


def test_a_task_that_is_reset_while_it_runs_ran_until_then() -> None:
    """What stands below a task that is done again was withdrawn, and starts anew."""
    check = CrossCheck("agree", ("a",), "a")
    bench = Bench()
    bench.now = 1.0
    bench.begin(task("a"), task("b", "a", inputs={"i": "$a"}), checks=(check,))
    bench.succeed("a", 1)
    bench.admit("b")
    bench.now = 2.0
    bench.send(msg.Checked(bench.now, "agree", 1, ("it is not true",), False))
    bench.admit("a")
    bench.now = 5.0
    bench.succeed("a", 2)
    assert spans(bench, "a") == [(1, 1, 1.0, 1.0, "succeeded"), (2, 2, 2.0, 5.0, "succeeded")]
    assert spans(bench, "b") == [(1, 1, 1.0, 2.0, "cancelled")]


def test_an_output_that_is_kept_after_a_patch_keeps_its_time() -> None:
    """It did not run again, and what it took is not forgotten."""
    plan = [task("a"), task("b", "a", inputs={"i": "$a"}), task("x"), task("end", "b", "x")]
    bench = Bench()
    bench.now = 1.0
    bench.begin(*plan, planner="model")
    bench.succeed("a", 1)
    bench.admit("b")
    bench.now = 3.0
    bench.succeed("b", 2)
    bench.fail("x")
    bench.patched(task("a", inputs={"better": 1}), task("x", inputs={"better": 1}))
    bench.succeed("a", 1)
    bench.admit("b")
    assert (record(bench, "b").state, spans(bench, "b")) == ("succeeded", [(1, 1, 1.0, 3.0, "succeeded")])


def test_an_output_that_a_person_gave_is_no_dispatch() -> None:
    """The tries before it have failed, and none of them brought it."""
    bench = Bench().begin(task("a"), policy=Policy(attempts=1), person=True)
    bench.admit("a")
    bench.now = 1.0
    bench.fail("a")
    assert record(bench, "a").waits_for == "person"
    bench.now = 5.0
    (request,) = bench.state.requests
    bench.send(msg.Answer(bench.now, request, {"output": "by hand"}, "user"))
    assert spans(bench, "a") == [(1, 1, 0.0, 1.0, "permanent")]
    assert (record(bench, "a").state, record(bench, "a").waiting) == ("succeeded", 4.0)


def test_tasks_that_come_later_were_not_waiting_before() -> None:
    """A plan that grows: each task could start when it was accepted."""
    bench = Bench().begin()
    bench.send(msg.Propose(bench.now, (task("a"),), "model"))
    bench.now = 7.0
    bench.send(msg.Propose(bench.now, (task("b"),), "model"))
    bench.now = 9.0
    assert [(record(bench, name).ready, record(bench, name).waiting) for name in ("a", "b")] == [(0.0, 9.0), (7.0, 2.0)]


def test_a_wait_is_told_by_its_name() -> None:
    """A timer that has not come: the task waits for it."""
    bench = Bench(AgentCard(name="sender")).begin(task("a", agent="sender"))
    bench.fail("a", FailureKind.TRANSIENT, retry_after=5.0)
    assert (record(bench, "a").state, record(bench, "a").waits_for) == ("waiting", "timer")
