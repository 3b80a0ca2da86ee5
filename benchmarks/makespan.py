"""How close to the bound the schedule is: real DAGs, the real supervisor, a virtual clock.

    python benchmarks/makespan.py [--data FOLDER] [--slots 8]

For each DAG the lower bound is max(critical path, total work / slots). Printed is the mean of makespan over bound: with
the durations given, with estimates that are off by a lognormal factor, with none known, and for first-in-first-out. The
last part runs tasks of 100 ms in real time with unlimited slots, against the critical path and beside bare asyncio: the
median of REPEATS.
"""

import argparse
import asyncio
import gzip
import heapq
import json
import math
import random
import statistics
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import looptime

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.testing.clock import LoopClock

REPEATS = 7
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass
class Dag:
    """Durations in seconds, and for each task the indices that it needs."""

    name: str
    durations: list[float]
    needs: list[list[int]]

    @property
    def critical_path(self) -> float:
        """The longest path, in seconds."""
        ends: list[float] = [0.0] * len(self.durations)
        for i in self.order():
            ends[i] = self.durations[i] + max((ends[need] for need in self.needs[i]), default=0.0)
        return max(ends)

    def bound(self, slots: int) -> float:
        """What no schedule can beat."""
        return max(self.critical_path, sum(self.durations) / slots)

    def order(self) -> list[int]:
        """A topological order."""
        missing = [len(needs) for needs in self.needs]
        dependents: list[list[int]] = [[] for _ in self.needs]
        for i, needs in enumerate(self.needs):
            for need in needs:
                dependents[need].append(i)
        free = deque(i for i, count in enumerate(missing) if not count)
        done: list[int] = []
        while free:
            i = free.popleft()
            done.append(i)
            for other in dependents[i]:
                missing[other] -= 1
                if not missing[other]:
                    free.append(other)
        return done


def read(folder: Path) -> list[Dag]:
    """Return the DAGs of the data sets, each duration at least a millisecond."""
    dags = []
    for name in ("dags_dagbench.jsonl.gz", "dags_estee.jsonl.gz"):
        with gzip.open(folder / name, "rt") as lines:
            for line in lines:
                raw = json.loads(line)
                durations = [max(0.001, float(seconds)) for seconds in raw["dur"]]
                dags.append(Dag(raw["name"], durations, [sorted(set(needs)) for needs in raw["deps"]]))
    return dags


def first_in_first_out(dag: Dag, slots: int) -> float:
    """Return the makespan of the plainest event-driven schedule."""
    missing = [len(needs) for needs in dag.needs]
    dependents: list[list[int]] = [[] for _ in dag.needs]
    for i, needs in enumerate(dag.needs):
        for need in needs:
            dependents[need].append(i)
    ready = deque(i for i, count in enumerate(missing) if not count)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < slots:
            i = ready.popleft()
            heapq.heappush(running, (now + dag.durations[i], i))
        now, i = heapq.heappop(running)
        for other in dependents[i]:
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return now


@agent(description="Takes its time.")
async def worker(seconds: float) -> None:
    await asyncio.sleep(seconds)


def plan_of(dag: Dag, expected: list[float] | None) -> Plan:
    """Return the DAG as a plan, with what is expected of each task when that is known."""
    plan = Plan(dag.name)
    for i, needs in enumerate(dag.needs):
        plan.add(
            f"t{i}",
            agent="worker",
            inputs={"seconds": dag.durations[i]},
            needs=[f"t{need}" for need in needs],
            seconds=expected[i] if expected is not None else None,
        )
    return plan


async def makespan(dag: Dag, slots: int, expected: list[float] | None) -> float:
    """Return the run's seconds on the running loop's clock."""
    policy = Policy(parallel=slots, timeout=None)
    async with Orchestrator([worker], policy=policy, clock=LoopClock()) as orchestrator:
        before = asyncio.get_running_loop().time()
        (await orchestrator.run(plan_of(dag, expected))).raise_for_problems()
        return asyncio.get_running_loop().time() - before


def in_virtual_time(dag: Dag, slots: int, expected: list[float] | None) -> float:
    """Run under a virtual clock."""
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        return runner.run(makespan(dag, slots, expected))


def report(dags: list[Dag], slots: int) -> None:
    """Print the means over the DAGs."""
    noise = random.Random(7)
    rows: dict[str, list[float]] = {}
    for dag in dags:
        bound = dag.bound(slots)
        guesses = [seconds * math.exp(noise.gauss(0, 0.3)) for seconds in dag.durations]
        rows.setdefault("durations given", []).append(in_virtual_time(dag, slots, dag.durations) / bound)
        rows.setdefault("estimates, lognormal 0.3", []).append(in_virtual_time(dag, slots, guesses) / bound)
        rows.setdefault("none known", []).append(in_virtual_time(dag, slots, None) / bound)
        rows.setdefault("first in, first out (model)", []).append(first_in_first_out(dag, slots) / bound)
    print(f"{len(dags)} DAGs, {slots} slots: makespan / bound")
    for name, ratios in rows.items():
        print(f"  {name:30} mean {statistics.mean(ratios):.4f}   worst {max(ratios):.3f}")


async def bare(dag: Dag) -> float:
    """Return wall time over the critical path when each task is one asyncio task that awaits those it needs."""
    tasks: list[asyncio.Task[None]] = []

    async def body(i: int) -> None:
        for need in dag.needs[i]:
            await tasks[need]
        await asyncio.sleep(dag.durations[i])

    before = time.perf_counter()
    tasks += [asyncio.create_task(body(i)) for i in range(len(dag.needs))]
    await asyncio.gather(*tasks)
    return (time.perf_counter() - before) / dag.critical_path


async def unlimited() -> tuple[float, float]:
    """Return wall time over the critical path, ours and bare: layers of 100 ms tasks, no limit on slots."""
    layers, width = 10, 20
    chooser = random.Random(3)
    needs: list[list[int]] = []
    for layer in range(layers):
        for _ in range(width):
            above = range((layer - 1) * width, layer * width)
            needs.append(sorted(chooser.sample(above, 3)) if layer else [])
    dag = Dag("layers", [0.1] * len(needs), needs)
    async with Orchestrator([worker], policy=Policy(parallel=10_000)) as orchestrator:
        plan = plan_of(dag, None)
        ours, floor = [], []
        for _ in range(REPEATS):
            before = time.perf_counter()
            (await orchestrator.run(plan)).raise_for_problems()
            ours.append((time.perf_counter() - before) / dag.critical_path)
            floor.append(await bare(dag))
    return statistics.median(ours), statistics.median(floor)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--limit", type=int, default=None, help="only the first DAGs")
    options = parser.parse_args()
    if (options.data / "dags_estee.jsonl.gz").exists():
        report(read(options.data)[: options.limit], options.slots)
    else:
        print(f"skipped the DAGs: no data in {options.data}; give --data")
    ours, floor = asyncio.run(unlimited())
    print(f"100 ms tasks, unlimited slots: wall / critical path {ours:.3f} (bare asyncio {floor:.3f})")


if __name__ == "__main__":
    main()
