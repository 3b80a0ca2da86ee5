"""The plain case, decided and applied in one step, against `decide` and `apply`: the same events, the same state."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentorch.core import inbox as msg
from agentorch.core import plain
from agentorch.core.advance import admit_ready, advance
from agentorch.core.card import AgentCard
from agentorch.core.events import Event
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from agentorch.core.scheduling import ripen
from agentorch.core.state import RunState, Status
from agentorch.core.task import UNSET, Graph, Task
from agentorch.core.usage import Budget, Usage
from agentorch.core.verifier import verify
from agentorch.testing.snapshot import snapshot
from tests.core.bench import task, team
from tests.core.test_against_reference import CARDS, plans

WITH_MODEL = AgentCard(name="author", needs_model=True)
TEAM = team(*CARDS, WITH_MODEL, AgentCard(name="careful", policy=Policy(approval="before")))


def _never(*_: object) -> None:
    """Leave it to the others."""


@contextmanager
def without_it() -> Generator[None]:
    """Leave everything to `decide` and `apply`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "start", _never)
        patch.setattr(plain, "succeed", _never)
        yield


class Both:
    """A run, and the same one without the plain case."""

    def __init__(self, *tasks: Task, **fields: Any) -> None:
        self.runs = [RunState("run", TEAM), RunState("run", TEAM)]
        self.events: list[Event] = []
        self.now = 0.0
        plan = verify(Graph(tasks, f"${tasks[-1].id}"), TEAM)
        assert not plan.errors, plan.errors
        self.send(msg.Begin(0.0, "goal", plan=plan, **fields))

    def send(self, message: msg.Message) -> list[Event]:
        """Tell both the same."""
        with_it = advance(self.runs[0], message)
        with without_it():
            apart = advance(self.runs[1], message)
        return self._equal(with_it, apart)

    def admit(self, most: int) -> list[Event]:
        """Admit what is ready."""
        with_it = admit_ready(self.runs[0], self.now, most=most)
        with without_it():
            apart = admit_ready(self.runs[1], self.now, most=most)
        return self._equal(with_it, apart)

    def ripe(self, name: str) -> None:
        """Let a timer come."""
        for run in self.runs:
            assert ripen(run, name)

    def key(self, name: str) -> str:
        """Return the key of a task as it stands."""
        return self.runs[0].key_of(self.runs[0].tasks[name])

    def of(self, *statuses: Status) -> list[str]:
        """Return the tasks that stand so."""
        return [name for name, task in self.runs[0].tasks.items() if task.status in statuses]

    def _equal(self, one: list[Event], other: list[Event]) -> list[Event]:
        assert one == other
        assert [event.model_fields_set for event in one] == [event.model_fields_set for event in other]
        first, second = (snapshot(run) for run in self.runs)
        assert first == second
        assert self.runs[0].gained == self.runs[1].gained
        assert self.runs[0].ready_count == self.runs[1].ready_count
        self.events += one
        self.now += 1.0
        return one


@st.composite
def partly_plain(draw: st.DrawFn) -> tuple[list[Task], dict[str, list[str]]]:
    """Return a DAG as `plans` does, in which most tasks set nothing of their own."""
    tasks, script = draw(plans())
    plain_ones = draw(st.lists(st.sampled_from(tasks), unique_by=lambda one: one.id))
    names = {one.id for one in plain_ones}
    mixed = [replace(one, policy=UNSET) if one.id in names else one for one in tasks]
    return mixed, {name: list(kinds) if draw(st.booleans()) else [] for name, kinds in script.items()}


@settings(deadline=None, max_examples=150)
@given(plan=partly_plain(), slots=st.integers(1, 8), data=st.data())
def test_any_plan_any_failures_any_interleaving(
    plan: tuple[list[Task], dict[str, list[str]]], slots: int, data: st.DataObject
) -> None:
    """With joins, retries, repairs, fallbacks, late outcomes and skipped tasks."""
    tasks, script = plan
    both = Both(*tasks)
    said: list[msg.Message] = []
    while not both.runs[0].finished:
        running, timed = both.of(Status.RUNNING), both.of(Status.WAITING)
        if len(running) < slots and both.admit(data.draw(st.integers(1, slots))):
            continue
        choices = ["outcome"] * bool(running) + ["timer"] * bool(timed) + ["again"] * bool(said)
        match data.draw(st.sampled_from(choices)):
            case "outcome":
                name = data.draw(st.sampled_from(running))
                said.append(_outcome(both, name, script))
                both.send(said[-1])
            case "timer":
                both.ripe(data.draw(st.sampled_from(timed)))
            case _:
                both.send(said[data.draw(st.integers(0, len(said) - 1))])


def _outcome(both: Both, name: str, script: dict[str, list[str]]) -> msg.Message:
    if script.get(name):
        return msg.Fail(both.now, both.key(name), FailureKind(script[name].pop(0)), ("no",))
    return msg.Succeed(both.now, both.key(name), {"of": name}, sources=("a.md:1",))


@pytest.mark.parametrize(
    ("second", "fields"),
    [
        (task("b", agent="careful"), {}),
        (task("b", agent="author"), {"budget": Budget(max_calls=3)}),
        (task("b", inputs={"n": "$a.missing"}), {}),
        (Task("b", "worker", needs=("a",), objective="of ${a.n}"), {}),
        (task("b", "a", attempts=1), {}),
        (Task("b", "worker", needs=("a",), budget=Budget(max_seconds=9)), {}),
        (task("b", "a"), {"budget": Budget(max_seconds=60)}),
        (task("b", "a"), {"budget": Budget(max_tasks=1)}),
        (task("b", "a"), {"budget": Budget(max_tokens=1000)}),
    ],
    ids=["approval", "calls", "broken", "objective", "policy", "seconds", "run's seconds", "tasks", "tokens"],
)
def test_what_is_not_plain_is_left_to_the_others(second: Task, fields: dict[str, Any]) -> None:
    """A task with more to it, beside one that has none."""
    both = Both(task("a"), second, task("c"), task("end", "a", "b", "c", join="settled"), **fields)
    while not both.runs[0].finished:
        started = both.admit(9)
        running = both.of(Status.RUNNING)
        for name in running:
            usage = Usage(calls=1, input_tokens=5) if name == "b" else None
            both.send(msg.Succeed(both.now, both.key(name), {"n": 1}, usage))
        if not (started or running):
            both.send(msg.Cancel(both.now, "me", "somebody is asked"))

    assert {"TaskStarted", "TaskSucceeded"} <= {event.type for event in both.events}


def test_what_is_plain_goes_this_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each task of an ordinary plan, with inputs and without, starts and succeeds by it."""
    taken: list[str] = []

    def counted(name: str) -> None:
        original = getattr(plain, name)

        def call(*args: Any) -> Any:
            event = original(*args)
            if event is not None:
                taken.append(event.type)
            return event

        monkeypatch.setattr(plain, name, call)

    counted("start")
    counted("succeed")
    tasks = (task("a"), task("b", inputs={"n": "$a.n"}), Task("c", "worker", objective="of ${a.n}", needs=("a",)))
    state = RunState("run", TEAM)
    advance(state, msg.Begin(0.0, "goal", plan=verify(Graph((*tasks, task("end", "b", "c")), "$end"), TEAM)))
    while not state.finished:
        for event in admit_ready(state, 1.0, most=9):
            assert event.task is not None
            advance(state, msg.Succeed(2.0, state.key_of(state.tasks[event.task]), {"n": 1}))

    assert taken.count("TaskStarted") == taken.count("TaskSucceeded") == 4
