"""Seeds in a row, and what came of them."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from statistics import median

from tests.simulation.lives import carry_out
from tests.simulation.scenario import scenario
from tests.simulation.verdict import judge
from tests.simulation.world import World

CHUNK = 50
"""Seeds that are tried in one test."""


@dataclass
class Report:
    """Of some seeds."""

    failures: list[str] = field(default_factory=list[str])
    """One line for each seed that went wrong: what, and the command that replays it."""
    tasks: list[int] = field(default_factory=list[int])
    faults: list[int] = field(default_factory=list[int])
    crashes: list[int] = field(default_factory=list[int])
    events: int = 0
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    lines: list[str] = field(default_factory=list[str])
    """The journal, when it was asked for."""


def try_seeds(first: int, count: int, *, trace: bool = False, until: int | None = None) -> Report:
    """Carry out `count` seeds from `first` on, or fewer when `until` of them have gone wrong."""
    report = Report()
    for seed in range(first, first + count):
        world = carry_out(seed)
        asyncio.run(judge(world))
        report.tasks.append(len(scenario(seed).plan.tasks))
        report.faults.append(len(world.faults))
        report.crashes.append(world.faults.count("crash"))
        report.events += world.events
        report.coverage.update(world.coverage)
        if world.violations:
            report.failures.append(f"seed {seed}: {_told(world.violations)}; python -m tests.simulation --seed {seed}")
        if len(report.failures) == until:
            break
        if trace:
            report.lines += asyncio.run(_journal(world))
    return report


def is_rough(report: Report) -> bool:
    """Whether the median seed has at least twenty tasks, five faults and one crash."""
    return median(report.tasks) >= 20 and median(report.faults) >= 5 and median(report.crashes) >= 1


def _told(violations: list[str]) -> str:
    """Return the first violation that names a promise; what a process died of may only be its consequence."""
    return next((words for words in violations if not words.startswith("life ")), violations[0])


async def _journal(world: World) -> list[str]:
    lines: list[str] = []
    async for record in world.disk.runs():
        after = 0
        while page := await world.disk.read(record.run_id, after=after):
            after = page[-1].seq
            lines += [event.model_dump_json(exclude_defaults=True) for event in page]
    return [*lines, f"faults: {', '.join(world.faults)}", *world.violations]
