"""A wall clock that jumps, forward and back, by hours: runs end as they would, and no event is older than the last."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentorch import Event, Orchestrator, Outcome, Plan, Policy, agent
from agentorch.errors import TransientError
from agentorch.events import TaskRetried
from agentorch.journal.memory import MemoryJournal
from agentorch.ports.clock import SystemClock
from agentorch.runtime.outcome import OutcomeStatus

HOURS = 3 * 3600.0


class Machine:
    """A machine whose wall clock can be set; what passes is what the event loop counts."""

    def __init__(self) -> None:
        self.ahead = 0.0
        """Seconds by which its wall clock was put forward."""

    def wall(self) -> float:
        """Return what its wall clock shows."""
        return 1_000_000.0 + self.ahead + _passed()

    def process(self) -> SystemClock:
        """Return the clock of a process that starts now."""
        return SystemClock(wall=self.wall, passed=_passed)


def _passed() -> float:
    return asyncio.get_running_loop().time()


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


async def carried_out(by: float) -> tuple[Outcome, list[Event], float]:
    """Return the outcome, the events, and the seconds that it took, of a run in which the clock is put `by` forward."""
    machine = Machine()

    def jump() -> None:
        machine.ahead += by

    async with Orchestrator(team(jump), clock=machine.process(), policy=Policy(replans=0)) as orchestrator:
        began = _passed()
        run = await orchestrator.submit(plan(), timeout=600)
        events = [event async for event in run]
        return await run.outcome(), events, _passed() - began


def _times(events: list[Event]) -> list[float]:
    return [event.at - events[0].at for event in events]


@pytest.mark.looptime
@pytest.mark.parametrize("by", [HOURS, -HOURS, 24 * HOURS])
async def test_a_clock_that_jumps_while_a_run_is_carried_out(by: float) -> None:
    """Waits and time limits hold in seconds that really pass: the run ends as it would have, and when."""
    outcome, events, took = await carried_out(by)
    _, undisturbed, usual = await carried_out(0)

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert took == usual
    assert _times(events) == _times(undisturbed)


@pytest.mark.looptime
@pytest.mark.parametrize("by", [HOURS, -HOURS])
async def test_a_clock_that_has_jumped_between_two_processes(by: float) -> None:
    """The run waits for its next try no longer than it would have, and no event is older than the one before."""
    journal, machine = MemoryJournal(), Machine()
    agents = team(lambda: None)
    async with Orchestrator(agents, journal=journal, clock=machine.process()) as before:
        run = await before.submit(plan(), timeout=600)
        async for event in run:
            if isinstance(event, TaskRetried):
                break
    machine.ahead = by
    began = _passed()
    async with Orchestrator(agents, journal=journal, clock=machine.process()) as after:
        outcome = await after.resume(run.id)
        events = [event async for event in await after.attach(run.id)]

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert _passed() - began < 60
    assert [event.at for event in events] == sorted(event.at for event in events)
