"""The worker's slots: they close whatever their bodies do, and nothing of one task reaches the next."""

import asyncio
import logging

import anyio
import pytest

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.bus.memory import MemoryBus
from agentorch.core.task import Task
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, Terms, Withdrawal, Work
from agentorch.ports.bus import Delivery
from agentorch.runtime.job import GRACE, Job
from agentorch.runtime.worker import Worker
from agentorch.testing import LoopClock

pytestmark = pytest.mark.looptime


@agent(description="Takes long.")
async def slow() -> str:
    await anyio.sleep(1000)
    return "done"


@agent(description="Asks whether it is being cancelled.")
async def innocent() -> str:
    await anyio.sleep(1)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    return "fine"


def work(key: str) -> Envelope:
    """Return one dispatch."""
    return Envelope("task.a.0", Work(key, Terms("run"), Task(id=key, agent="a"), "a", {}, ""), id=key, source="me")


async def test_closing_after_a_cancel_ends() -> None:
    """The body that was withdrawn is cancelled by the close too, and its slot does not go on to wait for more."""
    plan = Plan("slow")
    plan.add("slow", agent=slow)
    async with asyncio.timeout(100):
        async with Orchestrator([slow], clock=LoopClock()) as orchestrator:
            run = await orchestrator.submit(plan)
            await anyio.sleep(1)
            await run.cancel()


async def test_a_body_that_does_not_end_is_abandoned_and_named(caplog: pytest.LogCaptureFixture) -> None:
    """Closing takes no longer than the grace, and the log says who is still there."""

    @agent(description="Will not be stopped.")
    async def stubborn() -> str:
        end = asyncio.get_running_loop().time() + 60
        while (now := asyncio.get_running_loop().time()) < end:
            try:
                await asyncio.sleep(end - now)
            except asyncio.CancelledError:
                continue
        return "done"

    plan = Plan("stubborn")
    plan.add("one", agent=stubborn)
    loop = asyncio.get_running_loop()
    with caplog.at_level(logging.WARNING, "agentorch.runtime.worker"):
        async with Orchestrator([stubborn], clock=LoopClock()) as orchestrator:
            await orchestrator.submit(plan)
            await asyncio.sleep(1)
            before = loop.time()
        took = loop.time() - before

    assert took == pytest.approx(GRACE, abs=0.5)
    assert "agent 'stubborn' did not end within 5 s" in caplog.text
    await asyncio.sleep(100)


async def test_an_agent_that_cancels_its_own_task_and_returns_leaves_no_trace() -> None:
    """What it cancelled does not hit the sending of its result, nor the next task."""

    @agent(description="Cancels itself.")
    async def odd() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return "done"

    plan = Plan("odd")
    plan.add("odd", agent=odd)
    plan.add("next", agent=innocent, needs=["odd"])
    async with asyncio.timeout(100), Orchestrator([odd, innocent], clock=LoopClock()) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.status == "succeeded"
    assert dict(outcome.outputs)["odd"] == "done"


async def test_what_was_timed_out_and_then_withdrawn_leaves_no_trace() -> None:
    """A job is cancelled once, so that its cleanup is not cut short and the next run is not cancelled."""
    cleaned: list[str] = []

    @agent(description="Cleans up.", timeout=10)
    async def cleaning() -> str:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(10)
            cleaned.append("up")
        return "never"

    first, second = Plan("first"), Plan("second")
    first.add("one", agent=cleaning)
    second.add("two", agent=innocent)
    policy = Policy(parallel=1)
    async with (
        asyncio.timeout(100),
        Orchestrator([cleaning, innocent], policy=policy, clock=LoopClock()) as orchestrator,
    ):
        run = await orchestrator.submit(first)
        await anyio.sleep(15)
        await run.cancel()
        await anyio.sleep(10)
        outcome = await orchestrator.run(second)

    assert cleaned == ["up"]
    assert outcome.status == "succeeded"


async def test_withdrawn_work_that_has_not_begun_is_not_begun() -> None:
    """It is answered unstarted, while the work beside it is done."""
    bus = MemoryBus()
    await bus.open()
    begun: list[str] = []
    results: list[tuple[str, str | None]] = []

    async def execute(job: Job) -> Result:
        begun.append(job.work.key)
        return Result(job.work.key)

    def take(delivery: Delivery) -> None:
        assert isinstance(delivery.envelope.data, Result)
        results.append((delivery.envelope.id, delivery.envelope.data.kind))
        delivery.ack()

    bus.subscribe(["outcome.me"], take)
    worker = Worker(bus, agents=["a"], execute=execute)
    for key in ("1", "2", "3"):
        bus.offer(work(key))
    bus.broadcast(Envelope("withdraw", Withdrawal("2")))
    await asyncio.sleep(1)
    await worker.close()

    assert begun == ["1", "3"]
    assert sorted(results) == [("1", None), ("2", "cancelled"), ("3", None)]
    assert bus.waiting == 0


async def test_a_result_that_the_bus_cannot_carry_is_a_crash() -> None:
    """The receiver hears of it, and the slot goes on."""
    bus = MemoryBus(strict=True)
    await bus.open()
    results: list[Result] = []

    async def execute(job: Job) -> Result:
        return Result(job.work.key, object() if job.work.key == "1" else "fine")

    def take(delivery: Delivery) -> None:
        assert isinstance(delivery.envelope.data, Result)
        results.append(delivery.envelope.data)
        delivery.ack()

    bus.subscribe(["outcome.me"], take)
    worker = Worker(bus, agents=["a"], execute=execute)
    bus.offer(work("1"))
    bus.offer(work("2"))
    await asyncio.sleep(1)
    await worker.close()

    assert [(result.key, result.kind, result.output) for result in results] == [
        ("1", "crash", None),
        ("2", None, "fine"),
    ]
    assert "the bus could not carry its result" in results[0].problems[0]


async def handed_over(count: int, seconds: float) -> tuple[float, int]:
    """Hand tasks to a new worker; return the seconds until all are done, and how many slots did them."""
    bus, loop, slots = MemoryBus(), asyncio.get_running_loop(), set[str]()
    answered, done = 0, asyncio.Event()

    def take(delivery: Delivery) -> None:
        nonlocal answered
        answered += 1
        delivery.ack()
        if answered == count:
            done.set()

    async def execute(job: Job) -> Result:
        current = asyncio.current_task()
        assert current is not None
        slots.add(f"{id(current)}")
        if seconds:
            await asyncio.sleep(seconds)
        return Result(job.work.key)

    await bus.open()
    bus.subscribe(["outcome.me"], take)
    worker = Worker(bus, agents=["a"], execute=execute)
    began = loop.time()
    for number in range(count):
        bus.offer(work(f"run/t{number}/1/1/1"))
    await done.wait()
    took = loop.time() - began
    await worker.close()
    return took, len(slots)


async def test_bodies_that_end_at_once_share_a_slot() -> None:
    """However many there are: nothing is started for a task."""
    assert await handed_over(500, 0) == (0, 1)


async def test_bodies_that_wait_wait_side_by_side() -> None:
    """Each has a slot of its own, and none stands behind another."""
    assert await handed_over(100, 1.0) == (1.0, 100)
