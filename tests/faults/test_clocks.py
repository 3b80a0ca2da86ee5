"""A wall clock that jumps, forward and back, by hours: runs end as they would, and no event is older than the last."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentorch import Event, Orchestrator, Outcome, Plan, Policy, agent
from agentorch.errors import TransientError
from agentorch.events import TaskRetried
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.outcome import OutcomeStatus

HOURS = 3 * 3600.0


class Jumping:
    """A clock that runs with the event loop, from wherever it was put."""

    def __init__(self, offset: float = 1_000_000.0) -> None:
        self.offset = offset

    def now(self) -> float:
        """Return what it shows."""
        return asyncio.get_running_loop().time() + self.offset


def team(jump: Callable[[], None]) -> list[Any]:
    """Return agents: one that is busy at first, and one in whose middle the clock jumps."""
    tried: list[str] = []

    @agent(description="Is busy at first.")
    async def busy(name: str) -> str:
        tried.append(name)
        await asyncio.sleep(1)
        if tried.count(name) == 1:
            raise TransientError("later", retry_after=20)
        return name

    @agent(description="Sees the clock jump.")
    async def seeing(name: str) -> str:
        await asyncio.sleep(5)
        jump()
        await asyncio.sleep(5)
        return name

    return [busy, seeing]


def plan() -> Plan:
    """Return a plan in which timers, time limits and the jump overlap."""
    plan = Plan("what time is it")
    first = plan.add("first", agent="busy", inputs={"name": "first"}, timeout=60)
    seen = plan.add("seen", agent="seeing", inputs={"name": "seen"}, timeout=60)
    plan.add("last", agent="busy", inputs={"name": "last"}, needs=[first, seen], timeout=60)
    return plan


async def carried_out(clock: Jumping, by: float) -> tuple[Outcome, list[Event], float]:
    """Return the outcome, the events, and the seconds that it really took, of a run whose clock jumps `by` seconds."""

    def jump() -> None:
        clock.offset += by

    async with Orchestrator(team(jump), clock=clock, policy=Policy(replans=0)) as orchestrator:
        began = asyncio.get_running_loop().time()
        run = await orchestrator.submit(plan(), timeout=600)
        events = [event async for event in run]
        return await run.outcome(), events, asyncio.get_running_loop().time() - began


@pytest.mark.looptime
@pytest.mark.parametrize("by", [HOURS, -HOURS, 24 * HOURS])
async def test_a_clock_that_jumps_while_a_run_is_carried_out(by: float) -> None:
    """Time limits hold in seconds that really pass, a wait gets no longer, and the journal's times stay in order."""
    outcome, events, took = await carried_out(Jumping(), by)
    _, _, usual = await carried_out(Jumping(), 0)

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert took <= usual
    assert [event.at for event in events] == sorted(event.at for event in events)


@pytest.mark.looptime
@pytest.mark.parametrize("by", [HOURS, -HOURS])
async def test_a_clock_that_has_jumped_between_two_processes(by: float) -> None:
    """The run waits for its next try no longer than it would have, whatever the new process's clock shows."""
    journal = MemoryJournal()
    agents = team(lambda: None)
    async with Orchestrator(agents, journal=journal, clock=Jumping()) as before:
        run = await before.submit(plan())
        async for event in run:
            if isinstance(event, TaskRetried):
                break
    began = asyncio.get_running_loop().time()
    async with Orchestrator(agents, journal=journal, clock=Jumping(1_000_000.0 + by)) as after:
        outcome = await after.resume(run.id)
        events = [event async for event in await after.attach(run.id)]

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert asyncio.get_running_loop().time() - began < 60
    assert [event.at for event in events] == sorted(event.at for event in events)
