"""A body that goes on beside its question is at work: for its slot, for the run's time and for its own."""

from agentorch.core import inbox as msg
from agentorch.core.failures import FailureKind
from agentorch.core.task import Task
from agentorch.core.task_time import task_time
from agentorch.core.usage import Budget
from tests.core.bench import Bench, kinds, task


def asking(*, seconds: float | None = None) -> tuple[Bench, str]:
    """Return a run whose only task has asked a person, and its key."""
    bench = Bench().begin(Task("a", "worker", budget=Budget(max_seconds=seconds)), budget=Budget(max_seconds=100))
    key = bench.admit("a")
    bench.send(msg.Ask(bench.now, key, "q", "Sure?", {}))
    return bench, key


def test_a_question_beside_the_work_stops_nothing() -> None:
    """The run is not idle, and its time and that of the task count, from the moment it is known."""
    bench, key = asking(seconds=50)
    rests = bench.state.idle
    bench.now = 1.0
    told = kinds(bench.send(msg.GoOn(bench.now, key)))
    bench.now = 11.0
    bench.send(msg.Report(bench.now, key, "half"))
    account = bench.state.tasks["a"].account
    assert account is not None

    assert (rests, told, bench.state.idle, bench.state.blocked) == (True, ["TaskWentOn a"], False, 0)
    assert (bench.state.ran, task_time(bench.state, account, 11.0)) == (11.0, 10.0)


def test_a_body_that_waits_after_all_gives_its_slot_away_again() -> None:
    """Each turn is told once."""
    bench, key = asking()
    turns = [kinds(bench.send(msg.GoOn(bench.now, key, waits=waits))) for waits in (True, False, False, True, True)]

    assert turns == [[], ["TaskWentOn a"], [], ["TaskWentOn a"], []]
    assert (bench.state.idle, bench.state.blocked) == (True, 1)


def test_who_has_nothing_open_goes_on_as_a_matter_of_course() -> None:
    """Before a question and after its answer; the next question is waited for until the contrary is known."""
    bench, key = asking()
    bench.send(msg.GoOn(bench.now, key))
    bench.send(msg.Answer(bench.now, "q", "yes", "ann"))
    after = bench.send(msg.GoOn(bench.now, key))
    bench.send(msg.Ask(bench.now, key, "q2", "Really?", {}))

    assert (after, bench.send(msg.GoOn(bench.now, f"{key}9"))) == ([], [])
    assert (bench.state.idle, bench.state.working) == (True, 0)


def test_a_caller_that_goes_on_beside_its_call_has_lent_its_slot_all_the_same() -> None:
    """Its child may need that very slot; the run's time counts."""
    bench = Bench().begin(task("a"))
    key = bench.admit("a")
    bench.send(msg.Delegate(bench.now, key, "a.1", "worker", {"n": 1}))
    bench.admit("a.1")
    bench.send(msg.Ask(bench.now, bench.key("a.1"), "q", "Sure?", {}))
    rests = bench.state.idle
    bench.send(msg.GoOn(bench.now, key))

    assert (rests, bench.state.idle, bench.state.blocked, bench.state.working) == (True, False, 2, 1)


def test_a_dispatch_that_ends_beside_its_question_is_counted_no_more() -> None:
    """The next one is taken to wait again."""
    bench, key = asking()
    bench.send(msg.GoOn(bench.now, key))
    bench.fail("a", FailureKind.TRANSIENT)
    ended = bench.state.working
    bench.ripe("a")
    again = bench.admit("a")
    bench.send(msg.Ask(bench.now, again, "q", "Sure?", {}))

    assert (ended, bench.state.working, bench.state.blocked) == (0, 0, 1)
