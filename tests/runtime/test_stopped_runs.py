"""A run that was stopped: nothing more is begun, nobody else has its bodies, and whoever resumes it goes on."""

import asyncio
from typing import Any

import anyio
import pytest

from agentorch import Context, Orchestrator, Plan, agent
from agentorch.core.task import Graph, Task
from agentorch.errors import ConfigurationError, RunOwnedError
from agentorch.journal.memory import MemoryJournal
from agentorch.ports.planner import Offer, PlanReport, PlanRequest
from agentorch.runtime.ending import end_run
from agentorch.testing.clock import LoopClock

pytestmark = [pytest.mark.looptime, pytest.mark.timeout(30)]


@agent(description="Asks a person.")
async def asker(context: Context) -> str:
    return await context.ask("Which?", str)


@agent(description="Says what it is given.")
async def saying(text: str) -> str:
    return text


def asking(*, then: Any = saying) -> Plan:
    """Return a plan of a question, and of a task that works with the answer."""
    plan = Plan("ask")
    asked = plan.add("ask", agent=asker)
    plan.add("then", agent=then, inputs={"text": asked})
    return plan


async def test_a_stopped_run_with_an_open_question_is_resumed_in_its_process() -> None:
    """The question stays open, the body lives on, and what comes after the answer is carried out and seen."""
    async with Orchestrator([asker, saying], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(asking())
        await run.rest()
        await run.stop()
        resumed = await orchestrator.take_up(run.id)
        seen: list[str] = []

        async def watch() -> None:
            seen.extend([event.type async for event in resumed])

        watching = asyncio.create_task(watch())
        assert (resumed.status, [request.question for request in resumed.waiting]) == ("running", ["Which?"])
        await resumed.answer(resumed.waiting[0].request_id, "this")
        outcome = await resumed.outcome()
        await watching

    assert (outcome.status, outcome.answer) == ("succeeded", "this")
    assert seen.count("TaskStarted") == 2
    assert seen[-1] == "RunFinished"


async def test_a_stopped_run_that_was_ended_elsewhere_is_not_resumed_as_it_was() -> None:
    """Its owner hears that it was taken from it, and of its end when it asks again."""
    journal = MemoryJournal()
    async with Orchestrator([asker, saying], journal=journal, clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(asking())
        await run.rest()
        await run.stop()
        await end_run(journal, run.id, by="ann", reason="enough", redact=lambda message: message)
        with pytest.raises(RunOwnedError, match="was just taken up"):
            await orchestrator.resume(run.id)
        await asyncio.sleep(0)
        outcome = await orchestrator.resume(run.id)

    assert outcome.status == "cancelled"


async def test_a_set_up_that_was_mended_goes_on_beside_an_open_question() -> None:
    """The same when it was the run itself that stopped: the task that failed is begun again."""
    is_wrong = True

    @agent(description="Needs the set-up.")
    async def needy() -> str:
        if is_wrong:
            raise ConfigurationError("wrong key")
        return "fine"

    plan = Plan("both")
    plan.add("ask", agent=asker)
    plan.add("work", agent=needy)
    async with Orchestrator([asker, needy], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan)
        await run.rest()
        assert run.status == "stopped"
        is_wrong = False
        await orchestrator.resume(run.id)
        await run.answer(run.waiting[0].request_id, "this")
        outcome = await run.outcome()

    assert (outcome.status, outcome.outputs["ask"], outcome.outputs["work"]) == ("succeeded", "this", "fine")


@pytest.mark.parametrize("late", [False, True], ids=["attached before", "attached after"])
async def test_reading_a_stopped_run_of_another_process_ends(late: bool) -> None:
    """As it does where the run is carried out; who reads after it was resumed reads to its end."""
    journal = MemoryJournal()
    async with (
        Orchestrator([asker, saying], journal=journal, clock=LoopClock()) as owner,
        Orchestrator([asker, saying], journal=journal, clock=LoopClock()) as reader,
    ):
        run = await owner.submit(asking())
        await run.rest()
        attached = None if late else await reader.attach(run.id)
        await run.stop()
        attached = attached or await reader.attach(run.id)
        live = [event.type async for event in run]
        assert [event.type async for event in attached] == live

        resumed = await owner.take_up(run.id)
        await resumed.answer(resumed.waiting[0].request_id, "this")
        await resumed.outcome()
        await attached.rest()
        assert [event.type async for event in attached][-1] == "RunFinished"


async def test_a_stopped_run_whose_body_still_runs_is_its_owner_s() -> None:
    """Nobody else may begin the body a second time; once it has ended, anybody may go on."""
    now = most = 0

    @agent(description="Takes a while.")
    async def slow() -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            await anyio.sleep(100)
        finally:
            now -= 1
        return "slow"

    plan = Plan("slow")
    first = plan.add("first", agent=slow)
    plan.add("second", agent=saying, inputs={"text": first})
    journal = MemoryJournal()
    async with (
        Orchestrator([slow, saying], journal=journal, clock=LoopClock()) as owner,
        Orchestrator([slow, saying], journal=journal, clock=LoopClock()) as other,
    ):
        run = await owner.submit(plan)
        await anyio.sleep(1)
        await run.stop()
        with pytest.raises(RunOwnedError, match="is being carried out by"):
            await other.take_up(run.id)
        await run.rest()
        outcome = await other.resume(run.id)

    assert (outcome.answer, most) == ("slow", 1)


class Slow:
    """Thinks once a second, ten times over, and then brings one task."""

    name = "slow"

    def __init__(self) -> None:
        self.thoughts = 0
        self.turns = 0

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        self.turns += 1
        for _ in range(10):
            self.thoughts += 1
            await anyio.sleep(1)
        return PlanReport(Graph((Task("say", "saying", inputs={"text": "planned"}),)))

    async def patch(self, request: PlanRequest) -> PlanReport:
        return PlanReport()


@pytest.mark.parametrize("closes", [False, True], ids=["same process", "next process"])
async def test_a_stopped_run_is_not_planned_on_until_it_is_resumed(closes: bool) -> None:
    """A stop ends the planner's turn; who resumes the run asks it anew."""
    planner, journal = Slow(), MemoryJournal()
    orchestrator = Orchestrator([saying], planner=planner, journal=journal, clock=LoopClock())
    await orchestrator.__aenter__()
    run = await orchestrator.submit("say something")
    await anyio.sleep(2.5)
    await run.stop()
    stopped = await run.outcome()
    await anyio.sleep(60)
    assert (stopped.status, planner.thoughts, planner.turns) == ("waiting", 3, 1)

    if closes:
        await orchestrator.__aexit__(None, None, None)
        await orchestrator.__aenter__()
    outcome = await orchestrator.resume(run.id)
    await orchestrator.__aexit__(None, None, None)
    assert (outcome.status, outcome.answer, planner.turns) == ("succeeded", "planned", 2)


async def test_a_planner_is_not_asked_to_mend_a_stopped_run() -> None:
    """A task that gives up after the stop waits for the resume with its new plan."""
    asked: list[float] = []

    class Mender(Slow):
        async def patch(self, request: PlanRequest) -> PlanReport:
            asked.append(anyio.current_time())
            return PlanReport()

    @agent(description="Fails late.", attempts=1)
    async def failing() -> str:
        await anyio.sleep(10)
        raise ValueError("no")

    plan = Plan("ask and fail")
    plan.add("ask", agent=asker)
    plan.add("fail", agent=failing)
    async with Orchestrator([asker, failing], planner=Mender(), clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan)
        await anyio.sleep(1)
        await run.stop()
        await run.rest()
        await anyio.sleep(60)
        assert (run.status, asked) == ("stopped", [])
        began = anyio.current_time()
        await orchestrator.take_up(run.id)
        await run.rest()
        assert asked
        assert asked[0] - began < 1
