"""What waits for the worker: little, so that which task goes next is decided late; and nothing waits for nothing."""

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest

from agentorch import Agent, Orchestrator, Plan, Policy, Task, agent
from agentorch.bus import MemoryBus
from agentorch.core.state import RunState
from agentorch.runtime.backlog import MUCH
from agentorch.runtime.worker import BURST, Worker

pytestmark = pytest.mark.looptime

WIDE = Policy(parallel=10 * MUCH)


def fan(size: int, name: str) -> Plan:
    """Return so many tasks beside each other, and one behind them."""
    plan = Plan("goal", answer="$last")
    for number in range(size):
        plan.add(f"t{number}", agent=name)
    plan.add("last", agent=name, needs=[f"t{number}" for number in range(size)])
    return plan


def waiter(begun: list[float]) -> Agent:
    """Return an agent that waits for ten seconds, and notes when it has begun."""

    @agent(description="Waits.")
    async def waiting() -> int:
        begun.append(asyncio.get_running_loop().time())
        await asyncio.sleep(10)
        return 1

    return waiting


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
    assert BURST < max(lengths) <= MUCH


async def test_bodies_that_wait_are_all_begun_at_once() -> None:
    """Whoever was held back is admitted as soon as those before it have begun."""
    loop = asyncio.get_running_loop()
    begun: list[float] = []

    waiting = waiter(begun)
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

    waiting = waiter(begun)
    bus = MemoryBus()
    async with (
        Orchestrator([waiting], policy=WIDE, bus=bus) as orchestrator,
        Orchestrator([waiting], policy=WIDE, bus=bus),
    ):
        assert orchestrator._engine is not None
        await orchestrator._engine.worker.close()  # the other one has the bus to itself
        start = loop.time()
        outcome = await orchestrator.run(fan(6 * MUCH, "waiting"))

    assert outcome.status == "succeeded"
    assert max(begun[:-1]) - start < 1


async def test_the_load_of_another_on_a_shared_bus_keeps_nobody_out() -> None:
    """What stands in the queue of this worker is the other one's: a ready task does not wait for the end of that."""
    ended: list[str] = []

    @agent(description="Does nothing.")
    async def nothing() -> int:
        return 1

    async def client(orchestrator: Orchestrator, name: str, times: int) -> None:
        plan = Plan("goal", answer="$b")
        plan.add("a", agent="nothing")
        plan.add("b", agent="nothing", needs=["a"])
        for _ in range(times):
            await orchestrator.run(plan)
            ended.append(name)

    bus = MemoryBus()
    async with (
        Orchestrator([nothing], policy=WIDE, bus=bus) as orchestrator,
        Orchestrator([nothing], policy=WIDE, bus=bus) as other,
    ):
        load = asyncio.gather(*(client(other, "other", 5) for _ in range(5 * MUCH)))
        while not ended:  # noqa: ASYNC110  # a few turns
            await asyncio.sleep(0)
        await client(orchestrator, "mine", 1)
        await load

    assert ended.index("mine") < 3 * len(ended) // 4


async def test_what_waits_for_its_journal_holds_nothing_back() -> None:
    """A task that acts once only comes to the worker when its beginning is durable: all are admitted meanwhile."""
    active: list[int] = []

    @agent(description="Acts.", effects="once")
    async def acting() -> int:
        assert orchestrator._engine is not None
        active.append(orchestrator._engine.supervisor.scheduler._active)
        return 1

    async with Orchestrator([acting], policy=WIDE) as orchestrator:
        outcome = await orchestrator.run(fan(6 * MUCH, "acting"))

    assert outcome.status == "succeeded"
    assert active[0] == 6 * MUCH


async def test_a_worker_in_the_place_of_another_begins_with_nothing_at_hand() -> None:
    """What the one before had not begun has gone back to the bus, and comes to the new one from there."""
    waiting = waiter([])
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
    seconds = [name for name in began if name.startswith("second")]
    assert seconds == [f"second{number}" for number in range(runs)]
    assert began.index(f"first{runs - 1}") > runs


async def test_a_run_that_cannot_even_be_let_go_takes_no_other_along() -> None:
    """What was to be seen to behind it is seen to with what comes next."""

    class Touched:
        def __init__(self, run_id: str) -> None:
            self.state = RunState(run_id)

        def break_down(self, error: Exception) -> None:
            raise RuntimeError(f"{self.state.run_id}: {error}")

    seen: list[str] = []

    def see_to(run: Any) -> None:
        if run.state.run_id == "broken":
            raise ValueError("no")
        seen.append(run.state.run_id)

    async with Orchestrator([]) as orchestrator:
        assert orchestrator._engine is not None
        supervisor: Any = orchestrator._engine.supervisor
        supervisor._see_to = see_to
        for name in ("first", "broken", "last"):
            supervisor._touched[name] = Touched(name)
        with pytest.raises(RuntimeError, match="broken: no"):
            supervisor._settle(None)
        supervisor._settle(None)

    assert seen == ["first", "last"]


async def test_a_bus_that_cannot_tell_keeps_no_run_from_being_let_go(caplog: pytest.LogCaptureFixture) -> None:
    """A cancelled run ends, and its slots are free again."""
    waiting = waiter([])
    bus = MemoryBus()
    async with Orchestrator([waiting], bus=bus) as orchestrator:
        run = await orchestrator.submit(fan(3, "waiting"))
        await asyncio.sleep(1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bus, "broadcast", Mock(side_effect=OSError("gone")))
            await run.cancel()
        outcome = await run.outcome()
        assert orchestrator._engine is not None
        assert orchestrator._engine.supervisor.scheduler._active == 0

    assert outcome.status == "cancelled"
    assert "is not wanted any more: gone" in caplog.text
