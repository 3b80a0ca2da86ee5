"""The tables of moves: every row happens, and what is in no row is noticed. The bench holds every append to them."""

from collections.abc import Callable, Iterator

import pytest

from agentorch.core import inbox as msg
from agentorch.core.events import RequestOpened
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.invariants import InvariantError
from agentorch.core.state import FINAL, Status
from agentorch.core.transitions import RUN_MOVES, TASK_MOVES, check_moves, run_state, standing
from agentorch.core.usage import Budget
from tests.core.bench import Bench, task
from tests.core.test_reservations import ANSWERING, WRITER, admit_all, written

LATE = Problem("E_BUDGET", "the time of the run is up")
WRONG = Problem("unconfigured", "the key is wrong")


def _ordinary() -> Bench:
    bench = Bench().begin(task("a"), task("b", "a"), task("c"), task("d", "c"), answer="$b")
    bench.succeed("a", 1)
    bench.fail("c")
    return bench.run_out()


def _planned() -> Bench:
    bench = Bench().begin()
    bench.send(msg.Propose(0.0, (task("a"), task("b")), "model"))
    bench.succeed("a")
    bench.fail("b")
    bench.send(msg.Complete(0.0, (task("a"), task("b")), None, "model"))
    bench.send(msg.PatchFailed(0.0, (), "model"))
    return bench.run_out()


def _planned_late() -> Bench:
    bench = Bench().begin()
    bench.send(msg.Propose(0.0, (task("a"),), "model"))
    bench.succeed("a")
    bench.send(msg.Complete(0.0, (task("a"),), "$a", "model"))
    return bench


def _climbing() -> Bench:
    bench = Bench().begin(task("a"), task("b"), task("c"), answer="$c", person=True)
    bench.fail("a", FailureKind.CRASH)
    bench.fail("a", FailureKind.CRASH)
    bench.fail("b", FailureKind.TRANSIENT)
    for request in [*bench.state.requests]:
        bench.send(msg.Answer(0.0, request, {"output": "by hand"}, "ann"))
    bench.send(msg.Cancel(0.0, "ann"))
    return bench


def _asked() -> Bench:
    bench = Bench().begin(*(task(name, approval="before") for name in "abc"))
    for name in "abc":
        bench.admit(name)
    requests = [event.request_id for event in bench.events if isinstance(event, RequestOpened)]
    for request, value in zip(requests, (True, False), strict=False):
        bench.send(msg.Answer(0.0, request, value, "ann"))
    bench.send(msg.Cancel(0.0, "ann"))
    return bench


def _kept() -> Bench:
    bench = Bench().begin(task("a"), task("b", "a"), task("x"), task("end", "b", "x"), planner="model")
    bench.succeed("a", 1)
    bench.succeed("b", 2)
    bench.fail("x")
    bench.patched(task("a", inputs={"better": 1}), task("x", inputs={"better": 1}))
    bench.succeed("a", 1)
    bench.admit("b")
    return bench.run_out()


def _poor() -> Bench:
    bench = Bench(WRITER, ANSWERING).begin(*written("a", "b", "c"), answer="$c", budget=Budget(max_tokens=2_500))
    admit_all(bench)
    bench.send(msg.Cancel(0.0, "ann"))
    return bench


def _nothing_to_give() -> Bench:
    bench = Bench().begin(task("a"), task("b", inputs={"x": "$a.rows"}), answer="$b")
    bench.succeed("a", {"columns": 1})
    bench.admit("b")
    return bench.run_out()


def _aborted(status: str) -> Callable[[], Bench]:
    def aborted() -> Bench:
        bench = _in(status)
        bench.send(msg.Abort(0.0, LATE))
        return bench.run_out()

    return aborted


def _stopped(status: str) -> Callable[[], Bench]:
    def stopped() -> Bench:
        bench = _in(status)
        bench.send(msg.Stop(0.0, WRONG))
        bench.send(msg.Adopt(0.0, "me"))
        return bench.run_out()

    return stopped


def _cancelled(status: str) -> Callable[[], Bench]:
    def cancelled() -> Bench:
        bench = _in(status)
        bench.send(msg.Cancel(0.0, "ann"))
        return bench

    return cancelled


def _in(status: str) -> Bench:
    """Return a run in this state, with a task that succeeded."""
    if status == "planning":
        bench = Bench().begin()
        bench.send(msg.Propose(0.0, (task("a"), task("b", "a")), "model"))
        bench.succeed("a")
        bench.admit("b")
        return bench
    planner = "model" if status == "replanning" else None
    bench = Bench().begin(task("a"), task("b", "a"), task("c", "a"), task("d", "b", "c"), planner=planner)
    bench.succeed("a")
    if status == "replanning":
        bench.fail("b")
    elif status == "answering":
        bench.fail("b")
        bench.succeed("c")
    elif status == "stopped":
        bench.send(msg.Stop(0.0, WRONG))
    assert bench.state.status == status
    return bench


STORIES: dict[str, Callable[[], Bench]] = {
    "an ordinary run": _ordinary,
    "a plan that is written while its tasks run": _planned,
    "a plan that is done before it is whole": _planned_late,
    "failures, and a person who says what came of one": _climbing,
    "approvals": _asked,
    "a patch that keeps what was done": _kept,
    "a small budget": _poor,
    "an input that is not there": _nothing_to_give,
    **{f"time is up while {status}": _aborted(status) for status in ("planning", "running", "replanning")},
    **{f"stopped while {status}": _stopped(status) for status in ("planning", "running", "replanning", "answering")},
    **{f"cancelled while {status}": _cancelled(status) for status in ("running", "replanning", "answering", "stopped")},
}


def rows() -> Iterator[tuple[str, str, str]]:
    """Go through both tables."""
    yield from (("task", str(old), str(new)) for old, after in TASK_MOVES.items() for new in after)
    yield from (("run", old, new) for old, after in RUN_MOVES.items() for new in after)


def test_each_row_happens() -> None:
    """A move that no run makes would be drawn all the same: the stories together make every one."""
    seen = {move for story in STORIES.values() for move in story().moves}
    assert seen == set(rows())


def test_what_is_final_has_no_way_out() -> None:
    """The table says so of the states that the core calls final, and of no other."""
    assert {status for status, after in TASK_MOVES.items() if not after} == FINAL
    assert [status for status, after in RUN_MOVES.items() if not after] == [run_state("partial")]


def test_a_move_of_a_task_that_no_row_has_is_named() -> None:
    """With the run, the event, the task and both states."""
    bench = Bench().begin(task("a"), task("b", "a"), answer="$b")
    before = standing(bench.state)
    bench.state.tasks["b"].status = Status.RUNNING
    with pytest.raises(InvariantError, match="event 3: from 'pending' no task goes to 'running', as 'b' did"):
        check_moves(bench.state, before, "running")


def test_a_move_of_a_run_that_no_row_has_is_named() -> None:
    """It can be resumed, and no run that has ended can."""
    bench = _ordinary()
    before = standing(bench.state)
    bench.state.status = "running"
    with pytest.raises(InvariantError, match="from 'ended' no run goes to 'running'"):
        check_moves(bench.state, before, "partial")
