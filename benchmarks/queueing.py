"""Many runs at once on a few slots, as a model: an event at a time, nothing but heaps, to compare rules over thousands.

A run's ready tasks stand in an order of its own, and the first run in the order of the rule gets the next free slot, as
in `agentorch.runtime.scheduler`, whose `standing` this uses. A run's place is computed when the run changes, and never
otherwise.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agentorch.runtime.scheduler import UNKNOWN, standing
from benchmarks.shapes import Shape


@dataclass(frozen=True)
class Arrival:
    """A run that comes at a time. Its shape's `seconds` are true."""

    at: float
    shape: Shape
    agents: Mapping[str, str]
    """Which agent has each task: those of one take about the same time."""
    hops: Mapping[str, float]
    """The order in which agentorch has the tasks where nothing is known of them, the lowest first."""
    paths: Mapping[str, float]
    """The same where the truth is known."""


class Knowledge:
    """What has been seen of how long tasks take."""

    def __init__(self) -> None:
        self._all = (0, 0.0)
        self._by_agent: dict[str, tuple[int, float]] = {}

    def learn(self, arrival: Arrival) -> None:
        """A run has ended."""
        for task, seconds in arrival.shape.seconds.items():
            agent = arrival.agents[task]
            self._all = _added(self._all, seconds)
            self._by_agent[agent] = _added(self._by_agent.get(agent, (0, 0.0)), seconds)

    def usual(self) -> float:
        """Return what a task takes."""
        count, total = self._all
        return total / count if count else UNKNOWN

    def of_agent(self, agent: str) -> float:
        """Return what a task of the agent takes."""
        count, total = self._by_agent.get(agent, (0, 0.0))
        return total / count if count else self.usual()


def _added(mean: tuple[int, float], seconds: float) -> tuple[int, float]:
    return mean[0] + 1, mean[1] + seconds


@dataclass
class Waiting:
    """A run that has come and not ended."""

    index: int
    """Its place among the arrivals."""
    arrival: Arrival
    order: Mapping[str, float]
    expected: Mapping[str, float]
    """By task; empty where nothing is known of any."""
    dependents: Mapping[str, Sequence[str]]
    missing: dict[str, int]
    open: int
    seconds: float
    """What the open tasks are expected to take together."""
    usual: float | None
    """What a task was expected to take when the run came."""
    ready: list[tuple[float, int, str]] = field(default_factory=list[tuple[float, int, str]])
    entry: int = 0
    """Version of its place in the queue."""


Score = Callable[[Waiting, Knowledge], float]


@dataclass(frozen=True)
class Rule:
    """In what order runs, and the tasks of each, get slots."""

    score: Score
    """The lowest is first."""
    order: Callable[[Arrival], Mapping[str, float]]
    """By task; where it is empty, tasks stand in the order in which they became ready."""
    expected: Callable[[Arrival, Knowledge], Mapping[str, float]] = lambda _, __: {}
    """What is known of a run when it comes, by task."""


FIRST_IN_FIRST_OUT = Rule(lambda run, _: run.ready[0][0], lambda _: {})
"""Tasks in the order in which they became ready, whatever their run."""
OLDEST_RUN = Rule(lambda run, _: run.arrival.at, lambda arrival: arrival.hops)
LEAST_WORK = Rule(lambda run, _: run.seconds, lambda arrival: arrival.paths, lambda arrival, _: arrival.shape.seconds)
"""Shortest remaining work first, by the truth that nobody knows."""


def ours(slots: int, weight: float, *, told: bool) -> Rule:
    """Return agentorch's rule, where the expected seconds are given, and true, or where none are."""

    def score(run: Waiting, knowledge: Knowledge) -> float:
        usual = run.usual if run.usual is not None else knowledge.usual()
        return standing(run.arrival.at, run.open * usual, slots, weight=weight)

    if told:
        return Rule(score, lambda arrival: arrival.paths, lambda arrival, _: arrival.shape.seconds)
    return Rule(score, lambda arrival: arrival.hops)


def by_agent(slots: int, weight: float) -> Rule:
    """Return the same rule over what each agent has taken, which agentorch knows within a run only."""

    def score(run: Waiting, _: Knowledge) -> float:
        return standing(run.arrival.at, run.seconds, slots, weight=weight)

    def expected(arrival: Arrival, knowledge: Knowledge) -> Mapping[str, float]:
        return {task: knowledge.of_agent(agent) for task, agent in arrival.agents.items()}

    return Rule(score, lambda arrival: arrival.hops, expected)


class Simulation:
    """Carries arrivals out on slots by a rule, once."""

    def __init__(self, rule: Rule, slots: int) -> None:
        self._rule = rule
        self._free = slots
        self._knowledge = Knowledge()
        self._queue: list[tuple[float, int, int, Waiting]] = []
        self._at_work: list[tuple[float, int, str, Waiting]] = []
        self._count = 0
        self._now = 0.0

    def latencies(self, arrivals: Sequence[Arrival]) -> list[float]:
        """Return the seconds from its arrival to its end of each run; arrivals are in the order of their coming."""
        found = [0.0] * len(arrivals)
        come = 0
        while come < len(arrivals) or self._at_work:
            if come < len(arrivals) and (not self._at_work or arrivals[come].at <= self._at_work[0][0]):
                self._now = arrivals[come].at
                self._come(come, arrivals[come])
                come += 1
                continue
            self._now, _, task, run = heapq.heappop(self._at_work)
            self._end(run, task)
            if not run.open:
                found[run.index] = self._now - run.arrival.at
        return found

    def _come(self, index: int, arrival: Arrival) -> None:
        shape, expected = arrival.shape, self._rule.expected(arrival, self._knowledge)
        seconds = sum(expected.values())
        run = Waiting(
            index,
            arrival,
            self._rule.order(arrival),
            expected,
            shape.dependents(),
            {name: len(needs) for name, needs in shape.tasks},
            len(shape.tasks),
            seconds,
            seconds / len(expected) if expected else None,
        )
        for name, needs in shape.tasks:
            if not needs:
                self._make_ready(run, name)
        self._place(run)
        self._pump()

    def _end(self, run: Waiting, task: str) -> None:
        self._free += 1
        run.open -= 1
        run.seconds -= run.expected.get(task, 0.0)
        for dependent in run.dependents[task]:
            run.missing[dependent] -= 1
            if not run.missing[dependent]:
                self._make_ready(run, dependent)
        self._place(run)
        self._pump()
        if not run.open:
            self._knowledge.learn(run.arrival)

    def _make_ready(self, run: Waiting, task: str) -> None:
        self._count += 1
        heapq.heappush(run.ready, (run.order[task] if run.order else self._now, self._count, task))

    def _place(self, run: Waiting) -> None:
        if run.ready:
            run.entry += 1
            self._count += 1
            heapq.heappush(self._queue, (self._rule.score(run, self._knowledge), self._count, run.entry, run))

    def _pump(self) -> None:
        while self._free and self._queue:
            _, _, entry, run = heapq.heappop(self._queue)
            if entry != run.entry:
                continue
            task = heapq.heappop(run.ready)[2]
            self._free -= 1
            self._count += 1
            heapq.heappush(self._at_work, (self._now + run.arrival.shape.seconds[task], self._count, task, run))
            self._place(run)
