"""What waits for the worker: little, so that which task goes next is decided late; and nothing waits for nothing."""

import asyncio

import pytest

from agentorch import Orchestrator, Plan, Policy, Task, agent
from agentorch.bus import MemoryBus
from agentorch.runtime.backlog import MUCH
from agentorch.runtime.scheduler import AT_ONCE
from agentorch.runtime.worker import Worker

pytestmark = pytest.mark.looptime

WIDE = Policy(parallel=10 * MUCH)


def fan(size: int, name: str) -> Plan:
    """Return so many tasks beside each other, and one behind them."""
    plan = Plan("goal", answer="$last")
    for number in range(size):
        plan.add(f"t{number}", agent=name)
    plan.add("last", agent=name, needs=[f"t{number}" for number in range(size)])
    return plan


async def test_no_more_is_admitted_than_the_worker_begins_soon() -> None:
    """Though the policy would let all of them be at work."""
    lengths: list[int] = []

    @agent(description="Looks behind itself.")
    async def looking() -> int:
        assert orchestrator._engine is not None
        lengths.append(len(orchestrator._engine.supervisor.scheduler.backlog.queue))
        return 1

    async with Orchestrator([looking], policy=WIDE) as orchestrator:
        outcome = await orchestrator.run(fan(6 * MUCH, "looking"))

    assert outcome.status == "succeeded"
    assert len(lengths) == 6 * MUCH + 1
    assert MUCH <= max(lengths) < MUCH + AT_ONCE


async def test_bodies_that_wait_are_all_begun_at_once() -> None:
    """Whoever was held back is admitted as soon as those before it have begun."""
    loop = asyncio.get_running_loop()
    begun: list[float] = []

    @agent(description="Waits.")
    async def waiting() -> int:
        begun.append(loop.time())
        await asyncio.sleep(10)
        return 1

    async with Orchestrator([waiting], policy=WIDE) as orchestrator:
        start = loop.time()
        async with asyncio.timeout(1000):
            outcome = await orchestrator.run(fan(6 * MUCH, "waiting"))

    assert outcome.status == "succeeded"
    assert max(begun[:-1]) - start < 1
    assert 20 <= loop.time() - start < 21


async def test_what_is_done_elsewhere_holds_nothing_back() -> None:
    """Tasks that another worker of the bus was given are not waited for: they never come to the one here."""
    loop = asyncio.get_running_loop()
    begun: list[float] = []

    @agent(description="Waits.")
    async def waiting() -> int:
        begun.append(loop.time())
        await asyncio.sleep(10)
        return 1

    bus = MemoryBus()
    async with (
        Orchestrator([waiting], policy=WIDE, bus=bus) as orchestrator,
        Orchestrator([waiting], policy=WIDE, bus=bus) as other,
    ):
        assert orchestrator._engine is not None
        assert other._engine is not None
        await orchestrator._engine.worker.close()  # the other one has the bus to itself
        start = loop.time()
        outcome = await orchestrator.run(fan(6 * MUCH, "waiting"))

    assert outcome.status == "succeeded"
    assert max(begun[:-1]) - start < 1


async def test_a_worker_in_the_place_of_another_begins_with_nothing_at_hand() -> None:
    """What the one before had not begun has gone back to the bus, and comes to the new one from there."""

    @agent(description="Waits.")
    async def waiting() -> int:
        await asyncio.sleep(10)
        return 1

    async with Orchestrator([waiting], policy=WIDE) as orchestrator:
        engine = orchestrator._engine
        assert engine is not None
        backlog = engine.supervisor.scheduler.backlog
        run = asyncio.ensure_future(orchestrator.run(fan(6 * MUCH, "waiting")))
        while not backlog.queue:  # noqa: ASYNC110  # a turn or two
            await asyncio.sleep(0)
        old = engine.worker
        await old.close()
        assert not backlog.queue
        engine.worker = Worker(engine.bus, agents=["waiting"], execute=old._execute, backlog=backlog)
        async with asyncio.timeout(1000):
            outcome = await run

    assert outcome.status == "succeeded"


async def test_a_run_that_has_begun_is_carried_on_before_all_others_have() -> None:
    """Its next task stands where its run stands, and not behind all that came to the worker before."""
    began: list[str] = []

    @agent(description="Notes itself.")
    async def noting(task: Task) -> int:
        began.append(task.id)
        return 1

    def two(number: int) -> Plan:
        plan = Plan("goal", answer=f"$second{number}")
        plan.add(f"first{number}", agent="noting")
        plan.add(f"second{number}", agent="noting", needs=[f"first{number}"])
        return plan

    runs = 4 * MUCH
    async with Orchestrator([noting], policy=WIDE) as orchestrator:
        await asyncio.gather(*(orchestrator.run(two(number)) for number in range(runs)))

    assert len(began) == 2 * runs
    assert began.index("second0") < 2 * MUCH
    assert began.index(f"first{runs - 1}") > runs
