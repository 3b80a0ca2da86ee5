"""Taking a run up: alone, as its owner has left it, and without waiting for what nobody carries out."""

import asyncio
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from agentorch import Context, Event, Orchestrator, Plan, agent
from agentorch.errors import RunOwnedError
from agentorch.events import RunAdopted
from agentorch.journal.memory import MemoryJournal
from agentorch.testing.clock import LoopClock

pytestmark = [pytest.mark.looptime, pytest.mark.timeout(30)]


class Leisurely(MemoryJournal):
    """An append is durable a hundredth of a second later; an owner may be seen to stand still."""

    def __init__(self) -> None:
        super().__init__()
        self.still = False

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        written = super().append(run_id, events, after=after)
        if written.exception() is not None:
            return written
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[None] = loop.create_future()
        loop.call_later(0.01, lambda: durable.done() or durable.set_result(None))
        return durable

    def beat(self, owner: str) -> int | None:
        return super().beat(owner) and (0 if self.still else super().beat(owner))


@agent(description="Works for a minute.")
async def worker() -> str:
    await anyio.sleep(60)
    return "done"


def parent(*, changed: bool) -> Any:
    """Return an agent that has another one work, or has been changed and does without."""
    if changed:

        @agent(name="parent", description="Works alone.")
        async def alone() -> str:
            return "alone"

        return alone

    @agent(name="parent", description="Has another one work.")
    async def calling(context: Context) -> str:
        return await context.call("worker")

    return calling


def one(worker: Any) -> Plan:
    plan = Plan("one task")
    plan.add("only", agent=worker)
    return plan


def orchestrator(journal: MemoryJournal, *agents: Any) -> Orchestrator:
    return Orchestrator(agents or [worker], journal=journal, clock=LoopClock())


async def orphan(journal: MemoryJournal, plan: Plan, *agents: Any) -> str:
    """Return a run whose tasks were under way when its process ended."""
    async with orchestrator(journal, *agents) as gone:
        run_id = (await gone.submit(plan)).id
        await anyio.sleep(1)
    return run_id


async def test_a_child_that_nobody_sent_again_is_not_waited_for() -> None:
    """Its caller has changed and begins afresh, so it is cancelled before a worker here had it."""
    journal = MemoryJournal()
    run_id = await orphan(journal, one("parent"), parent(changed=False), worker)
    async with orchestrator(journal, parent(changed=True), worker) as runs, asyncio.timeout(600):
        outcome = await runs.resume(run_id, changed="restart")

    assert outcome.answer == "alone"


@pytest.mark.parametrize("fails_all", [False, True], ids=["its own child", "a sibling"])
async def test_what_an_agent_whose_effect_is_unknown_takes_along_is_not_waited_for(fails_all: bool) -> None:
    """It is not sent again but fails, and what fails with it has no worker here that could end it."""

    @agent(description="Pays.", effects="once")
    async def payer(context: Context) -> str:
        if not fails_all:
            return await context.call("worker")
        await anyio.sleep(60)
        return "paid"

    plan = Plan("pay")
    plan.add("pay", agent=payer, on_failure="fail_run")
    if fails_all:
        plan.add("beside", agent=worker)
    journal = MemoryJournal()
    run_id = await orphan(journal, plan, payer, worker)
    async with orchestrator(journal, payer, worker) as runs, asyncio.timeout(600):
        outcome = await runs.resume(run_id)

    assert outcome.status == "failed"


@pytest.mark.parametrize("turns", range(4))
async def test_a_cancel_waits_for_the_take_up_and_ends_the_run(turns: int) -> None:
    """Both at once in one process: the run is taken up, and cancelled; neither is lost, and nobody waits for ever."""
    journal = Leisurely()
    run_id = await orphan(journal, one(worker))
    async with orchestrator(journal) as runs, asyncio.timeout(600):

        async def cancel() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            if turns == 3:
                await anyio.sleep(0.005)  # in the middle of the append
            await runs.cancel(run_id)

        async with asyncio.TaskGroup() as group:
            resumed = group.create_task(runs.resume(run_id))
            group.create_task(cancel())
        record = await journal.record(run_id)

    assert record is not None
    assert (resumed.result().status, record.status) == ("cancelled", "cancelled")


async def test_a_take_up_gives_way_to_a_cancel() -> None:
    """The other way round the cancel stands, and who would take the run up is told why not."""
    journal = Leisurely()
    run_id = await orphan(journal, one(worker))
    async with orchestrator(journal) as runs:
        cancelling = asyncio.create_task(runs.cancel(run_id))
        await asyncio.sleep(0)
        with pytest.raises(RunOwnedError, match="just being taken up, or cancelled"):
            await runs.take_up(run_id)
        await cancelling
        outcome = await runs.resume(run_id)

    assert outcome.status == "cancelled"


class Yielding(Leisurely):
    """Gives way before each look, so that two can look before either writes."""

    async def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        events = await super().read(run_id, after=after, limit=limit)
        await asyncio.sleep(0)
        return events


async def test_who_comes_second_to_a_run_takes_nothing_from_the_first() -> None:
    """A take-up that was refused writes nothing behind the other one's, though that has written as much."""
    journal = Yielding()
    run_id = await orphan(journal, one(worker))
    async with orchestrator(journal) as first, orchestrator(journal) as second:
        came = await asyncio.gather(first.resume(run_id), second.resume(run_id), return_exceptions=True)
        owners = [event.owner for event in await journal.read(run_id) if isinstance(event, RunAdopted)]

    assert [result.answer for result in came if not isinstance(result, BaseException)] == ["done"]
    assert [type(result) for result in came if isinstance(result, BaseException)] == [RunOwnedError]
    assert len(owners) == 1


async def test_a_run_whose_owner_ends_while_it_is_waited_for_is_taken_as_it_was_left() -> None:
    """What the owner wrote until then is read before the run is taken over: nobody else was first."""

    @agent(description="Reports every second.")
    async def reporting(context: Context) -> str:
        for second in range(10):
            context.report(f"second {second}")
            await anyio.sleep(1)
        return "done"

    journal = Leisurely()
    owner = orchestrator(journal, reporting)
    await owner.__aenter__()
    run = await owner.submit(one(reporting))
    async with orchestrator(journal, reporting) as other:
        journal.still = True  # so that it is waited for
        taking = asyncio.create_task(other.take_up(run.id))
        await anyio.sleep(3.5)
        assert not taking.done()
        await owner.__aexit__(None, None, None)
        outcome = await (await taking).outcome()

    assert outcome.answer == "done"
