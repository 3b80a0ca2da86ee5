"""What the path of a task rests on: an only ready task is not ranked, and every event has its place in the table."""

from agentorch.core import inbox as msg
from agentorch.core.apply import CHANGES
from agentorch.journal.codec import event_types
from tests.core.bench import Bench, next_ready, task


def test_the_only_ready_task_needs_no_rank() -> None:
    """A plan that comes in task by task is not ranked while nothing has to wait; nor is a chain."""
    bench = Bench().begin()
    started: list[str | None] = []
    for name, needs in (("a", ()), ("b", ("a",)), ("c", ("b",))):
        bench.send(msg.Propose(0.0, (task(name, *needs),), "model"))
        started += [next_ready(bench.state, {"worker"}) if name == "c" else None, next_ready(bench.state)]
        bench.admit(name)
        bench.succeed(name)
    unranked = bench.state.ranks_stale
    bench.send(msg.Propose(0.0, (task("d"), task("e")), "model"))

    assert (started, unranked, next_ready(bench.state), bench.state.ranks_stale) == (
        [None, "a", None, "b", None, "c"],
        False,
        "d",
        False,
    )


def test_every_event_changes_the_state_in_some_way_or_is_said_to_change_nothing() -> None:
    """No event type is left out of the table of changes."""
    assert set(CHANGES) == set(event_types().values())
