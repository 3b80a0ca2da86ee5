"""Running time: what counts against `max_seconds` over stops, take-overs and waiting for a person."""

from agentorch.core.run_events import RunAdopted, RunForked, UsageAdded
from agentorch.core.running_time import count_time, end_of_run, running_time
from agentorch.core.state import Request, RunState
from agentorch.core.usage import Budget


def state_at(updated: float, ran: float) -> RunState:
    """Return a run that goes on."""
    state = RunState("run")
    state.budget = Budget(max_seconds=100)
    state.updated, state.ran = updated, ran
    return state


def test_time_counts_while_the_run_can_go_on() -> None:
    """From event to event; a clock that went back counts as none."""
    state = state_at(updated=10, ran=3)
    count_time(state, UsageAdded(seq=1, at=15, run_id="run", purpose="planning"))
    count_time(state, UsageAdded(seq=2, at=5, run_id="run", purpose="planning"))

    assert (state.ran, running_time(state, 14), running_time(state, 9)) == (8, 12, 8)


def test_a_take_over_or_a_fork_does_not_count_what_was_before_it() -> None:
    """Nobody carried the run out."""
    state = state_at(updated=10, ran=3)
    count_time(state, RunAdopted(seq=1, at=9000, run_id="run", owner="me"))
    count_time(state, RunForked(seq=2, at=99_000, run_id="run", parent="p", place=1, owner="me"))

    assert state.ran == 3


def test_a_fork_does_not_count_what_was_before_it() -> None:
    """Nobody carried it out: the events before are another run's."""
    state = state_at(updated=10, ran=3)
    count_time(state, RunForked(seq=1, at=9000, run_id="run", parent="other", place=1, owner="me"))

    assert state.ran == 3


def test_waiting_for_a_person_alone_does_not_count() -> None:
    """Nothing can happen until somebody outside acts."""
    state = state_at(updated=10, ran=3)
    request = Request("q", "approval", None, "Sure?", {}, None)
    state.requests = {"q": request}
    state.pending["q"] = None  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
    count_time(state, UsageAdded(seq=1, at=500, run_id="run", purpose="planning"))

    assert state.idle
    assert (state.ran, running_time(state, 900)) == (3, 3)


def test_the_end_of_a_run() -> None:
    """What is left of its seconds from now; no end without a limit."""
    state = state_at(updated=10, ran=30)
    assert end_of_run(state) == 80
    state.budget = Budget()
    assert end_of_run(state) is None
