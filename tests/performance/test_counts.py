"""What one more task costs, in counts that are the same on every machine: nothing here looks at a clock.

A limit that is passed says that the hot path does more than it did. Whoever means that, or has made it do less, sets
LIMITS anew from `python -m tests.performance`.
"""

import asyncio
from typing import Final

import pytest

from agentorch import Context, agent
from tests.performance import counting
from tests.performance.counting import COUNTERS, SHAPES, Counts, added

LIMITS: Final = {
    # figure: (measured of a chain, measured of a fan, limit)
    "Python calls": (73.9, 66.3, 82.0),
    "C calls": (63.5, 69.7, 77.0),
    "blocks left": (3.0, 3.0, 3.5),  # two events, and who needs the task: that is kept with a plan that is run again
    "bytes left": (671.0, 681.0, 1_100.0),
    "bytes at the peak": (1_077.0, 1_167.0, 1_500.0),
    "asyncio tasks": (0.0, 0.02, 0.05),  # nothing is started for a task: workers are shared
    "events": (2.0, 2.0, 2.0),
    "blocks": (0.031, 0.036, 0.1),  # a row each
    "bytes of events": (637.0, 645.0, 720.0),
    "bytes of the file": (647.0, 672.0, 760.0),
    "commits": (0.008, 0.006, 0.06),  # each is one fsync; a quick disk takes more of them than a slow one
}


def beyond(counts: Counts) -> dict[str, float]:
    """Return the figures that are over their limit."""
    return {name: count for name, count in counts.items() if count > LIMITS[name][-1]}


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    """Each shape by name."""
    return request.param


def test_a_task_takes_few_calls(shape: str):
    """A task takes no more calls of functions than it is allowed."""
    assert beyond(added(shape, counting.calls)) == {}


def test_a_task_leaves_little_behind(shape: str):
    """A task holds no more memory than it is allowed, while it is carried out and afterwards."""
    assert beyond(added(shape, counting.memory)) == {}


def test_no_asyncio_task_is_started_for_a_task(shape: str):
    """Tasks that are ready go to workers that are there already."""
    assert beyond(added(shape, counting.asyncio_tasks)) == {}


def test_a_task_is_a_small_part_of_a_commit(shape: str):
    """A task is two events of a certain length in the journal, and many share a commit."""
    assert beyond(added(shape, counting.written)) == {}


def test_every_limit_can_be_passed():
    """A task that calls, starts, keeps and writes more than one that does nothing is beyond every limit."""
    kept: list[str] = []

    async def half() -> str:
        return "x" * 1000

    @agent(name="worker", description="Does more than nothing.")
    async def wasteful(context: Context) -> str:
        kept.extend(str(number) * 500 for number in range(2))
        return await context.step("half", half) + await asyncio.create_task(half())

    found = [added("chain", counter, worker=wasteful, between=(50, 150)) for counter in COUNTERS]
    assert {name for counts in found for name in beyond(counts)} == LIMITS.keys()
