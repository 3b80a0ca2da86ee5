"""Slots that are given away while a task waits, and taken back: `parallel` of an agent bounds the bodies at work."""

import asyncio

import anyio
import pytest

from agentorch import Context, Plan, Policy, agent
from agentorch.events import AttemptFailed
from agentorch.runtime.run import Run
from agentorch.testing import MakeOrchestrator

pytestmark = pytest.mark.usefixtures("virtual_clock")


class Gauge:
    """Counts bodies at work."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def work(self, seconds: float) -> None:
        """Be at work for so long."""
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await anyio.sleep(seconds)
        finally:
            self.now -= 1


async def test_an_answer_waits_for_the_slot_that_was_given_away(make_orchestrator: MakeOrchestrator) -> None:
    """One printer: who asked goes on when the other has ended, before the third, and that wait is not its time."""
    gauge = Gauge()
    printed: list[int] = []

    @agent(description="Uses the only printer.", parallel=1, timeout=15, attempts=1)
    async def printer(number: int, context: Context) -> str:
        if number == 0:
            await gauge.work(1)
            await context.ask("Sure?")
        await gauge.work(10)
        printed.append(number)
        return f"printed {number}"

    plan = Plan("print")
    for number in range(3):
        plan.add(f"t{number}", agent=printer, inputs={"number": number}, seconds=10 - number)
    async with make_orchestrator([printer]) as orchestrator:
        start = anyio.current_time()
        run = await orchestrator.submit(plan, policy=Policy(replans=0))
        await anyio.sleep(2)
        await run.answer(run.waiting[0].request_id, "yes")
        outcome = await run.outcome()
        took = anyio.current_time() - start

    assert (outcome.status, gauge.most, printed) == ("succeeded", 1, [1, 0, 2])
    assert took == pytest.approx(31, abs=0.1)


async def test_answers_go_on_in_turn_over_runs(make_orchestrator: MakeOrchestrator) -> None:
    """Two runs of which each has a task that asked; both answers come at once."""
    gauge = Gauge()
    ended: list[int] = []

    @agent(description="Uses the only printer.", parallel=1)
    async def printer(number: int, context: Context) -> int:
        await context.ask("Sure?")
        await gauge.work(10)
        ended.append(number)
        return number

    async with make_orchestrator([printer]) as orchestrator:
        runs: list[Run] = []
        for number in range(3):
            plan = Plan("print")
            plan.add("one", agent=printer, inputs={"number": number})
            runs.append(await orchestrator.submit(plan))
        await anyio.sleep(1)
        for run in reversed(runs):
            await run.answer(run.waiting[0].request_id, "yes")
        outcomes = [await run.outcome() for run in runs]

    assert [outcome.answer for outcome in outcomes] == [0, 1, 2]
    assert (ended, gauge.most) == ([2, 1, 0], 1)


@pytest.mark.parametrize("parallel", [1, 2])
async def test_the_slots_of_a_run_are_taken_back_too(make_orchestrator: MakeOrchestrator, parallel: int) -> None:
    """Whatever the agents are: no more bodies than `parallel` of the run."""
    gauge = Gauge()

    @agent(description="Asks, then works.")
    async def asking(context: Context) -> str:
        await context.ask("Sure?")
        await gauge.work(10)
        return "done"

    plan = Plan("ask")
    for number in range(5):
        plan.add(f"t{number}", agent=asking)
    async with make_orchestrator([asking]) as orchestrator:
        run = await orchestrator.submit(plan, policy=Policy(parallel=parallel))
        await anyio.sleep(1)
        for request in run.waiting:
            await run.answer(request.request_id, "yes")
        outcome = await run.outcome()

    assert (outcome.status, gauge.most) == ("succeeded", parallel)


async def test_a_caller_of_its_own_kind_comes_to_no_standstill(make_orchestrator: MakeOrchestrator) -> None:
    """One slot: the caller lends it to what it calls, one after the other, and takes it back at the end."""
    gauge = Gauge()

    @agent(description="Calls itself.", parallel=1)
    async def nested(depth: int, context: Context) -> int:
        await gauge.work(1)
        if depth == 0:
            return 1
        found = await asyncio.gather(context.call("nested", depth=depth - 1), context.call("nested", depth=0))
        await gauge.work(1)
        return sum(found)

    plan = Plan("nest")
    for number in range(2):
        plan.add(f"t{number}", agent=nested, inputs={"depth": 3})
    async with make_orchestrator([nested]) as orchestrator:
        outcome = await orchestrator.run(plan, policy=Policy(replans=0))

    assert [outcome.outputs[name] for name in ("t0", "t1")] == [4, 4]
    assert gauge.most == 1


async def test_who_is_stopped_while_it_waits_for_its_slot_leaves_the_line(make_orchestrator: MakeOrchestrator) -> None:
    """The one behind it goes on."""
    gauge = Gauge()

    @agent(description="Uses the only printer.", parallel=1)
    async def printer(asks: bool, context: Context) -> str:
        if asks:
            await context.ask("Sure?")
        await gauge.work(10)
        return "printed"

    def one(**inputs: bool) -> Plan:
        plan = Plan("print")
        plan.add("one", agent=printer, inputs=inputs)
        return plan

    async with make_orchestrator([printer]) as orchestrator:
        start = anyio.current_time()
        first, second = [await orchestrator.submit(one(asks=True)) for _ in range(2)]
        await anyio.sleep(1)
        busy = await orchestrator.submit(one(asks=False))
        await anyio.sleep(1)
        for run in (first, second):
            await run.answer(run.waiting[0].request_id, "yes")
        await anyio.sleep(1)
        await first.cancel()
        statuses = [(await run.outcome()).status for run in (first, busy, second)]
        took = anyio.current_time() - start

    assert (statuses, gauge.most) == (["cancelled", "succeeded", "succeeded"], 1)
    assert took == pytest.approx(21, abs=0.1)


async def test_a_body_that_still_waits_for_others_goes_on_without_a_slot(make_orchestrator: MakeOrchestrator) -> None:
    """What it has lent its slot to would wait for it, and it for that."""

    @agent(description="Uses the only slot.", parallel=1, attempts=1, timeout=30)
    async def sole(kind: str, context: Context) -> str:
        if kind == "child":
            await anyio.sleep(5)
        if kind == "caller":
            calls = [asyncio.create_task(context.call("sole", kind="child"))]
            calls.append(asyncio.create_task(context.call("sole", kind="quick")))
            for call in asyncio.as_completed(calls):
                await call
        return kind

    plan = Plan("lend")
    plan.add("one", agent=sole, inputs={"kind": "caller"})
    async with make_orchestrator([sole]) as orchestrator:
        run = await orchestrator.submit(plan, policy=Policy(replans=0))
        failed = [event.problems async for event in run if isinstance(event, AttemptFailed)]
        outcome = await run.outcome()

    assert (failed, outcome.answer) == ([], "caller")
