"""Timeouts of tasks: what they end, what they do not count, and what the slot does after."""

import asyncio

import anyio
import pytest

from agentorch import Agent, Context, Orchestrator, Plan, Policy, agent
from agentorch.core.task import Task
from agentorch.events import AttemptFailed, StepFinished
from agentorch.messages.work import Terms, Work
from agentorch.models import GovernedModel, Governor, Limits
from agentorch.runtime.job import GRACE, Job
from agentorch.testing import LoopClock, Reply, ScriptedModel

pytestmark = pytest.mark.looptime


async def test_a_body_that_takes_too_long_is_ended_and_dispatched_again() -> None:
    """A timeout is transient: the next dispatch of the same attempt may be faster."""
    calls: list[float] = []

    @agent(description="Is slow at first.", timeout=5)
    async def slow() -> str:
        calls.append(anyio.current_time())
        if len(calls) == 1:
            await anyio.sleep(1000)
        return "done"

    plan = Plan("slow")
    plan.add("slow", agent=slow)
    async with Orchestrator([slow], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()

    failed = [event for event in events if isinstance(event, AttemptFailed)]
    assert outcome.answer == "done"
    assert [event.kind for event in failed] == ["transient"]
    assert "within 5 s" in failed[0].problems[0]
    assert len(calls) == 2


async def test_a_body_that_swallows_its_cancellation_keeps_its_result() -> None:
    """The slot stays usable: its next task is not cancelled by the last one's timeout."""

    @agent(description="Will not be stopped.", timeout=5)
    async def stubborn(number: int) -> int:
        try:
            await anyio.sleep(10)
        except asyncio.CancelledError:
            await anyio.sleep(1)
        return number

    plan = Plan("stubborn")
    for number in range(3):
        plan.add(f"t{number}", agent=stubborn, inputs={"number": number})
    policy = Policy(parallel=1)
    async with Orchestrator([stubborn], policy=policy, clock=LoopClock()) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert dict(outcome.outputs)["t2"] == 2
    assert outcome.status == "succeeded"


async def test_waiting_for_a_rate_limit_is_not_the_tasks_time() -> None:
    """Two tasks of 3 s with a timeout of 5 s on one slot of the provider: the second waits, and does not time out."""
    slow = ScriptedModel([Reply("one", delay=3), Reply("two", delay=3), Reply("three", delay=3)])
    model = GovernedModel(slow, Governor("test", Limits(concurrency=1)))
    greeter = Agent("greeter", description="Greets.", prompt="Greet.", timeout=5)
    plan = Plan("greet")
    for number in range(3):
        plan.add(f"t{number}", agent=greeter)
    async with Orchestrator([greeter], model=model, planner="rules", clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan, policy=Policy(replans=0))
        failed = [event async for event in run if isinstance(event, AttemptFailed) and event.task[0] == "t"]

    assert failed == []


async def test_a_person_at_lunch_is_not_the_tasks_time() -> None:
    """An agent with a timeout of 5 s asks; the answer that comes after an hour is used."""

    @agent(description="Asks.", timeout=5, attempts=1)
    async def asker(context: Context) -> str:
        return await context.ask("Sure?")

    plan = Plan("ask")
    plan.add("ask", agent=asker)
    async with Orchestrator([asker], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan, policy=Policy(replans=0))
        await anyio.sleep(3600)
        await run.answer(run.waiting[0].request_id, "yes")
        outcome = await run.outcome()

    assert outcome.answer == "yes"


async def test_the_clock_stands_still_until_the_last_wait_ends() -> None:
    """Two waits at once, one begun before the body was suspended."""
    loop = asyncio.get_running_loop()
    watched: list[float] = []

    def watch(job: Job, seconds: float) -> None:
        watched.append(seconds)
        job.deadline = loop.time() + seconds

    slot = asyncio.current_task()
    assert slot is not None
    job = Job(Work("k", Terms("run", timeout=5), Task(id="t", agent="a"), "a", {}, ""), slot, watch)
    job.wait_for_turn(True)
    job.suspended()
    job.wait_for_turn(True)
    await anyio.sleep(100)
    job.wait_for_turn(False)
    before = list(watched)
    job.wait_for_turn(False)
    await anyio.sleep(2)
    job.wait_for_turn(True)
    job.wait_for_turn(True)
    await anyio.sleep(100)
    job.wait_for_turn(False)
    job.wait_for_turn(False)

    assert before == []
    assert watched == pytest.approx([5, 3])


async def test_what_a_timed_out_dispatch_spent_is_journaled() -> None:
    """The model was called once before the time was up: that call counts once, and is read back afterwards."""

    @agent(description="Asks the model, then sleeps.", timeout=5, attempts=1, needs_model=True)
    async def user(context: Context) -> str:
        await context.model("Hello?")
        await anyio.sleep(1000)
        return "never"

    plan = Plan("use")
    plan.add("use", agent=user)
    model = ScriptedModel([Reply("hi")] * 9)
    async with Orchestrator([user], model=model, planner="rules", clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan, policy=Policy(replans=0))
        events = [event async for event in run]
        outcome = await run.outcome()

    failed = [event for event in events if isinstance(event, AttemptFailed)]
    told = [event.usage.calls for event in events if isinstance(event, StepFinished) and event.usage is not None]
    assert len(failed) > 1
    assert {event.usage for event in failed} == {None}
    assert (told, len(model.requests), outcome.usage.calls) == ([1], 1, 1)


async def test_a_timed_out_body_that_does_not_end_is_given_up() -> None:
    """After the grace the run goes on without it, with its slot: the problem says so; what it returns later is late."""
    stopped: list[int] = []

    @agent(description="Takes no cancellation.", timeout=5, attempts=1)
    async def stubborn() -> str:
        end = asyncio.get_running_loop().time() + 100
        while (now := asyncio.get_running_loop().time()) < end:
            try:
                await anyio.sleep(end - now)
            except asyncio.CancelledError:
                stopped.append(1)
        return "at last"

    @agent(description="Takes a second.")
    async def brief() -> str:
        await anyio.sleep(1)
        return "done"

    plan = Plan("stubborn")
    plan.add("one", agent=stubborn)
    plan.add("other", agent=brief)
    loop = asyncio.get_running_loop()
    async with Orchestrator([stubborn, brief], policy=Policy(parallel=1, replans=0), clock=LoopClock()) as orchestrator:
        before = loop.time()
        outcome = await orchestrator.run(plan)
        took = loop.time() - before
        await anyio.sleep(200)

    (problem,) = [problem for problem in outcome.problems if problem.task == "one"]
    assert (outcome.states["one"], outcome.states["other"]) == ("failed", "succeeded")
    assert "no result within 5 s, and its body could not be stopped: it goes on by itself" in problem.message
    assert took == pytest.approx(5 + GRACE + 1, abs=0.5)
    assert stopped == [1]
