"""Steps belong to their attempt: any of its dispatches may bring one, the first wins, a fresh attempt has none."""

from agentorch.core import inbox as msg
from agentorch.core.failures import FailureKind
from agentorch.core.usage import Usage
from tests.core.bench import Bench, kinds, task

ONE = Usage(calls=1, input_tokens=5)


def finish(bench: Bench, key: str, step: str = "model:1", result: object = "said", usage: Usage | None = ONE):
    """Send a finished step."""
    return bench.send(msg.FinishStep(bench.now, key, step, step.split(":", maxsplit=1)[0], result, usage))


def test_a_step_is_kept_for_the_attempt_and_charged_once() -> None:
    """The second time it is only paid for: somebody has called twice."""
    bench = Bench().begin(task("a"))
    key = bench.admit("a")
    sent = [finish(bench, key), finish(bench, key, result="again")]
    free = finish(bench, key, usage=None)

    assert [kinds(events) for events in sent] == [["StepFinished a"], ["OutcomeLate a"]]
    assert (free, bench.state.tasks["a"].steps) == ([], {"model:1": "said"})
    assert bench.state.spent == ONE + ONE


def test_a_next_dispatch_finds_the_steps_and_a_next_attempt_does_not() -> None:
    """Transient: the same attempt goes on. Rejected: a fresh one begins with nothing."""
    bench = Bench().begin(task("a", attempts=2))
    finish(bench, bench.admit("a"))
    bench.fail("a", FailureKind.TRANSIENT)
    bench.ripe("a")
    bench.admit("a")
    continued = dict(bench.state.tasks["a"].steps or {})
    bench.fail("a", FailureKind.INVALID)

    assert continued == {"model:1": "said"}
    assert (bench.state.tasks["a"].attempt, bench.state.tasks["a"].steps) == (2, None)


def test_a_late_dispatch_of_the_attempt_brings_its_step_and_one_of_another_attempt_does_not() -> None:
    """What is over is only paid for, also when the run is."""
    bench = Bench().begin(task("a", attempts=2))
    first = bench.admit("a")
    bench.fail("a", FailureKind.TRANSIENT)
    late = finish(bench, first)
    bench.ripe("a")
    bench.fail("a", FailureKind.CRASH)
    stale = finish(bench, first, "model:2")
    bench.succeed("a")
    over = finish(bench, first, "model:3")

    assert [kinds(events) for events in (late, stale, over)] == [
        ["StepFinished a"],
        ["OutcomeLate a"],
        ["OutcomeLate a"],
    ]
    assert bench.state.tasks["a"].steps is None
    assert bench.state.spent == ONE + ONE + ONE


def test_changed_agents_begin_their_attempts_afresh() -> None:
    """Running and waiting attempts with something done begin anew; a ready one that has done nothing goes on."""
    bench = Bench().begin(task("a"), task("b"), task("c"), answer="$c")
    finish(bench, bench.admit("a"))
    bench.send(msg.Delegate(bench.now, bench.key("a"), "a.1.worker", "worker", {"x": 1}))
    finish(bench, bench.admit("b"))
    bench.fail("b", FailureKind.TRANSIENT)
    sent = bench.send(msg.Adopt(bench.now, "me", {"worker": "2"}, frozenset({"worker"})))

    attempts = {
        name: (one.attempt, one.dispatch, one.steps) for name, one in bench.state.tasks.items() if "." not in name
    }
    assert kinds(sent) == [
        "RunAdopted",
        "TaskCancelled a.1.worker",
        "AttemptFailed a",
        "TaskRetried a",
        "TaskRetried b",
    ]
    assert attempts == {"a": (2, 1, None), "b": (2, 1, None), "c": (1, 1, None)}
    assert bench.state.cards == {"worker": "2"}
    bench.run_out()
