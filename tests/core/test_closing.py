"""How runs end."""

import pytest

from agentorch.core import inbox as msg
from agentorch.core.crosscheck import CrossCheck
from agentorch.core.events import RunFinished, TaskCancelled
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.invariants import InvariantError
from agentorch.core.reservations import end_of, remaining
from agentorch.core.state import ANSWERER
from agentorch.core.usage import Budget
from tests.core.bench import Bench, kinds, task


def _codes(bench: Bench) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.task) for problem in bench.state.problems]


def test_a_failing_branch_takes_only_its_dependents() -> None:
    """The sibling's output is answered with, and what is missing is said, each skip with its cause."""
    bench = Bench().begin(task("a"), task("b"), task("a2", "a"), task("a3", "a2"), answer="$b")
    bench.fail("a")
    bench.succeed("b", 1)
    assert (bench.state.status, bench.state.tasks["a2"].cause, bench.state.tasks["a3"].cause) == ("partial", "a", "a2")
    assert _codes(bench)[-3:] == [("permanent", "a"), ("skipped", "a2"), ("skipped", "a3")]


@pytest.mark.parametrize(("answer", "words"), [("$a.5", "no item '5'"), ("$a.0.x", "no part 'x'"), ("$a.0", None)])
def test_an_answer_that_its_output_does_not_have_makes_the_run_partial(answer: str, words: str | None) -> None:
    """The problem says which part is missing."""
    bench = Bench().begin(task("a"), answer=answer)
    bench.succeed("a", [1, 2])
    said = [problem.message for problem in bench.state.problems if problem.code == "E_REF_PATH"]
    assert (bench.state.status, len(said)) == (("succeeded", 0) if words is None else ("partial", 1))
    assert words is None or (f"the answer is {answer}: " in said[0] and words in said[0])


def test_what_does_not_end_is_named_behind_the_last_word() -> None:
    """Only there: while the run goes on it is waited for."""
    bench, problem = Bench().begin(task("a")), Problem("W_RUNS_ON", "check 'c' could not be stopped")
    before = bench.send(msg.Abandon(bench.now, problem))
    bench.send(msg.Cancel(bench.now, "ann"))
    sent = bench.send(msg.Abandon(bench.now, problem))
    assert (before, kinds(sent), bench.state.problems[-1]) == ([], ["CallAbandoned"], problem)
    assert bench.state.status == "cancelled"


def test_a_partial_answer_is_written_over_the_last_outputs() -> None:
    """When the answer has no value, an ordinary last task says what there is and what is missing."""
    bench = Bench().begin(task("a"), task("b", "a"), task("c", "b"))
    bench.succeed("a", 1)
    bench.fail("b")
    partial = bench.state.tasks["partial-answer"].task
    assert (partial.inputs["parts"], bench.state.status) == ({"a": "$a"}, "answering")
    bench.fail("partial-answer")
    assert bench.state.status == "partial"


def test_a_partial_answer_names_what_failed_and_no_warning() -> None:
    """Each failure in one line with its task in front; a warning of the plan explains nothing that is missing."""
    tasks = (task("a"), task("spare"), task("b", "a"), task("c", "b"))
    bench = Bench().begin(*tasks, answer="$c")
    assert [problem.code for problem in bench.state.problems] == ["W_ORPHAN"]
    bench.succeed("a", 1)
    bench.succeed("spare", 1)
    bench.admit("b")
    bench.send(msg.Fail(bench.now, bench.key("b"), FailureKind.PERMANENT, ("disk\n  full",)))
    assert bench.state.tasks["partial-answer"].task.inputs["missing"] == [
        "b: disk full",
        "'c' was skipped because 'b' brought nothing",
    ]


def test_without_an_answerer_there_is_no_partial_answer() -> None:
    """The run ends with what it has."""
    bench = Bench()
    del bench.state.catalog[ANSWERER]  # pyright: ignore[reportIndexIssue]
    bench.begin(task("a"), task("b", "a")).succeed("a")
    bench.fail("b")
    assert bench.state.status == "partial"


def test_a_branch_that_nobody_misses_is_no_problem() -> None:
    """What an `any` join went on without does not make the run partial, nor what stood above it."""
    bench = Bench().begin(task("a"), task("a2", "a"), task("b"), task("end", "a2", "b", join="any"))
    bench.fail("a")
    bench.succeed("b")
    bench.succeed("end")
    assert (bench.state.status, _codes(bench)) == ("succeeded", [])


def test_cancel_rest_cancels_the_whole_losing_branch() -> None:
    """What only the losers need, and what they delegated, is cancelled too; what others need is not."""
    losing = [task("a"), task("a2", "a"), task("both"), task("l", "both")]
    bench = Bench().begin(
        *losing, task("b"), task("end", "a2", "l", "b", join="any", cancel_rest=True), task("z", "end", "both")
    )
    key = bench.admit("a")
    bench.send(msg.Delegate(0.0, key, "a.1", "worker", {"n": 1}))
    events = bench.succeed("b")
    cancelled = {event.task for event in events if isinstance(event, TaskCancelled)}
    assert cancelled == {"a", "a.1", "a2", "l"}


def test_cancel_rest_ends_each_loser_once_after_a_patch() -> None:
    """A patched task stands behind what needs it: that is cancelled first all the same, and not skipped before."""
    plan = [task("a"), task("b"), task("c", "b"), task("end", "a", "c", join="any", cancel_rest=True)]
    bench = Bench().begin(*plan, planner="model")
    bench.fail("b")
    bench.patched(task("b", inputs={"n": 1}))
    events = bench.succeed("a")
    assert [event.task for event in events if isinstance(event, TaskCancelled)] == ["c", "b"]
    assert bench.statuses == {"a": "succeeded", "b": "cancelled", "c": "cancelled", "end": "ready"}


def test_cancel_rest_spares_the_answer_and_waits_for_the_whole_plan() -> None:
    """While the plan is written, nobody knows what else needs a loser."""
    bench = Bench().begin()
    first = (task("a"), task("b"), task("c"), task("d"), task("end", "a", "b", "c", "d", join="any", cancel_rest=True))
    bench.send(msg.Propose(0.0, first, "model"))
    bench.succeed("a")
    bench.send(msg.Propose(0.0, (task("more", "b"),), "model"))
    bench.send(msg.Complete(0.0, (task("last", "end", "more"),), "$c", "model"))
    assert bench.statuses == {
        "a": "succeeded",
        "b": "ready",
        "c": "ready",
        "d": "cancelled",
        "end": "ready",
        "more": "pending",
        "last": "pending",
    }


def test_cancel_rest_spares_what_answers_the_goal() -> None:
    """A loser that is the answer runs on."""
    bench = Bench().begin(task("a"), task("b"), task("end", "a", "b", join="any", cancel_rest=True), answer="$b")
    bench.succeed("a")
    assert bench.statuses["b"] == "ready"


def test_a_task_may_take_the_run_with_it() -> None:
    """on_failure='fail_run' ends the run; a delegated task's failure is its caller's business."""
    bench = Bench().begin(task("a", on_failure="fail_run"), task("b"), answer="$b")
    bench.admit("b")
    bench.fail("a")
    assert (bench.state.status, bench.statuses) == ("failed", {"a": "failed", "b": "cancelled"})


UP = Problem("budget", "time is up")


def test_a_cancel_ends_what_is_open_and_closes_once() -> None:
    """Nothing follows but what late outcomes used."""
    bench = Bench().begin(task("a"), task("b"), answer="$b")
    bench.succeed("a")
    key = bench.admit("b")
    cancel = msg.Cancel(0.0, "ann")
    bench.send(cancel)
    late = [bench.send(msg.Succeed(0.0, key, 1)), bench.send(cancel), bench.send(msg.Conclude(0.0))]
    assert (bench.state.status, bench.statuses["b"], late) == ("cancelled", "cancelled", [[], [], []])
    assert sum(isinstance(event, RunFinished) for event in bench.events) == 1


def test_when_time_is_up_what_there_is_is_answered_with() -> None:
    """The answer has no time limit but the one that a second word sets, and is told that there is no time."""
    check = CrossCheck("c", ("a", "b"), "b")
    bench = Bench().begin(
        task("a"), task("b"), task("d", "b"), answer="$d", checks=(check,), budget=Budget(max_seconds=9)
    )
    bench.succeed("a", 1)
    bench.succeed("b", 2)
    bench.admit("d")
    events = bench.send(msg.Abort(0.0, UP))
    bench.admit("partial-answer")
    writer = bench.state.tasks["partial-answer"]
    assert kinds(events) == ["RunAborted", "TaskCancelled d", "TasksAccepted", "PlanCompleted"]
    assert writer.task.inputs["missing"] == ["time is up", "'d' was cancelled"]
    assert (end_of(bench.state, writer), remaining(bench.state, writer, 50.0).max_seconds) == (None, 0.0)
    bench.succeed("partial-answer", "1 and 2")
    assert (bench.state.status, bench.state.outputs[bench.state.answer_root]) == ("partial", "1 and 2")
    assert [problem for problem in bench.state.problems if problem == UP] == [UP]


@pytest.mark.parametrize("second", [msg.Abort(0.0, UP), msg.Cancel(0.0, "ann")])
def test_an_answer_that_takes_too_long_is_not_waited_for(second: msg.Message) -> None:
    """The second word is the last."""
    bench = Bench().begin(task("a"), task("b", "a"))
    bench.succeed("a", 1)
    bench.send(msg.Abort(0.0, UP))
    bench.admit("partial-answer")
    events = bench.send(second)
    assert kinds(events)[1:] == ["TaskCancelled partial-answer", "RunFinished"]
    assert [problem for problem in bench.state.problems if problem == UP] == [UP]


def test_no_answer_is_written_out_of_nothing() -> None:
    """Nor when an answer is being written already: its time is up too."""
    nothing, writing = Bench().begin(task("a")), Bench().begin(task("a"), task("b", "a"))
    writing.succeed("a", 1)
    writing.fail("b")
    assert writing.state.closing
    for bench in (nothing, writing):
        bench.send(msg.Abort(0.0, UP))
    assert (nothing.state.status, writing.state.status) == ("failed", "partial")


def test_a_run_does_not_close_before_its_time() -> None:
    """Conclude is not obeyed while a task is open."""
    bench = Bench().begin(task("a"))
    assert bench.send(msg.Conclude(0.0)) == []


def test_settled_joins_of_an_answer_with_nothing_to_say_are_skipped() -> None:
    """Without any output there is nothing to write an answer from."""
    bench = Bench().begin(task("a"), task("b"))
    bench.fail("a")
    bench.fail("b")
    assert (bench.state.status, bench.statuses["answer"]) == ("failed", "skipped")


def test_planning_that_fails_ends_the_run() -> None:
    """With the problem in its words, or with what was accepted of the plan."""
    problem = Problem("plan", "no planner could")
    bench = Bench().begin()
    bench.send(msg.PlanningFailed(0.0, (problem,), "planners"))
    again = bench.send(msg.PlanningFailed(0.0, (problem,), "planners"))
    half = Bench().begin()
    half.send(msg.Propose(0.0, (task("a"),), "model"))
    half.send(msg.PlanningFailed(0.0, (problem,), "planners"))
    after = half.send(msg.PlanningFailed(0.0, (problem,), "planners"))
    assert (bench.state.status, bench.state.problems, again, after) == ("failed", (problem,), [], [])
    assert kinds(half.run_out().events)[-1] == "RunFinished"


def test_an_end_that_nothing_brings_nearer_is_an_error() -> None:
    """A state that counts an open task which is not there must not hold up the process, and its other runs."""
    bench = Bench().begin(task("a"))
    bench.state.open += 1
    with pytest.raises(InvariantError, match="1 are open, and none is found"):
        bench.send(msg.Cancel(bench.now, "a person"))
