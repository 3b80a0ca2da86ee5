"""The order across runs, over the real core: no slot idle beside a task that could have it, no starvation, classes."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agentorch.core import inbox
from agentorch.core.advance import admit_ready, advance
from agentorch.core.card import AgentCard
from agentorch.core.events import TaskStarted
from agentorch.core.policy import Policy
from agentorch.core.scheduling import next_ready
from agentorch.core.state import RunState
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import verify
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.scheduler import BATCH_OFFSET, WEIGHT, Scheduler, standing

AGENTS: tuple[str, ...] = ("a", "b", "c")
CARDS = {name: AgentCard(name=name) for name in AGENTS}


@dataclass
class Floor:
    """A scheduler, its runs, and what is at work, on a clock of its own."""

    slots: int
    limits: dict[str, int] = field(default_factory=dict[str, int])
    now: float = 0.0
    runs: dict[str, HostedRun] = field(default_factory=dict[str, HostedRun])
    at_work: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Runs and keys, in the order of admission."""
    admitted: list[str] = field(default_factory=list[str])
    """The run of every admission."""

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.slots, self._admit)
        for agent, slots in self.limits.items():
            self.scheduler.limit_agent(agent, slots)

    def enter(
        self,
        name: str,
        agents: Iterable[str],
        *,
        priority: Any = "interactive",
        parallel: int = 32,
        seconds: float | None = None,
    ) -> None:
        """Begin a run of independent tasks and one that needs them all, each expected to take these seconds."""
        tasks = [Task(f"t{number}", agent, seconds=seconds) for number, agent in enumerate(agents)]
        last = Task("end", AGENTS[-1], needs=tuple(task.id for task in tasks), seconds=seconds)
        state = RunState(name, CARDS)
        plan = verify(Graph((*tasks, last), "$end"), CARDS)
        assert not plan.errors
        advance(state, inbox.Begin(self.now, "goal", plan=plan, priority=priority, policy=Policy(parallel=parallel)))
        run = self.runs[name] = HostedRun(state, MemoryJournal())
        self.scheduler.enter(run)
        self._changed(run)

    def finish(self, place: int) -> None:
        """End one task of those at work."""
        name, key = self.at_work.pop(place % len(self.at_work))
        run = self.runs[name]
        advance(run.state, inbox.Succeed(self.now, key, {}, None, ()))
        if run.state.finished:
            self.scheduler.leave(run)
        self._changed(run)

    def cancel(self, place: int) -> None:
        """Give a run up."""
        run = [*self.runs.values()][place % len(self.runs)]
        if not run.state.finished:
            advance(run.state, inbox.Cancel(self.now, "somebody", "enough"))
            self.at_work = [one for one in self.at_work if one[0] != run.state.run_id]
            self.scheduler.leave(run)
            self.scheduler.pump()

    def check(self) -> None:
        """Raise unless the counts are right, the limits are kept, and no slot is idle that a task could have."""
        open_runs = [run for run in self.runs.values() if not run.state.finished]
        by_agent = dict.fromkeys(AGENTS, 0)
        for run in open_runs:
            for agent, count in run.state.running_by_agent.items():
                by_agent[agent] += count
        full = {agent for agent, slots in self.limits.items() if by_agent[agent] >= slots}
        assert all(by_agent[agent] <= slots for agent, slots in self.limits.items())
        assert self.scheduler._full == full
        assert self.scheduler._active == len(self.at_work) <= self.slots
        if len(self.at_work) < self.slots:
            assert not [run for run in open_runs if _may(run, full)]

    def _changed(self, run: HostedRun) -> None:
        self.scheduler.changed(run)
        self.scheduler.pump()

    def _admit(self, run: HostedRun, busy: Container[str], most: int) -> bool:
        started = admit_ready(run.state, self.now, most=most, busy=busy)
        for event in started:
            assert isinstance(event, TaskStarted)
            self.at_work.append((run.state.run_id, event.key))
            self.admitted.append(run.state.run_id)
        return bool(started)


def _may(run: HostedRun, full: set[str]) -> bool:
    state = run.state
    return state.running < state.policy.parallel and next_ready(state, full) is not None


@given(slots=st.integers(1, 64))
def test_a_second_of_age_outweighs_a_quarter_of_what_all_slots_do_in_it(slots: int) -> None:
    """However many slots share the work, a run passes one that came later and has that much less to do."""
    assert standing(0.0, 80.0 * slots, slots) == standing(320.0, 0.0, slots) == standing(20.0, 0.0, slots, offset=300.0)


def test_expected_seconds_count_before_a_run_has_begun() -> None:
    """Of two runs that wait for their first slot, the one that takes less goes first, though it came later."""
    floor = Floor(1)
    floor.enter("filler", "a")
    floor.enter("long", "a", seconds=100)
    floor.now = 1
    floor.enter("short", "aaa", seconds=1)
    floor.finish(0)
    floor.finish(0)
    assert floor.admitted == ["filler", "filler", "short"]


def test_a_run_of_which_nothing_is_known_is_taken_to_be_like_those_that_have_ended() -> None:
    """Tasks took a minute each so far: a run of two unknown ones stands behind one of five that take ten seconds."""
    floor = Floor(1)
    floor.enter("filler", "a")
    floor.enter("earlier", "a")
    for _ in range(4):
        floor.now += 60
        floor.finish(0)
    floor.enter("filler again", "a", seconds=1)
    floor.enter("unknown", "a")
    floor.enter("known", "aaaa", seconds=10)
    floor.finish(0)
    floor.finish(0)
    assert floor.admitted[-1] == "known"


RUNS = st.tuples(
    st.lists(st.sampled_from(AGENTS), min_size=1, max_size=6),
    st.sampled_from(["interactive", "batch"]),
    st.integers(1, 4),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), RUNS),
        st.tuples(st.just("finish"), st.integers(0, 50)),
        st.tuples(st.just("cancel"), st.integers(0, 50)),
    ),
    max_size=40,
)


@given(slots=st.integers(1, 5), limits=st.dictionaries(st.sampled_from(AGENTS), st.integers(1, 2)), steps=STEPS)
def test_no_slot_is_idle_that_a_task_could_have(slots: int, limits: dict[str, int], steps: list[Any]) -> None:
    """Whatever comes, ends and is given up: after each step the counts are exact and no admissible task is left."""
    floor = Floor(slots, limits)
    for number, (kind, value) in enumerate(steps):
        floor.now += 1
        if kind == "enter":
            agents, priority, parallel = value
            floor.enter(f"r{number}", agents, priority=priority, parallel=parallel)
        elif kind == "cancel" and floor.runs:
            floor.cancel(value)
        elif kind == "finish" and floor.at_work:
            floor.finish(value)
        floor.check()
    while floor.at_work:
        floor.finish(0)
        floor.check()
    assert all(run.state.finished for run in floor.runs.values())


def test_a_run_that_waits_for_an_agent_keeps_its_place() -> None:
    """When the agent is free again, the run that came first has it, although another could have the slot."""
    floor = Floor(2, {"a": 1})
    floor.enter("first", "a")
    floor.enter("second", "a")
    floor.now = 1
    floor.enter("third", "bbb")
    floor.finish(0)
    assert floor.admitted[:3] == ["first", "third", "first"]
    floor.finish(1)
    assert floor.admitted[3] == "second"
    floor.check()


def test_a_slot_that_its_first_taker_cannot_use_goes_to_the_next() -> None:
    """Two agents are free at once: a run that may have one task at work takes one of them, another run the other."""
    floor = Floor(3, {"a": 1, "b": 1})
    floor.enter("both", "ab")
    floor.enter("narrow", "ba", parallel=1)
    floor.now = 60
    floor.enter("next", "a")
    floor.cancel(0)
    assert floor.admitted == ["both", "both", "narrow", "next"]
    floor.check()


@given(tasks=st.integers(1, 6), slots=st.integers(1, 3), batch_first=st.booleans())
def test_interactive_runs_go_ahead_of_batch_runs_that_came_with_them(tasks: int, slots: int, batch_first: bool) -> None:
    """Of two runs with the same work that came together, every task of the interactive one that is ready goes first."""
    floor = Floor(slots)
    floor.enter("filler", "a" * slots)
    names = ["batch", "interactive"] if batch_first else ["interactive", "batch"]
    for name in names:
        floor.enter(name, "a" * tasks, priority=name)
    for _ in range(slots):
        floor.finish(0)
    waiting = [name for name in floor.admitted if name != "filler"]
    while floor.at_work:
        floor.finish(0)
        waiting = [name for name in floor.admitted if name != "filler"]
    assert waiting[:tasks] == ["interactive"] * tasks


@given(rate=st.integers(1, 4), limited=st.booleans(), size=st.integers(1, 3))
def test_a_flood_of_interactive_runs_starves_no_batch_run(rate: int, limited: bool, size: int) -> None:
    """More comes each ten seconds than there are slots: a batch run waits for its class and its work, no longer."""
    floor = Floor(1, {"a": 1} if limited else {})
    floor.enter("first", "a")
    floor.enter("batch", "a" * size, priority="batch")
    most = BATCH_OFFSET + (size + 1) * 10 * WEIGHT
    while "batch" not in floor.admitted:
        floor.now += 10
        for number in range(rate):
            floor.enter(f"i{floor.now:.0f}.{number}", "b" if number % 2 else "a")
        floor.finish(0)
        floor.check()
        # What came later than this stands behind the batch run, and what came before is bounded.
        assert len(floor.admitted) <= 3 + 2 * rate * (most / 10)
    later = [name for name in floor.admitted if name[0] == "i" and float(name[1:].partition(".")[0]) > most]
    assert not later
