"""Deadlines of runs and of what is delegated in them: what counts, what is handed down, and what is dropped."""

import asyncio

import anyio
import pytest

from agentorch import Budget, Context, Orchestrator, Plan, Policy, agent
from agentorch.bus.memory import MemoryBus
from agentorch.core.task import Task
from agentorch.events import RunAborted, TaskReported
from agentorch.journal.memory import MemoryJournal
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, Terms, Work
from agentorch.ports.bus import Delivery
from agentorch.ports.clock import SystemClock
from agentorch.runtime.job import Job
from agentorch.runtime.worker import Worker
from agentorch.testing import LoopClock, Reply, ScriptedModel


@agent(description="Reports every ten seconds, for ever.", timeout=None)
async def ticking(context: Context) -> str:
    while True:
        context.report("tick")
        await anyio.sleep(10)


def single(name: str) -> Plan:
    """Return a plan of one task."""
    plan = Plan(name)
    plan.add("one", agent=name)
    return plan


@pytest.mark.looptime
async def test_time_in_which_nobody_carries_the_run_out_does_not_count() -> None:
    """Forty of its hundred seconds are used, a day goes by, and sixty are left."""
    journal = MemoryJournal()
    await journal.open()  # held open over both orchestrators
    async with Orchestrator([ticking], journal=journal, clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("ticking"), budget=Budget(max_seconds=100))
        await anyio.sleep(40)
    await anyio.sleep(86_400)
    async with Orchestrator([ticking], journal=journal, clock=LoopClock()) as orchestrator:
        before = anyio.current_time()
        again = await orchestrator.take_up(run.id)
        outcome = await again.outcome()
        took = anyio.current_time() - before
        events = [event async for event in again]

    aborted = [event.problem.message for event in events if isinstance(event, RunAborted)]
    ticks = sum(isinstance(event, TaskReported) for event in events)
    assert aborted == ["the run's 100 seconds are up"]
    assert took == pytest.approx(60, abs=0.1)
    assert 10 <= ticks <= 12
    assert outcome.status == "failed"


@pytest.mark.looptime
async def test_time_in_which_a_run_waits_for_a_person_alone_does_not_count() -> None:
    """The answer comes after an hour; the run's minute has only begun."""

    @agent(description="Asks, then works.", timeout=None)
    async def asking(context: Context) -> str:
        await anyio.sleep(20)
        await context.ask("Sure?")
        await anyio.sleep(1000)
        return "never"

    async with Orchestrator([asking], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("asking"), budget=Budget(max_seconds=60))
        await anyio.sleep(3600)
        waiting = run.waiting
        before = anyio.current_time()
        await run.answer(waiting[0].request_id, "yes")
        outcome = await run.outcome()
        took = anyio.current_time() - before

    assert took == pytest.approx(40, abs=0.1)
    assert "the run's 60 seconds are up" in [problem.message for problem in outcome.problems]


@pytest.mark.looptime
async def test_what_is_delegated_has_no_more_time_than_its_caller() -> None:
    """The deadline that a context tells is the earliest of its own, its callers' and the run's."""
    told: list[float | None] = []

    @agent(description="Tells its deadline.", timeout=500)
    async def below(context: Context) -> str:
        told.append(context.deadline)
        return "told"

    @agent(description="Delegates.", timeout=50)
    async def above(context: Context) -> str:
        told.append(context.deadline)
        await anyio.sleep(10)
        return await context.call("below")

    clock = LoopClock()
    async with Orchestrator([above, below], clock=clock) as orchestrator:
        start = clock.now()
        await orchestrator.run(single("above"))
        await orchestrator.run(single("above"), budget=Budget(max_seconds=30))

    assert [None if one is None else round(one - start) for one in told] == [50, 50, 40, 40]


async def test_work_whose_deadline_has_passed_is_dropped() -> None:
    """The failure is one of the budget, which nothing retries; what is in time is done."""
    bus = MemoryBus()
    await bus.open()
    results: dict[str, Result] = {}
    all_there = asyncio.Event()

    class Noon:
        def now(self) -> float:
            return 1000.0

    async def execute(job: Job) -> Result:
        return Result(job.work.key)

    def take(delivery: Delivery) -> None:
        assert isinstance(delivery.envelope.data, Result)
        results[delivery.envelope.id] = delivery.envelope.data
        delivery.ack()
        if len(results) == 3:
            all_there.set()

    bus.subscribe(["outcome.me"], take)
    worker = Worker(bus, agents=["a"], execute=execute, clock=Noon())
    for key, deadline in (("late", 997.5), ("timely", 1001.0), ("free", None)):
        work = Work(key, Terms("run"), Task(id=key, agent="a"), "a", {}, "")
        bus.offer(Envelope("task.a.0", work, id=key, source="me", deadline=deadline))
    await all_there.wait()
    await worker.close()

    assert {key: result.kind for key, result in results.items()} == {"late": "budget", "timely": None, "free": None}
    assert results["late"].problems == ("its deadline had passed by 2.5 s when a worker could take it",)


def test_a_clock_that_is_set_moves_nothing() -> None:
    """Time goes on as it passes, from the machine's time at the start."""
    machine = {"wall": 5000.0, "passed": 10.0}
    clock = SystemClock(wall=lambda: machine["wall"], passed=lambda: machine["passed"])
    machine.update(wall=999_999.0, passed=12.0)
    forward = clock.now()
    machine.update(wall=1.0, passed=13.0)

    assert (forward, clock.now()) == (5002.0, 5003.0)


@pytest.mark.looptime
async def test_a_run_ends_when_its_seconds_are_up() -> None:
    """Exactly then, and what is done is kept."""
    async with Orchestrator([ticking], policy=Policy(replans=0), clock=LoopClock()) as orchestrator:
        before = anyio.current_time()
        outcome = await orchestrator.run(single("ticking"), timeout=25)

    assert anyio.current_time() - before == pytest.approx(25, abs=0.1)
    assert outcome.status == "failed"


@pytest.mark.looptime
async def test_when_time_is_up_the_answer_asks_no_model() -> None:
    """It is written at once over what there is, by the answerer's own means."""
    model = ScriptedModel(Reply("written", delay=100))

    @agent(description="Answers.")
    async def brief() -> str:
        return "the first half"

    @agent(description="Takes long.")
    async def slow(before: str) -> str:
        await anyio.sleep(1000)
        return before

    plan = Plan("halves")
    plan.add("brief", agent=brief)
    plan.add("slow", agent=slow, inputs={"before": "$brief"})
    async with Orchestrator([brief, slow], model=model, clock=LoopClock()) as orchestrator:
        outcome = await orchestrator.run(plan, timeout=10)

    assert (outcome.status, outcome.answer.split("\n")[0], len(model.requests)) == ("partial", "the first half", 0)
    assert outcome.seconds == pytest.approx(10, abs=0.1)


@pytest.mark.looptime
async def test_the_answer_of_a_run_whose_time_is_up_has_the_grace() -> None:
    """Where another run has taken the only slot for longer, the run ends without one."""

    @agent(description="Answers.")
    async def brief() -> str:
        return "the first half"

    @agent(description="Takes long.")
    async def slow(before: str) -> str:
        await anyio.sleep(1000)
        return before

    plan = Plan("halves")
    plan.add("brief", agent=brief)
    plan.add("slow", agent=slow, inputs={"before": "$brief"})
    other = Plan("other")
    other.add("slow", agent=slow, inputs={"before": ""})
    policy = Policy(parallel=1, grace=3)
    async with Orchestrator([brief, slow], policy=policy, clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan, timeout=10, priority="batch")
        await anyio.sleep(1)
        ahead = await orchestrator.submit(other)
        await anyio.sleep(11)
        status = run.status
        outcome = await run.outcome()
        await ahead.cancel()

    assert (status, outcome.status, outcome.answer) == ("answering", "partial", None)
    assert outcome.seconds == pytest.approx(13, abs=0.1)
    assert sum("seconds are up" in problem.message for problem in outcome.problems) == 1
