"""Many runs at once: how long they take under load, by the rule that says which run gets the next free slot.

    python -m benchmarks.load [--data FOLDER] [--runs 5000] [--seeds 5] [--json]

Runs come at random (Poisson) at LOAD: arrival rate * mean work / slots. Their shapes are recorded plans for agents,
alone or with recorded DAGs cut to their first CUT tasks. Each task has an agent, drawn at random, and takes as long as
a recorded call of the model that stands for that agent. Tables hold the mean and the 99th percentile of the runs'
latency, also as shares of first-in-first-out over tasks and of oldest-run-first: means over the seeds, and the worst
seed's p99. Within a seed all rules have the same arrivals. The goals stand on the plans and DAGs together, at the
weight that agentorch has; plans alone are told beside them.

"given" is agentorch's rule where each task's seconds are given, and true; "none known" where none are: it then takes a
task for the mean of all ended runs. "by agent" is what a mean for each agent would bring. The figures are from a model
(`benchmarks/queueing.py`); a sample is carried out with the real Orchestrator under a virtual clock too, and compared.
"""

import asyncio
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agentorch import Orchestrator, Policy, Task, agent
from agentorch.core import inbox
from agentorch.core.advance import advance
from agentorch.core.card import AgentCard
from agentorch.core.scheduling import rank
from agentorch.core.state import RunState
from agentorch.core.task import Graph
from agentorch.core.verifier import verify
from agentorch.runtime.scheduler import WEIGHT
from agentorch.testing import LoopClock
from benchmarks.bounds import work
from benchmarks.measurement import Measurement, absent, parser_of, several, show
from benchmarks.ours import plan_of
from benchmarks.queueing import (
    FIRST_IN_FIRST_OUT,
    LEAST_WORK,
    OLDEST_RUN,
    Arrival,
    Rule,
    Simulation,
    by_agent,
    ours,
)
from benchmarks.recorded import DATA, dags, latencies, missing, plans
from benchmarks.shapes import Shape
from benchmarks.virtual import in_virtual_time

LOAD: Final = 0.9
CUT: Final = 50
"""Tasks of a recorded DAG that a run has at most."""
SLOTS: Final = (8, 16)
WEIGHTS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 128.0)
CHECKED: Final = 400
"""Runs that the real Orchestrator carries out."""
PLANS: Final = "plans"
MIX: Final = f"plans, and DAGs of {CUT} tasks"
BETTER: Final = 0.85
"""Of the mean latency of first-in-first-out, at most."""
LATE: Final = 1.1
"""Of its 99th percentile, at most."""
FIRST: Final = "first in, first out"
CARDS: Final = {"worker": AgentCard(name="worker")}


@dataclass(frozen=True)
class Figures:
    """What a rule does to the latency of runs, in seconds."""

    mean: float
    p99: float

    @classmethod
    def of(cls, found: Sequence[float]) -> "Figures":
        """Return the figures of latencies in any order."""
        return cls(statistics.mean(found), sorted(found)[int(0.99 * len(found))])


def cut(shape: Shape) -> Shape:
    """Return the first tasks of a shape: each stands below those that it needs."""
    return Shape(shape.name, shape.tasks[:CUT])


def order(shape: Shape, expected: Mapping[str, float]) -> dict[str, float]:
    """Return the order in which agentorch has the tasks of a run: longest remaining path first, then as in the plan."""
    tasks = tuple(Task(name, "worker", needs=needs, seconds=expected.get(name)) for name, needs in shape.tasks)
    state = RunState("run", CARDS)
    advance(state, inbox.Begin(0.0, "goal", plan=verify(Graph(tasks, f"${tasks[-1].id}"), CARDS)))
    rank(state)
    ranked = sorted(state.tasks.values(), key=lambda task: (-task.rank, task.order))
    return {task.task.id: place for place, task in enumerate(ranked)}


def arrivals(
    shapes: Sequence[Shape], calls: Mapping[str, Sequence[float]], *, runs: int, slots: int, seed: int
) -> list[Arrival]:
    """Return runs in the order of their coming."""
    chooser, names = random.Random(seed), sorted(calls)
    hops = [order(shape, {}) for shape in shapes]
    found: list[Arrival] = []
    for _ in range(runs):
        index = chooser.randrange(len(shapes))
        agents = {name: chooser.choice(names) for name, _ in shapes[index].tasks}
        seconds = {name: chooser.choice(calls[model]) for name, model in agents.items()}
        shape = replace(shapes[index], seconds=seconds)
        found.append(Arrival(0.0, shape, agents, hops[index], order(shape, seconds)))
    between = statistics.mean(work(one.shape) for one in found) / slots / LOAD
    now = 0.0
    for i, one in enumerate(found):
        now += chooser.expovariate(1 / between)
        found[i] = replace(one, at=now)
    return found


def rules(slots: int) -> dict[str, Rule]:
    """Return what is compared, by name."""
    found = {
        FIRST: FIRST_IN_FIRST_OUT,
        "oldest run first": OLDEST_RUN,
        "least work first (oracle)": LEAST_WORK,
        f"by agent, weight {WEIGHT:g}": by_agent(slots, WEIGHT),
    }
    found |= {f"none known, weight {weight:g}": ours(slots, weight, told=False) for weight in WEIGHTS}
    return found | {f"given, weight {weight:g}": ours(slots, weight, told=True) for weight in WEIGHTS}


def shares(figures: Sequence[Figures], others: Sequence[Figures]) -> str:
    """Return mean and p99 as shares of another rule's, and the highest share of the p99 over the samples."""
    means = [one.mean / other.mean for one, other in zip(figures, others, strict=True)]
    p99s = [one.p99 / other.p99 for one, other in zip(figures, others, strict=True)]
    return f"{statistics.mean(means):13.3f}{statistics.mean(p99s):8.3f}{max(p99s):8.3f}"


def compared(samples: Sequence[Sequence[Arrival]], slots: int) -> dict[str, list[Figures]]:
    """Return the figures of each sample, by rule."""
    return {
        name: [Figures.of(Simulation(rule, slots).latencies(sample)) for sample in samples]
        for name, rule in rules(slots).items()
    }


def table(found: Mapping[str, Sequence[Figures]]) -> Iterator[str]:
    """Yield the lines of a table of all rules: the curve of the mean against the 99th percentile over the weight."""
    yield f"{'':28}{'latency':>17}{'of first in, first out':>31}{'of oldest run first':>29}"
    yield f"{'':28}{'mean':>8}{'p99':>9}" + f"{'mean':>13}{'p99':>8}{'worst':>8}" * 2
    for name, figures in found.items():
        mean, p99 = statistics.mean(one.mean for one in figures), statistics.mean(one.p99 for one in figures)
        against = shares(figures, found[FIRST]) + shares(figures, found["oldest run first"])
        yield f"  {name:26}{mean:6.1f} s{p99:7.1f} s{against}"


def at_the_weight(found: Mapping[str, Sequence[Figures]], title: str, *, goal: bool) -> Iterator[Measurement]:
    """Yield what agentorch's own weight brings, over the seeds."""
    for known in ("none known", "given"):
        pairs = list(zip(found[f"{known}, weight {WEIGHT:g}"], found[FIRST], strict=True))
        words = f"{title}, durations {known}"
        means, p99s = [one.mean / other.mean for one, other in pairs], [one.p99 / other.p99 for one, other in pairs]
        yield several(f"{words}: mean latency", means, "of FIFO's", goal=BETTER if goal else None)
        yield several(f"{words}: p99 latency", p99s, "of FIFO's", goal=LATE if goal else None)


async def carried_out(sample: Sequence[Arrival], slots: int, *, told: bool) -> list[float]:
    """Return the latency of each run in the real Orchestrator, on the running loop's clock."""
    shapes = {f"r{i}": one.shape for i, one in enumerate(sample)}

    @agent(name="worker", description="Takes its time.")
    async def worker(task: Task, run: str) -> int:
        await asyncio.sleep(shapes[run].seconds[task.id])
        return 1

    loop = asyncio.get_running_loop()
    policy = Policy(parallel=slots, timeout=None)
    async with Orchestrator([worker], policy=policy, clock=LoopClock()) as orchestrator:
        began = loop.time()

        async def one(name: str, arrival: Arrival) -> float:
            plan = plan_of(arrival.shape, None if told else {}, inputs={"run": name})
            await asyncio.sleep(began + arrival.at - loop.time())
            (await orchestrator.run(plan)).raise_for_problems()
            return loop.time() - began - arrival.at

        return await asyncio.gather(*(one(f"r{i}", arrival) for i, arrival in enumerate(sample)))


def check(sample: Sequence[Arrival], slots: int) -> Iterator[str]:
    """Yield in words how far the model is from the real thing."""
    for told in (False, True):
        real = in_virtual_time(carried_out(sample, slots, told=told))
        model = Simulation(ours(slots, WEIGHT, told=told), slots).latencies(sample)
        ours_, modelled = Figures.of(real), Figures.of(model)
        same = sum(abs(one - other) < 1e-3 for one, other in zip(real, model, strict=True))
        yield (
            f"  {'given' if told else 'none known':11} real: mean {ours_.mean:.3f} s, p99 {ours_.p99:.3f} s   "
            f"model: mean {modelled.mean:.3f} s, p99 {modelled.p99:.3f} s   {same} of {len(sample)} runs the same"
        )


def measure(data: Path, *, runs: int, seeds: int) -> tuple[list[Measurement], list[str]]:
    """Return the figures, and the tables in words."""
    calls, recorded = latencies(data), plans(data)
    mixes = {MIX: recorded + [cut(one) for one in dags(data)], PLANS: recorded}
    figures: list[Measurement] = []
    words: list[str] = []
    for mix, shapes in mixes.items():
        for slots in SLOTS:
            samples = [arrivals(shapes, calls, runs=runs, slots=slots, seed=seed) for seed in range(seeds)]
            found, title = compared(samples, slots), f"{mix}, {slots} slots"
            figures += at_the_weight(found, title, goal=mix == MIX)
            words += [f"{title}, {seeds} times {runs:,} runs, load {LOAD}", *table(found)]
            words.append(f"the real Orchestrator at weight {WEIGHT:g}, the first {CHECKED} runs of a sample")
            words += [*check(samples[0][:CHECKED], slots), ""]
    return figures, words


def main() -> None:
    """Print everything."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    if (why := missing(options.data)) is not None:
        show(absent("many runs at once", why), as_json=options.json)
        return
    figures, words = measure(options.data, runs=options.runs, seeds=options.seeds)
    show(figures, as_json=options.json, words=words)


if __name__ == "__main__":
    main()
