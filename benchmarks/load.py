"""Many runs at once: how long they take under load, by the rule that says which run gets the next free slot.

    python -m benchmarks.load [--data FOLDER] [--runs 5000] [--seeds 5]

Runs come at random (Poisson) at LOAD: arrival rate * mean work / slots. Their shapes are recorded plans for agents,
alone or with recorded DAGs cut to their first CUT tasks. Each task has an agent, drawn at random, and takes as long as
a recorded call of the model that stands for that agent. Printed are the mean and the 99th percentile of the runs'
latency, also as shares of first-in-first-out over tasks and of oldest-run-first: means over the seeds, and the worst
seed's p99. Within a seed all rules have the same arrivals.

"given" is agentorch's rule where each task's seconds are given, and true; "none known" where none are: it then takes a
task for the mean of all ended runs. "by agent" is what a mean for each agent would bring. The figures are from a model
(`benchmarks/queueing.py`); a sample is carried out with the real Orchestrator under a virtual clock too, and compared.
"""

import argparse
import asyncio
import random
import statistics
from collections.abc import Mapping, Sequence
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
        "first in, first out": FIRST_IN_FIRST_OUT,
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


def report(title: str, samples: Sequence[Sequence[Arrival]], slots: int) -> None:
    """Print a table of all rules over the samples."""
    found = {
        name: [Figures.of(Simulation(rule, slots).latencies(sample)) for sample in samples]
        for name, rule in rules(slots).items()
    }
    print(f"\n{title}, {slots} slots, {len(samples)} times {len(samples[0]):,} runs, load {LOAD}")
    print(f"{'':28}{'latency':>17}{'of first in, first out':>31}{'of oldest run first':>29}")
    print(f"{'':28}{'mean':>8}{'p99':>9}" + f"{'mean':>13}{'p99':>8}{'worst':>8}" * 2)
    for name, figures in found.items():
        mean, p99 = statistics.mean(one.mean for one in figures), statistics.mean(one.p99 for one in figures)
        against = shares(figures, found["first in, first out"]) + shares(figures, found["oldest run first"])
        print(f"  {name:26}{mean:6.1f} s{p99:7.1f} s{against}")


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


def check(sample: Sequence[Arrival], slots: int) -> None:
    """Print how far the model is from the real thing."""
    for told in (False, True):
        real = in_virtual_time(carried_out(sample, slots, told=told))
        model = Simulation(ours(slots, WEIGHT, told=told), slots).latencies(sample)
        ours_, modelled = Figures.of(real), Figures.of(model)
        same = sum(abs(one - other) < 1e-3 for one, other in zip(real, model, strict=True))
        print(
            f"  {'given' if told else 'none known':11} real: mean {ours_.mean:.3f} s, p99 {ours_.p99:.3f} s   "
            f"model: mean {modelled.mean:.3f} s, p99 {modelled.p99:.3f} s   {same} of {len(sample)} runs the same"
        )


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    if (words := missing(options.data)) is not None:
        print(words)
        return
    calls, recorded = latencies(options.data), plans(options.data)
    mixes = {"plans": recorded, f"plans, and DAGs of {CUT} tasks": recorded + [cut(one) for one in dags(options.data)]}
    for title, shapes in mixes.items():
        for slots in SLOTS:
            samples = [
                arrivals(shapes, calls, runs=options.runs, slots=slots, seed=seed) for seed in range(options.seeds)
            ]
            report(title, samples, slots)
            print(f"the real Orchestrator at weight {WEIGHT:g}, the first {CHECKED} runs of a sample")
            check(samples[0][:CHECKED], slots)


if __name__ == "__main__":
    main()
