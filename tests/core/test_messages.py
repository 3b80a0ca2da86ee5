"""What messages do that neither the ladder, nor patches, nor closing is about."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from agentorch.core import inbox as msg
from agentorch.core.advance import replay
from agentorch.core.apply import apply
from agentorch.core.card import AgentCard
from agentorch.core.commands import AskPlanner, Deliver, Dispatch
from agentorch.core.decide import DECISIONS
from agentorch.core.events import RunAdopted
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import Policy
from agentorch.core.state import RunState
from agentorch.core.usage import Budget, Usage
from agentorch.testing.snapshot import snapshot
from tests.core.bench import Bench, kinds, next_ready, task, team

USAGE = Usage(10, 5, calls=1)
PROBLEM = Problem("x", "words")
SHY = AgentCard(name="shy", policy=Policy(approval="before"))


def test_what_an_outcome_used_counts_once() -> None:
    """Delivered twice it is late the second time, and its usage is not settled again."""
    bench = Bench().begin(task("a"), task("b"), answer="$b")
    key = bench.admit("a")
    twice = [bench.send(msg.Succeed(0.0, key, 1, USAGE)) for _ in range(2)]
    assert ([kinds(events) for events in twice], bench.state.spent) == ([["TaskSucceeded a"], ["OutcomeLate a"]], USAGE)


def test_a_lost_worker_may_still_say_what_it_used() -> None:
    """Once, and also after the last word."""
    bench = Bench().begin(task("a"))
    lost = bench.admit("a")
    bench.fail("a", FailureKind.TRANSIENT)
    bench.ripe("a")
    bench.succeed("a", 1)
    late = [kinds(bench.send(msg.Succeed(0.0, lost, 1, USAGE))) for _ in range(2)]
    assert (bench.state.finished, late, bench.state.spent) == (True, [["OutcomeLate a"], []], USAGE)


def test_a_plan_that_comes_with_its_goal_is_not_asked_for() -> None:
    """The planner is there for patches."""
    bench = Bench().begin(task("a"), planner="model")
    assert [command for command in bench.commands if isinstance(command, AskPlanner)] == []


def test_a_run_begins_once() -> None:
    """A second beginning changes nothing."""
    bench = Bench().begin(task("a"))
    assert bench.send(msg.Begin(0.0, "another goal")) == []


def test_bad_proposals_are_refused_and_good_ones_start_at_once() -> None:
    """Each by itself; after the plan is whole there are none."""
    bench = Bench().begin()
    sent = [
        bench.send(msg.Propose(0.0, (task("a", "nowhere"),), "model")),
        bench.send(msg.Propose(0.0, (task("a"),), "model")),
        bench.send(msg.Complete(0.0, (task("b", "nowhere"),), None, "model")),
        bench.send(msg.Complete(0.0, (task("a"), task("b")), None, "model")),
        bench.send(msg.Complete(0.0, (task("c"),), None, "model")),
        bench.send(msg.Propose(0.0, (task("c"),), "model")),
    ]
    assert [kinds(events) for events in sent] == [
        ["PlanRejected"],
        ["TasksAccepted"],
        ["PlanRejected"],
        ["TasksAccepted", "PlanCompleted"],
        [],
        [],
    ]
    assert bench.state.tasks["answer"].task.needs == ("a", "b")


def test_the_joining_task_takes_a_free_name() -> None:
    """A task that is called `answer` keeps its name."""
    bench = Bench().begin()
    bench.send(msg.Propose(0.0, (task("answer"),), "model"))
    bench.send(msg.Complete(0.0, (task("a", "answer"), task("b")), None, "model"))
    assert bench.state.answer == "$answer-2"


def test_notes_reports_and_use_are_journaled() -> None:
    """They change nothing but what is spent; of a stale key nothing is journaled."""
    bench = Bench().begin(task("a"))
    key = bench.admit()
    sent: list[msg.Message] = [
        msg.Note(0.0, ("because",), "rules"),
        msg.Reject(0.0, (PROBLEM,), "model"),
        msg.Spend(0.0, "planning", USAGE),
        msg.Report(0.0, key, "half"),
        msg.Trim(0.0, key, "text", 9, 4, "sha"),
        msg.Report(0.0, key + "9", "half"),
        msg.Stop(0.0, PROBLEM),
        msg.Stop(0.0, PROBLEM),
    ]
    assert [kinds(bench.send(message)) for message in sent] == [
        ["PlanNoted"],
        ["PlanRejected"],
        ["UsageAdded"],
        ["TaskReported a"],
        ["InputTrimmed a"],
        [],
        ["RunStopped"],
        [],
    ]


@pytest.mark.parametrize(("value", "status"), [(True, "running"), (False, "failed")])
def test_an_approval_comes_before_the_start(value: Any, status: str) -> None:
    """A run that only waits for a person is idle; the answer starts the task or fails it."""
    bench = Bench(SHY).begin(task("a", agent="shy"))
    bench.admit("a")
    idle = bench.state.idle
    bench.send(msg.Answer(0.0, "approve:a:1:1:shy", value, "ann"))
    again = bench.send(msg.Answer(0.0, "approve:a:1:1:shy", value, "ann"))
    if value is True:
        bench.admit("a")
    assert (idle, again, bench.statuses["a"]) == (True, [], status)


def test_a_run_that_waits_for_a_timer_too_is_not_idle() -> None:
    """The timer will come by itself."""
    bench = Bench(SHY).begin(task("a", agent="shy"), task("b"))
    bench.admit("a")
    bench.fail("b", FailureKind.TRANSIENT)
    assert (bench.state.idle, Bench().begin().state.idle) == (False, False)


@pytest.mark.parametrize(
    ("value", "status"), [("retry", "ready"), ({"output": 7}, "succeeded"), ("fail", "failed"), ({}, "failed")]
)
def test_a_person_may_retry_give_an_output_or_let_it_fail(value: Any, status: str) -> None:
    """The last rung before the end."""
    bench = Bench().begin(task("a"), task("b"), answer="$b", person=True)
    bench.fail("a")
    bench.send(msg.Answer(0.0, "failure:a:1:1", value, "ann"))
    assert bench.statuses["a"] == status


def test_a_question_ends_with_its_attempt() -> None:
    """It is asked once; a fresh attempt asks anew; who has succeeded waits for no answer."""
    bench = Bench().begin(task("a"))
    key = bench.admit("a")
    asked = [kinds(bench.send(msg.Ask(0.0, key, "q1", "which?", {}))) for _ in range(2)]
    bench.fail("a", FailureKind.CRASH)
    after_crash = dict(bench.state.requests)
    bench.send(msg.Ask(0.0, bench.admit("a"), "q2", "which?", {}))
    bench.send(msg.Answer(0.0, "q2", 1, "ann"))
    bench.send(msg.Ask(0.0, bench.key("a"), "q3", "and?", {}))
    answered = bench.send(msg.Ask(0.0, bench.key("a"), "q2", "which?", {}))
    bench.succeed("a")
    assert (asked, after_crash, answered) == ([["RequestOpened a"], []], {}, [])
    assert (bench.state.requests, bench.state.answers) == ({}, {"q2": 1})


def test_a_delegated_task_is_called_anew_after_it_was_cancelled() -> None:
    """With its caller's next dispatch, under another key; its result goes to the caller."""
    bench = Bench().begin(task("a"))
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    again = bench.send(msg.Delegate(0.0, bench.key("a"), "a.1", "worker", {"n": 1}))
    first = bench.admit("a.1")
    bench.fail("a", FailureKind.TRANSIENT)
    bench.ripe("a")
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    bench.send(msg.Succeed(0.0, first, "late"))
    late = dict(bench.statuses)
    bench.succeed("a.1", 1)
    assert (again, late["a.1"], bench.commands) == ([], "ready", [Deliver("a.1", bench.key("a"))])
    assert bench.send(msg.Delegate(0.0, first, "a.2", "worker", {"n": 1})) == []


def test_a_delegated_task_that_failed_is_called_anew_by_the_next_dispatch() -> None:
    """To the dispatch that called it, it has failed; what has succeeded is kept for all."""
    bench = Bench().begin(task("a"))
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    bench.send(msg.Delegate(0.0, bench.key("a"), "a.2", "worker", {"n": 1}))
    bench.fail("a.1")
    bench.succeed("a.2")
    same = bench.send(msg.Delegate(0.0, bench.key("a"), "a.1", "worker", {"n": 1}))
    bench.fail("a", FailureKind.TRANSIENT)
    bench.ripe("a")
    bench.admit("a")
    anew = [bench.send(msg.Delegate(0.0, bench.key("a"), name, "worker", {"n": 1})) for name in ("a.1", "a.2")]
    assert (same, [kinds(events) for events in anew]) == ([], [["TaskDelegated a.1"], []])


def test_a_delegated_failure_is_its_callers_business() -> None:
    """It asks nobody, re-plans nothing and takes no run with it."""
    bench = Bench().begin(task("a"), planner="model", person=True, policy=Policy(on_failure="fail_run"))
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    bench.fail("a.1")
    assert bench.statuses == {"a": "running", "a.1": "failed"}


def test_a_delegated_task_is_as_urgent_as_its_caller() -> None:
    """Also after the plan was ranked anew."""
    plan = [task("a"), task("b"), task("c", "a"), task("d", "c"), task("end", "d", "b")]
    bench = Bench().begin(*plan)
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    first = next_ready(bench.state)
    bench.state.ranks_stale = True
    assert (first, next_ready(bench.state), next_ready(bench.state, {"worker"})) == ("a.1", "a.1", None)


def test_a_delegated_task_that_runs_is_ranked_and_not_ready() -> None:
    """Nor is the last of those that became ready, once it was admitted before the other."""
    bench = Bench().begin(task("a"), task("b"), task("c"))
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    bench.admit("a.1")
    bench.state.ranks_stale = True
    ranked = (next_ready(bench.state), bench.state.tasks["a.1"].rank)
    other = Bench().begin(task("a"), task("b"))
    other.admit("b")
    assert (ranked, next_ready(other.state), other.state.ranks_stale) == (("b", 3.1), "a", True)


def test_a_broken_reference_climbs_the_ladder_from_the_replan() -> None:
    """Another plan may mend it; the agent cannot."""
    bench = Bench().begin(task("a"), task("b", "a", inputs={"x": "$a.part"}), planner="model")
    bench.succeed("a", {"other": 1})
    bench.admit("b")
    assert (bench.statuses["b"], bench.state.status) == ("replan", "replanning")


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(max_calls=0), "all of max_calls=0 model calls are used"),
        (Budget(max_tokens=0), "all of max_tokens=0 tokens are used"),
        (Budget(max_money=0), "all of max_money=0.0 dollars are spent"),
        (Budget(max_tasks=1), "the run has 2 tasks, max_tasks=1"),
    ],
)
def test_what_the_budget_does_not_allow_is_not_started(budget: Budget, words: str) -> None:
    """The task fails in words."""
    bench = Bench(AgentCard(name="model", needs_model=True))
    bench.begin(task("b"), task("a", agent="model"), answer="$a", budget=budget)
    bench.admit("a")
    problem = bench.state.tasks["a"].problem
    assert (bench.statuses["a"], problem is not None and problem.message) == ("failed", words)


def test_what_the_budget_allows_is_started() -> None:
    """While there is something left."""
    bench = Bench(AgentCard(name="model", needs_model=True))
    bench.begin(task("a", agent="model"), budget=Budget(max_calls=1, max_tokens=1, max_money=1))
    assert bench.admit("a") == "run/a/1/1/1"


def test_an_approval_shows_the_objective_and_the_inputs() -> None:
    """With the values that it would work on, so that the person knows what is agreed to."""
    shy = replace(task("a", agent="shy"), objective="Delete ${z.name}.", inputs={"files": "$z.files"}, needs=("z",))
    bench = Bench(SHY).begin(task("z"), shy, answer="$a")
    bench.succeed("z", {"name": "both", "files": ["x", "y"]})
    bench.admit("a")
    question = bench.state.requests["approve:a:1:1:shy"].question
    assert question == """Start 'a' with agent 'shy'? Its objective: Delete both. Its inputs: {"files":["x","y"]}"""


def test_a_caller_waits_for_all_that_it_delegated() -> None:
    """It takes a slot again when the last one has ended."""
    bench = Bench().begin(task("a"))
    key = bench.admit("a")
    blocked: list[int] = []
    for name in ("a.1", "a.2"):
        bench.send(msg.Delegate(0.0, key, name, "worker", {"n": 1}))
        blocked.append(bench.state.blocked)
    for name in ("a.1", "a.2"):
        bench.succeed(name)
        blocked.append(bench.state.blocked)
    assert (blocked, bench.state.blocked_by_agent) == ([1, 1, 1, 0], {"worker": 0})


def test_what_a_task_delegated_and_did_not_wait_for_ends_with_it() -> None:
    """What had ended before stays as it was."""
    bench = Bench().begin(task("a"))
    for name in ("a.1", "a.2"):
        bench.send(
            msg.Delegate(0.0, bench.key("a") if bench.state.running else bench.admit("a"), name, "worker", {"n": 1})
        )
    bench.succeed("a.1")
    assert kinds(bench.succeed("a"))[:2] == ["TaskCancelled a.2", "TaskSucceeded a"]


def test_a_late_failure_changes_nothing() -> None:
    """Nor does it count twice what it used."""
    bench = Bench().begin(task("a"), task("b"), answer="$b")
    key = bench.admit("a")
    sent = [bench.send(msg.Fail(0.0, key, FailureKind.PERMANENT, ("no",), usage=USAGE)) for _ in range(2)]
    assert ([kinds(events)[-1] for events in sent], bench.state.spent) == (["TaskFailed a", "OutcomeLate a"], USAGE)


def test_a_streamed_task_below_a_failed_one_is_skipped() -> None:
    """Its join is decided as it enters."""
    bench = Bench().begin(policy=Policy(replans=0))
    bench.send(msg.Propose(0.0, (task("a"),), "model"))
    bench.fail("a")
    bench.send(msg.Propose(0.0, (task("b", "a"),), "model"))
    assert (bench.statuses["b"], bench.state.tasks["b"].cause) == ("skipped", "a")


def test_ranks_are_of_what_is_left() -> None:
    """What has ended has no path; the longest of several counts; a mean that is known beats a hop."""
    bench = Bench().begin()
    bench.send(msg.Propose(0.0, (task("a"), task("b", "a"), task("c", "a")), "model"))
    bench.admit("a")
    bench.now = 4.0
    bench.succeed("a")
    bench.succeed("b")
    bench.send(msg.Propose(0.0, (task("d", "c"), task("e", "c"), task("f", "d"), task("g")), "model"))
    first = next_ready(bench.state)
    assert (first, bench.state.tasks["c"].rank) == ("c", 6.0)


def test_a_heap_forgets_what_is_no_longer_ready() -> None:
    """An entry that has gone stale is passed over, and an empty heap gives none."""
    other = AgentCard(name="other")
    bench = Bench(other).begin(task("a"), task("b", agent="other"))
    first = next_ready(bench.state)
    bench.admit(first)
    assert (first, next_ready(bench.state), next_ready(bench.state, {"other"})) == ("a", "b", None)


def test_a_run_at_work_is_not_idle_and_a_finished_one_is() -> None:
    """Idle is when only somebody outside can go on."""
    bench = Bench().begin(task("a"))
    bench.admit()
    working = bench.state.idle
    bench.succeed("a")
    assert (working, bench.state.idle) == (False, True)


def test_delegation_is_bounded_in_depth() -> None:
    """A call beyond max_depth fails."""
    bench = Bench().begin(task("a"), budget=Budget(max_depth=0))
    bench.send(msg.Delegate(0.0, bench.admit("a"), "a.1", "worker", {"n": 1}))
    bench.admit("a.1")
    assert bench.statuses["a.1"] == "failed"


def test_the_objective_is_frozen_with_the_inputs() -> None:
    """Its digest differs when a value that is filled in does."""
    digests: set[str] = set()
    for value in (1, 2):
        bench = Bench().begin(task("a"), replace(task("b", "a"), objective="Say ${a}."))
        bench.succeed("a", value)
        bench.admit("b")
        digests.add(bench.state.tasks["b"].inputs)
    assert len(digests) == 2


def test_recovery_is_to_apply_the_journal_and_carry_out_what_is_pending() -> None:
    """Nothing else is gained; a gap in the journal is refused."""
    bench = Bench().begin(task("a"), task("b"))
    key = bench.admit("a")
    state = replay(RunState("run", team()), bench.events)
    gap = RunAdopted(seq=99, at=0.0, run_id="run", owner="me")
    assert (snapshot(state), state.gained) == (snapshot(bench.state), [])
    assert state.pending == {key: Dispatch(key, "a")}
    with pytest.raises(ValueError, match="event 99 cannot follow"):
        apply(state, gap)


def test_the_next_task_is_the_head_of_the_longest_path() -> None:
    """Given seconds first, then the agent's mean; agents that are busy are passed over; a full list is none."""
    other = AgentCard(name="other")
    plan = [task("a"), task("b"), task("c", "b"), task("d", agent="other")]
    bench = Bench(other).begin(*plan)
    order = [next_ready(bench.state), next_ready(bench.state, {"worker"}), next_ready(bench.state, {"worker", "other"})]
    bench.succeed("b")
    assert (order, bench.state.policy_of(plan[0]) is bench.state.policy) == (["b", "d", None], True)
    assert [next_ready(Bench().state), Bench().state.idle] == [None, False]


def test_every_message_has_its_decision() -> None:
    """No message is told to the core that it does not know."""
    assert set(DECISIONS) == set(get_args(msg.Message))
