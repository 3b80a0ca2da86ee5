"""Whose time is it: questions beside the work, and callers of what stands still."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from agentorch import Budget, Context, Orchestrator, Plan, Policy, agent
from agentorch.events import AttemptFailed, TaskWentOn
from agentorch.models import GovernedModel, Governor, Limits
from agentorch.runtime.awaiting import only_awaits
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.runtime.run import Run
from agentorch.testing import LoopClock, ScriptedModel

pytestmark = pytest.mark.looptime


def single(name: str) -> Plan:
    """Return a plan of one task, tried once."""
    plan = Plan(name)
    plan.add("one", agent=name)
    return plan


async def failures(run: Run) -> list[str]:
    """Return what went wrong with each attempt of a run."""
    return [event.problems[0] async for event in run if isinstance(event, AttemptFailed)]


async def _sleeps(asking: Awaitable[object]) -> None:
    beside = asyncio.ensure_future(asking)
    for _ in range(1000):
        await anyio.sleep(1)
    await beside


async def _sleeps_once(asking: Awaitable[object]) -> None:
    beside = asyncio.ensure_future(asking)
    await anyio.sleep(1000)
    await beside


async def _gathers_work(asking: Awaitable[object]) -> None:
    await asyncio.gather(asking, anyio.sleep(1000))


async def _works_in_a_group(asking: Awaitable[object]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_awaited(asking))
        await anyio.sleep(1000)


async def _awaited(asking: Awaitable[object]) -> None:
    await asking


@pytest.mark.parametrize("work", [_sleeps, _sleeps_once, _gathers_work, _works_in_a_group])
async def test_a_question_beside_the_work_lifts_no_limit(work: Callable[[Awaitable[object]], Awaitable[None]]) -> None:
    """Neither the task's timeout nor the seconds of the run stand still while the body goes on."""

    @agent(description="Asks, and does not wait.", timeout=5, attempts=1)
    async def beside(context: Context) -> str:
        await work(context.ask("Sure?"))
        return "worked"

    async def until_five(budget: Budget | None) -> tuple[float, list[str]]:
        async with Orchestrator([beside], clock=LoopClock()) as orchestrator:
            start = anyio.current_time()
            policy = Policy(replans=0) if budget is None else Policy(timeout=None)
            run = await orchestrator.submit(single("beside"), policy=policy, budget=budget)
            async for event in run:
                if isinstance(event, AttemptFailed):
                    await run.cancel()
            outcome = await run.outcome()
            return anyio.current_time() - start, [problem.message for problem in outcome.problems]

    timed_out, _ = await until_five(None)
    _, said = await until_five(Budget(max_seconds=3))

    assert timed_out == pytest.approx(5, abs=0.1)
    assert "the run's 3 seconds are up" in said


async def _one_after_the_other(context: Context) -> list[str]:
    return [await context.ask(f"{number}?") for number in range(2)]


async def _gathered(context: Context) -> list[str]:
    return list(await asyncio.gather(*(context.ask(f"{number}?") for number in range(2))))


async def _in_a_group(context: Context) -> list[str]:
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_asked(context, number)) for number in range(2)]
    return [one.result() for one in asked]


async def _asked(context: Context, number: int) -> str:
    await anyio.sleep(number)
    return await context.ask(f"{number}?")


async def _in_a_task(context: Context) -> list[str]:
    return await asyncio.create_task(_gathered(context))


@pytest.mark.parametrize("ask", [_one_after_the_other, _gathered, _in_a_group, _in_a_task])
async def test_a_body_that_waits_for_its_questions_has_all_the_time(
    ask: Callable[[Context], Awaitable[list[str]]],
) -> None:
    """However it waits for them; meanwhile the run is at rest, and the limits stand still."""

    @agent(description="Asks.", timeout=5, attempts=1)
    async def asking(context: Context) -> list[str]:
        return await ask(context)

    async with Orchestrator([asking], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("asking"), budget=Budget(max_seconds=5), policy=Policy(replans=0))
        statuses: list[OutcomeStatus] = []
        while run.status != "succeeded":
            await anyio.sleep(3600)
            statuses.append((await run.outcome()).status)
            if run.waiting:
                await run.answer(run.waiting[0].request_id, "yes")
                await anyio.sleep(0.5)
        outcome = await run.outcome()

    assert outcome.answer == ["yes", "yes"]
    assert statuses[:2] == [OutcomeStatus.WAITING, OutcomeStatus.WAITING]


@pytest.mark.parametrize("works", [False, True])
async def test_many_calls_side_by_side_are_looked_at_seldom(works: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of them whenever one begins or ends; the clock stands still, or goes on, all the same."""
    looks = 0

    def counted(*arguments: Any) -> bool:
        nonlocal looks
        looks += 1
        return only_awaits(*arguments)

    @agent(description="Works a second.")
    async def child() -> int:
        await anyio.sleep(1)
        return 1

    @agent(description="Calls, and asks.", timeout=120, attempts=1)
    async def asking(context: Context) -> int:
        called = await asyncio.gather(*(context.call(child) for _ in range(500)))
        questions = [context.ask(f"{number}?") for number in range(500)]
        await asyncio.gather(*questions, *([anyio.sleep(1000)] if works else []))
        return sum(called)

    monkeypatch.setattr("agentorch.runtime.job.only_awaits", counted)
    async with Orchestrator([asking, child], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("asking"), policy=Policy(replans=0))
        await anyio.sleep(3600)
        for request in run.waiting:
            await run.answer(request.request_id, "yes")
        outcome = await run.outcome()

    assert outcome.answer == (None if works else 500)
    assert ("no result within 120 s" in str(outcome.problems)) is works
    assert 0 < looks < 1000  # each call that begins to wait, waits no more, or has ended was a look: some 4,000


async def test_the_journal_says_when_a_body_goes_on_beside_its_question() -> None:
    """Once when it does, and once when it waits after all."""

    @agent(description="Asks, works a little, and waits.", timeout=None)
    async def asking(context: Context) -> str:
        question = asyncio.create_task(_asked(context, 0))
        await anyio.sleep(10)
        return await question

    async with Orchestrator([asking], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("asking"))
        await anyio.sleep(3600)
        await run.answer(run.waiting[0].request_id, "yes")
        events = [event async for event in run]

    said = [(event.waits, event.at - events[0].at) for event in events if isinstance(event, TaskWentOn)]
    assert said == [(False, pytest.approx(0, abs=0.1)), (True, pytest.approx(10, abs=0.1))]


@agent(description="Is asked about first.", approval="before")
async def approved() -> str:
    return "agreed"


@agent(description="Asks.")
async def questioning(context: Context) -> str:
    return await context.ask("Sure?")


@pytest.mark.parametrize("child", ["approved", "questioning"])
async def test_a_caller_waits_durably_for_what_waits_for_a_person(child: str) -> None:
    """A timeout of five seconds, an answer after an hour: also for the caller of the caller, and for two at once."""

    @agent(description="Calls.", timeout=5, attempts=1)
    async def middle(context: Context) -> list[str]:
        return list(await asyncio.gather(context.call(child), context.call("middle2")))

    @agent(description="Calls, too.", timeout=5, attempts=1)
    async def middle2(context: Context) -> str:
        return await context.call(child)

    @agent(description="Calls the caller.", timeout=5, attempts=1)
    async def top(context: Context) -> list[str]:
        return await context.call("middle")

    async with Orchestrator([approved, questioning, middle, middle2, top], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("top"), policy=Policy(replans=0))
        await anyio.sleep(3600)
        waiting = [(request.request_id, run.status) for request in run.waiting]
        for request_id, _ in waiting:
            await run.answer(request_id, True if child == "approved" else "agreed")
        outcome = await run.outcome()

    assert len(waiting) == 2
    assert outcome.answer == ["agreed", "agreed"]


async def test_a_caller_s_clock_goes_on_with_its_child() -> None:
    """What the child needs after the answer is the caller's time again."""

    @agent(description="Asks, then works too long.", timeout=None)
    async def child(context: Context) -> str:
        await anyio.sleep(2)
        await context.ask("Sure?")
        await anyio.sleep(1000)
        return "late"

    @agent(description="Calls.", timeout=5, attempts=1)
    async def parent(context: Context) -> str:
        return await context.call("child")

    async with Orchestrator([child, parent], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("parent"), policy=Policy(replans=0))
        await anyio.sleep(3600)
        start = anyio.current_time()
        await run.answer(run.waiting[0].request_id, "yes")
        async for event in run:
            if isinstance(event, AttemptFailed):
                await run.cancel()
        took = anyio.current_time() - start

    assert took == pytest.approx(3, abs=0.1)


async def test_a_caller_waits_with_its_child_for_a_rate_limit() -> None:
    """A call a minute: the caller's five seconds are not used up by it."""

    @agent(description="Calls a model twice.")
    async def child(context: Context) -> str:
        await context.model("one")
        return await context.model("two")

    @agent(description="Calls.", timeout=5, attempts=1)
    async def parent(context: Context) -> str:
        return await context.call("child")

    model = GovernedModel(ScriptedModel(lambda _: "ok"), Governor("g", Limits(requests_per_minute=1)))
    async with Orchestrator([child, parent], model=model, planner="rules", clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("parent"), policy=Policy(replans=0))
        failed = await failures(run)
        outcome = await run.outcome()

    assert (failed, outcome.answer) == ([], "ok")
