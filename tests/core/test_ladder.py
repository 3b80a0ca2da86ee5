"""The ladder: its rungs in order, each bounded."""

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.events import RunStopped, TaskRetried
from agentorch.core.failures import FailureKind
from agentorch.core.ladder import delay, step_without_model
from agentorch.core.policy import Policy
from tests.core.bench import Bench, kinds, task

INVALID, TRANSIENT, UNCONFIGURED = FailureKind.INVALID, FailureKind.TRANSIENT, FailureKind.UNCONFIGURED


def _rungs(bench: Bench) -> list[tuple[str, str, int]]:
    retried = [event for event in bench.events if isinstance(event, TaskRetried)]
    return [(event.rung, event.agent, event.model) for event in retried]


def test_invalid_output_takes_every_rung_in_order() -> None:
    """Two repairs, one fresh start, the next model likewise, then the fallback agent; then it fails."""
    bench = Bench(AgentCard(name="mender", repairable=True, models=2, fallback=("worker",)))
    bench.begin(task("a", agent="mender"))
    while not bench.state.finished:
        bench.fail("a", INVALID, output=len(bench.events))
    own = [("repair", "mender"), ("repair", "mender"), ("retry", "mender")]
    assert _rungs(bench) == [
        *((rung, agent, 0) for rung, agent in own),
        ("model", "mender", 1),
        *((rung, agent, 1) for rung, agent in own),
        ("agent", "worker", 0),
        ("retry", "worker", 0),
    ]


def test_a_stand_in_shares_a_capability_and_fits_the_schemas() -> None:
    """Of the agents that share a capability, the first whose inputs and output fit steps in."""
    text, number = {"type": "string"}, {"type": "number"}
    bench = Bench(
        AgentCard(name="main", capabilities=("find",), output=text),
        AgentCard(name="a-closed", capabilities=("find",), input={"additionalProperties": False}, output=text),
        AgentCard(name="b-needy", capabilities=("find",), input={"required": ["other"]}, output=text),
        AgentCard(name="c-number", capabilities=("find",), output=number),
        AgentCard(name="d-fits", capabilities=("find",), output=text),
    )
    bench.begin(task("a", agent="main", inputs={"q": 1}))
    bench.fail("a")
    bench.fail("a")
    assert (_rungs(bench), bench.state.status) == ([("agent", "d-fits", 0)], "failed")


def test_a_fallback_of_the_run_takes_only_what_it_fits() -> None:
    """It is declared for all tasks: where it could not work, or would give something else, the next one is tried."""
    text, number = {"type": "string"}, {"type": "number"}
    bench = Bench(
        AgentCard(name="main", output=text),
        AgentCard(name="needy", input={"required": ["other"]}, output=text),
        AgentCard(name="number", output=number),
        AgentCard(name="spare", output=text),
    )
    policy = Policy(attempts=1, fallback=("needy", "number", "spare"))
    bench.begin(task("a", agent="main", inputs={"q": 1}), policy=policy)
    bench.fail("a")
    assert _rungs(bench) == [("agent", "spare", 0)]


def test_why_the_own_agent_failed_is_not_lost_when_its_fallbacks_fail_too() -> None:
    """The problem names both: the last failure, and the first, which is most often the cause."""
    bench = Bench(AgentCard(name="main", fallback=("spare", "last")), AgentCard(name="spare"), AgentCard(name="last"))
    bench.begin(task("a", agent="main"), policy=Policy(attempts=1))
    for words in ("no disk", "no input", "no idea"):
        key = bench.admit("a")
        bench.send(msg.Fail(0.0, key, FailureKind.CRASH, (words,)))
    (problem,) = bench.state.problems
    assert problem.message == "no idea; before that, 'main' failed: no disk"


def test_an_agent_whose_effects_happen_once_is_not_started_again() -> None:
    """Not even after a transient failure."""
    bench = Bench(AgentCard(name="payer", effects="once")).begin(task("a", agent="payer"))
    bench.fail("a", TRANSIENT)
    assert bench.state.status == "failed"


def test_a_transient_failure_is_dispatched_six_times() -> None:
    """Five next dispatches of the same attempt, each waiting longer; then the attempt has failed."""
    bench = Bench().begin(task("a"))
    waits: list[float] = []
    while bench.state.status == "running":
        bench.fail("a", TRANSIENT)
        due = bench.state.tasks["a"].due
        if due is not None:
            waits.append(due - bench.now)
            assert (bench.ripe("a"), bench.ripe("a"), bench.ripe("z")) == (True, False, False)
    assert (len(waits), waits == sorted(waits), bench.state.status) == (5, True, "failed")


def test_retry_after_is_obeyed_within_ten_minutes() -> None:
    """A wait that leads beyond ten minutes from the first dispatch is not waited for."""
    bench = Bench().begin(task("a"), task("b"), answer="$a")
    bench.fail("a", TRANSIENT, retry_after=600.0)
    due = bench.now + 600.0
    bench.fail("b", TRANSIENT, retry_after=600.1)
    assert bench.statuses == {"a": "timer", "b": "failed"}
    assert bench.state.tasks["a"].due == due


def test_a_repair_that_was_interrupted_is_a_repair_still() -> None:
    """The next dispatch of a repair has the rejected output and its problems."""
    bench = Bench(AgentCard(name="mender", repairable=True)).begin(task("a", agent="mender"))
    bench.fail("a", INVALID, output="bad")
    bench.fail("a", TRANSIENT)
    ladder = bench.state.tasks["a"].ladder
    assert ladder is not None
    assert (ladder.mode, ladder.output, ladder.problems, ladder.kind) == ("repair", "bad", ("no",), "transient")


def test_a_wrong_setup_stops_the_run_and_keeps_the_attempt() -> None:
    """Nothing is admitted until somebody takes the run over; the time that it stood still does not count."""
    bench = Bench().begin(task("a"), task("b"), answer="$a")
    bench.admit("b")
    bench.fail("a", UNCONFIGURED)
    bench.fail("b", UNCONFIGURED)
    stopped = (bench.state.status, bench.state.idle, bench.admit("a"))
    bench.now = 9000.0
    bench.send(msg.Adopt(bench.now, "me"))
    bench.fail("a", TRANSIENT)
    a = bench.state.tasks["a"]
    assert stopped == ("stopped", True, "")
    assert sum(isinstance(event, RunStopped) for event in bench.events) == 1
    assert (a.attempt, a.dispatch, a.waiting) == (1, 3, "timer")


def test_a_budget_that_is_used_up_is_asked_of_nobody() -> None:
    """Neither another plan nor a person would mend it."""
    bench = Bench().begin(task("a"), planner="model", person=True)
    assert kinds(bench.fail("a", FailureKind.BUDGET))[1] == "TaskFailed a"


def test_delay_doubles_with_jitter_up_to_a_minute() -> None:
    """Between half and all of 1, 2, 4 ... 60 seconds, the same for the same key."""
    waits = [delay("k", dispatch, None) for dispatch in (1, 2, 9)]
    assert [0.5 <= waits[0] <= 1, 1 <= waits[1] <= 2, 30 <= waits[2] <= 60] == [True] * 3
    assert delay("k", 1, None) == waits[0]


def test_what_may_have_acted_unseen_is_given_to_nobody_when_the_budget_is_used_up() -> None:
    """An agent that needs no model stands by; it does not start what was begun by one that acts in its own body."""
    bench = Bench(AgentCard(name="payer", effects="once", needs_model=True, fallback=("worker",)))
    bench.now = 1.0
    bench.begin(task("a", agent="payer"))
    before = step_without_model(bench.state, bench.state.tasks["a"])
    bench.admit("a")
    assert before is not None
    assert (before.agent, step_without_model(bench.state, bench.state.tasks["a"])) == ("worker", None)
