"""Ready tasks that are admitted together: as one message each would have it."""

from typing import Any

import pytest

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.advance import admit_ready, advance
from agentorch.core.card import AgentCard
from agentorch.core.policy import Policy
from agentorch.core.state import RunState
from agentorch.core.task import Graph, Task
from agentorch.core.usage import Budget
from agentorch.core.verifier import verify
from agentorch.testing.snapshot import snapshot
from tests.core.bench import next_ready, task, team

CARDS = team(AgentCard(name="writer", needs_model=True), AgentCard(name="careful", policy=Policy(approval="before")))


def begun(tasks: tuple[Task, ...], **fields: Any) -> RunState:
    """Return a run that has begun with the tasks, and has given `first` an output, if it is one of them."""
    state = RunState("run", CARDS)
    plan = verify(Graph((*tasks, task("end", *(one.id for one in tasks))), "$end"), CARDS)
    advance(state, msg.Begin(1.0, "goal", plan=plan, **fields))
    if "first" in state.tasks:
        advance(state, msg.Admit(1.0, "first"))
        advance(state, msg.Succeed(1.0, state.key_of(state.tasks["first"]), {"a": 1}))
    return state


def one_by_one(state: RunState) -> list[ev.Event]:
    """Admit what is ready by a message each."""
    events: list[ev.Event] = []
    while (name := next_ready(state)) is not None and not state.finished:
        decided = advance(state, msg.Admit(2.0, name))
        events += decided
        if not decided:
            break
    return events


@pytest.mark.parametrize(
    ("tasks", "fields"),
    [
        ((task("a"), task("b"), task("c")), {}),
        ((task("a"), task("b", agent="careful"), task("c")), {}),
        ((task("first"), task("b", inputs={"n": "$first.missing"}), task("c", inputs={"n": "$first.a"})), {}),
        ((task("a", agent="writer"), task("b", agent="writer"), task("c")), {"budget": Budget(max_calls=2)}),
        ((task("a"), task("b", on_failure="fail_run"), task("c")), {"budget": Budget(max_tasks=1)}),
    ],
    ids=["plain", "a person is asked", "an input is broken", "a budget", "no room for more tasks"],
)
def test_they_are_admitted_as_by_a_message_each(tasks: tuple[Task, ...], fields: dict[str, Any]) -> None:
    """The same events, and the same state."""
    together, apart = begun(tasks, **fields), begun(tasks, **fields)
    events = admit_ready(together, 2.0, most=100)

    assert events == one_by_one(apart)
    assert snapshot(together) == snapshot(apart)
    assert events


def test_no_more_are_admitted_than_there_is_room_for() -> None:
    """And none whose agent is at work as often as it may be."""
    state = begun((task("a"), task("b", agent="careful"), task("c")))
    first = admit_ready(state, 2.0, most=1)
    second = admit_ready(state, 2.0, most=1, busy={"careful"})
    third = admit_ready(state, 2.0, most=9, busy={"careful"})

    assert [[event.task for event in events] for events in (first, second, third)] == [["a"], ["c"], []]
