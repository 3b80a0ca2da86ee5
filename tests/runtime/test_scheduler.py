"""The scheduler's own account: what it keeps does not grow with what has happened."""

from collections.abc import Container

from agentorch.core import inbox
from agentorch.core.advance import advance
from agentorch.core.card import AgentCard
from agentorch.core.state import RunState
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import verify
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.scheduler import SPARE, Scheduler

CARDS = {"worker": AgentCard(name="worker")}
PLAN = verify(Graph((Task("a", "worker"),), "$a"), CARDS)


def hosted(run_id: str) -> HostedRun:
    """Return a run with a ready task."""
    state = RunState(run_id, CARDS)
    advance(state, inbox.Begin(0.0, "goal", plan=PLAN))
    return HostedRun(state, MemoryJournal())


def test_the_queue_is_as_long_as_there_are_runs() -> None:
    """Places that an event has outdated are taken out, and a single run has none."""
    admitted: list[str] = []

    def admit(run: HostedRun, _busy: Container[str], _most: int) -> bool:
        admitted.append(run.state.run_id)
        scheduler.leave(run)
        return True

    scheduler = Scheduler(3, admit)
    first, second, third = (hosted(name) for name in ("r1", "r2", "r3"))
    for run in (first, second, third):
        scheduler.enter(run)
    lengths: list[int] = []
    for _ in range(1000):
        for run in (first, second, third):
            scheduler.changed(run)
        lengths.append(len(scheduler))
    scheduler.leave(third)
    two = len(scheduler)
    scheduler.leave(second)

    assert max(lengths) <= 2 * 3 + SPARE
    assert two > 0
    assert len(scheduler) == 0
    scheduler.enter(second)
    scheduler.pump()
    assert sorted(admitted) == ["r1", "r2"]
