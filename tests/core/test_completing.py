"""The end of a plan: what its planner wrote is the plan, whatever was accepted before."""

from agentorch.core import inbox as msg
from agentorch.core.commands import Withdraw
from agentorch.core.completing import plan_problems
from agentorch.core.events import PlanCompleted, PlanPatched, ReplanRequested
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from tests.core.bench import Bench, kinds, task


def begun(*tasks: Task, policy: Policy | None = None) -> Bench:
    """Return a run whose first planner has brought some tasks and then failed."""
    bench = Bench().begin(policy=policy or Policy())
    for one in tasks:
        bench.send(msg.Propose(0.0, (one,), "model"))
    return bench


def completed(bench: Bench, *tasks: Task, answer: str | None = None) -> list[str]:
    """Let the rules say what the plan is; return the kinds of what follows."""
    return kinds(bench.send(msg.Complete(0.0, tasks, answer, "rules")))


def test_what_is_not_in_the_plan_is_taken_back() -> None:
    """Running or not, it neither runs on nor answers; what runs is withdrawn, and its outcome is late."""
    bench = begun(task("a"), task("b", "a"), task("c"))
    key = bench.admit("a")
    events = completed(bench, task("x"))
    assert (events, bench.statuses, bench.state.answer) == (["PlanPatched", "PlanCompleted"], {"x": "ready"}, "$x")
    assert [command.key for command in bench.commands if isinstance(command, Withdraw)] == [key]
    assert bench.run_out().state.status == "succeeded"


def test_an_id_that_means_another_task_now() -> None:
    """The plan's own task takes its place, under a key of its own; nothing of the other one is left."""
    bench = begun(task("writer"), task("below", "writer"))
    old = bench.admit("writer")
    completed(bench, task("find"), task("writer", "find", inputs={"n": 1}))
    assert bench.statuses == {"find": "ready", "writer": "pending"}
    bench.succeed("find")
    assert bench.admit("writer") != old
    assert bench.state.tasks["writer"].task == task("writer", "find", inputs={"n": 1})


def test_what_stands_in_the_plan_as_it_was_goes_on() -> None:
    """Whether it is written out again, is only referred to, or is needed by what is referred to."""
    bench = begun(task("a"), task("b", "a"), task("c", "b"), task("d"))
    key = bench.admit("a")
    events = completed(bench, task("d"), Task("x", "worker", inputs={"n": "$b"}), answer="$x")
    assert events == ["PlanPatched", "PlanCompleted"]
    assert bench.statuses == {"a": "running", "b": "pending", "d": "ready", "x": "pending"}
    assert key in bench.state.pending


def test_the_answer_alone_may_refer_to_what_was_accepted() -> None:
    """It is part of the plan then."""
    bench = begun(task("a"), task("b"))
    assert completed(bench, task("x"), answer="$a.part") == ["PlanPatched", "PlanCompleted"]
    assert list(bench.statuses) == ["a", "x"]


def test_what_needs_a_changed_task_is_checked_and_started_anew() -> None:
    """Though it is written as it was: what it refers to is another output now."""
    bench = begun(task("a"), Task("b", "worker", inputs={"n": "$a"}))
    bench.succeed("a")
    bench.succeed("b")
    completed(bench, task("a", inputs={"n": 2}), Task("b", "worker", inputs={"n": "$a"}))
    assert bench.statuses == {"a": "ready", "b": "pending"}


def test_what_is_taken_back_counts_towards_no_limit() -> None:
    """A planner that came too far leaves the next one its room."""
    bench = begun(task("a"), task("b"), policy=Policy(max_tasks=2))
    assert completed(bench, task("x"), task("y"), task("z")) == ["PlanRejected"]
    assert completed(bench, task("x"), task("y"), answer="$y") == ["PlanPatched", "PlanCompleted"]


def test_what_gave_up_and_is_not_in_the_plan_asks_for_no_patch() -> None:
    """Nobody misses it; what is in the plan is asked about."""
    policy = Policy(attempts=1)
    bench = begun(task("a"), task("b"), policy=policy)
    bench.fail("a")
    bench.fail("b")
    events = bench.send(msg.Complete(0.0, (task("b"), task("x")), "$x", "rules"))
    asked = [event.tasks for event in events if isinstance(event, ReplanRequested)]
    assert (kinds(events), asked) == (["PlanPatched", "PlanCompleted", "ReplanRequested"], [("b",)])


def test_what_a_task_that_is_taken_back_delegated_leaves_with_it() -> None:
    """Before the plan is changed."""
    bench = begun(task("a"))
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    events = completed(bench, task("x"))
    assert (events, list(bench.state.tasks)) == (["TaskCancelled a.1", "PlanPatched", "PlanCompleted"], ["x"])


def test_several_outputs_are_joined_after_a_change_too() -> None:
    """By a task of the plan, under a free name."""
    bench = begun(task("answer"))
    events = bench.send(msg.Complete(0.0, (task("x"), task("y")), None, "rules"))
    answers = [event.answer for event in events if isinstance(event, PlanPatched | PlanCompleted)]
    assert (answers, list(bench.statuses)) == (["$answer-2", "$answer-2"], ["x", "y", "answer-2"])


def test_what_would_be_refused_can_be_asked_before() -> None:
    """Nothing is decided by asking."""
    bench = begun(task("a"))
    problems = plan_problems(bench.state, (task("a"), task("x", agent="nobody")), None)
    assert [problem.code for problem in problems] == ["E_UNKNOWN_AGENT"]
    assert plan_problems(bench.state, (task("a"),), None) == ()
    assert (bench.state.complete, list(bench.statuses)) == (False, ["a"])
