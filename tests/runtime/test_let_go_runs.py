"""A run that a living process loses or lets go of: its slots are free, and anybody can cancel it or take it up."""

import asyncio
from typing import Any

import anyio
import pytest

from agentorch import Context, Orchestrator, Plan, Policy, Run, agent
from agentorch.core.requests import Request as Question
from agentorch.errors import AgentorchError, JournalError, RunOwnedError
from agentorch.events import RunStopped
from agentorch.journal.memory import MemoryJournal
from agentorch.ports.journal import Request
from agentorch.runtime.ending import end_run
from agentorch.testing import FaultyJournal, LoopClock

pytestmark = [pytest.mark.looptime, pytest.mark.timeout(30)]


def one(worker: Any) -> Plan:
    plan = Plan("one task")
    plan.add("only", agent=worker)
    return plan


@agent(description="Reports, and works on.")
async def worker(context: Context) -> str:
    await anyio.sleep(1)
    context.report("half way")
    await anyio.sleep(1)
    return "done"


def orchestrator(journal: MemoryJournal, *agents: Any, **given: Any) -> Orchestrator:
    return Orchestrator(agents or [worker], journal=journal, clock=LoopClock(), **given)


async def lost(journal: FaultyJournal, runs: Orchestrator, plan: Plan) -> Run:
    """Return a run that was lost to a full disk, which has room again."""
    run = await runs.submit(plan)
    await anyio.sleep(0.5)
    journal.full = True
    with pytest.raises(JournalError, match="the disk is full"):
        await run.outcome()
    journal.full = False
    return run


async def test_the_slots_of_a_lost_run_are_given_to_others() -> None:
    """A run that was waiting for a slot begins at once."""

    @agent(description="Takes the only slot.")
    async def hog() -> str:
        await anyio.sleep(1000)
        return "late"

    journal = MemoryJournal()
    async with orchestrator(journal, hog, worker, policy=Policy(parallel=1)) as runs:
        taken = await runs.submit(one(hog))
        await anyio.sleep(1)
        waiting = await runs.submit(one(worker))
        await end_run(journal, taken.id, by="ann", reason="enough", redact=lambda message: message)
        with pytest.raises(AgentorchError):
            await taken.stop()
        began = anyio.current_time()
        outcome = await waiting.outcome()

    assert (outcome.answer, anyio.current_time() - began < 10) == ("done", True)


async def test_closing_begins_nothing_in_the_slots_that_it_frees() -> None:
    """What waits for a slot when its orchestrator closes is not begun any more."""
    journal = MemoryJournal()
    async with orchestrator(journal, policy=Policy(parallel=1)) as runs:
        ids = [(await runs.submit(one(worker))).id for _ in range(3)]
        await anyio.sleep(0.5)
    begun = [run_id for run_id in ids if any(event.type == "TaskStarted" for event in await journal.read(run_id))]

    assert begun == ids[:1]


async def test_a_lost_run_is_cancelled_by_the_process_that_lost_it() -> None:
    """It is over when `cancel` returns; nothing is left in the inbox that nobody looks at."""
    journal = FaultyJournal()
    async with orchestrator(journal) as runs:
        run = await lost(journal, runs, one(worker))
        await runs.cancel(run.id)
        record = await journal.record(run.id)

    assert record is not None
    assert (record.status, await journal.requests()) == ("cancelled", [])


async def test_a_lost_run_is_cancelled_by_the_process_that_lost_it_for_another() -> None:
    """It lives, so another process can only ask; nobody else would obey."""
    journal = FaultyJournal()
    async with orchestrator(journal) as runs, orchestrator(journal) as other:
        run = await lost(journal, runs, one(worker))
        await other.cancel(run.id, by="ann")
        await anyio.sleep(1)
        record = await journal.record(run.id)

    assert record is not None
    assert (record.status, await journal.requests()) == ("cancelled", [])


async def test_a_lost_run_that_somebody_else_took_up_is_left_to_that_one() -> None:
    """A cancel is for whoever carries it out by now."""
    journal = FaultyJournal()
    async with orchestrator(journal) as runs:
        run = await lost(journal, runs, one(worker))
        async with orchestrator(journal) as other:
            journal.disclaim((await runs.attach(run.id))._hosted.state.owner)  # pyright: ignore[reportPrivateUsage]
            taken = await other.take_up(run.id)
            await runs.cancel(run.id, by="ann")
            outcome = await taken.outcome()
            left = await journal.requests()

    assert (outcome.status, left) == ("cancelled", [])


async def test_a_lost_run_is_taken_up_again_where_runs_are_taken_over() -> None:
    """Its owner lives, and is this process: it goes on as soon as the journal takes it."""
    journal = FaultyJournal()
    async with orchestrator(journal, takeover=True) as runs:
        run = await lost(journal, runs, one(worker))
        await anyio.sleep(10)
        record = await journal.record(run.id)

    assert record is not None
    assert record.status == "succeeded"


async def test_a_run_resumed_after_a_loss_waits_for_the_old_body() -> None:
    """The body that was stopped says so under the key that is sent again: it ends first, and fails nothing."""
    now = most = 0

    @agent(description="Tidies up for a second when it is stopped.")
    async def tidy(context: Context) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            await anyio.sleep(1)
            context.report("half way")
            await anyio.sleep(1)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1)
            now -= 1
        return "done"

    journal = FaultyJournal()
    async with orchestrator(journal, tidy) as runs:
        run = await lost(journal, runs, one(tidy))
        await anyio.sleep(0.1)
        outcome = await runs.resume(run.id)

    assert (outcome.status, outcome.answer, outcome.problems, most) == ("succeeded", "done", (), 1)


@pytest.mark.parametrize("cancels", [False, True], ids=["taken", "cancelled"])
async def test_a_take_over_that_was_given_up_leaves_the_run_to_others(cancels: bool) -> None:
    """Whoever asked went away while it was written: the journal says that the run stands still and is nobody's."""
    journal = FaultyJournal()
    async with orchestrator(journal) as gone:
        run_id = (await gone.submit(one(worker))).id
    async with orchestrator(journal) as hasty, orchestrator(journal) as other:
        journal.delay = 5.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await hasty.take_up(run_id)
        await anyio.sleep(10)
        journal.delay = 0.0
        record = await journal.record(run_id)
        assert record is not None
        assert record.status == "stopped"
        if cancels:
            await other.cancel(run_id)
            record = await journal.record(run_id)
            assert record is not None
            assert record.status == "cancelled"
        else:
            assert (await other.resume(run_id)).answer == "done"


async def test_a_fork_that_was_given_up_before_it_began_is_over() -> None:
    """Nobody knows of it: it is cancelled, as a run is that was given up before it began."""
    journal = FaultyJournal()
    async with orchestrator(journal) as runs:
        outcome = await runs.run(one(worker))
        journal.delay = 5.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await runs.start_fork(outcome.run_id, at=3)
        await anyio.sleep(20)
        records = [record async for record in runs.runs()]

    assert sorted(record.status for record in records) == ["cancelled", "succeeded"]


class Refusing(FaultyJournal):
    """Cannot say what is in the inbox once it is `deaf`."""

    deaf = False

    async def requests(self, *, after: int = 0) -> list[Request]:
        if self.deaf:
            raise JournalError("the inbox cannot be read")
        return await super().requests(after=after)


async def test_a_run_whose_inbox_cannot_be_read_is_let_go() -> None:
    """What was asked of it comes first: it is not carried out, and stands still for whoever can read."""
    journal = Refusing()
    async with orchestrator(journal) as gone:
        run_id = (await gone.submit(one(worker))).id
    async with orchestrator(journal) as runs, orchestrator(journal) as other:
        journal.deaf = True
        with pytest.raises(JournalError, match="cannot be read"):
            await runs.take_up(run_id)
        journal.deaf = False
        stops = [event async for event in await other.attach(run_id) if isinstance(event, RunStopped)]
        outcome = await other.resume(run_id)

    assert [stop.problem.message for stop in stops] == ["what was asked of it could not be carried out"]
    assert outcome.answer == "done"


async def waiting(run: Run) -> Question:
    """Wait until the run asks somebody."""
    await run.rest()
    return run.waiting[0]


async def test_an_owner_that_was_passed_over_leaves_answers_to_the_next() -> None:
    """What it does not know of may be open in the run as it stands: it lets the run go, and settles nothing."""

    @agent(description="Asks a person, once it may.", approval="before")
    async def asker(context: Context) -> str:
        return await context.ask("Which?", str)

    journal = MemoryJournal()
    async with orchestrator(journal, asker) as first, orchestrator(journal, asker) as second:
        stale = await first.submit(one(asker))
        await waiting(stale)  # for its approval: nothing is under way, so anybody may take it
        run = await second.take_up(stale.id)
        await run.answer((await waiting(run)).request_id, True)
        asked = await waiting(run)
        async with orchestrator(journal, asker) as third:
            await (await third.attach(run.id)).answer(asked.request_id, "this")
        await anyio.sleep(1)
        outcome = await run.outcome()
        with pytest.raises(RunOwnedError, match="taken over by another process"):
            await stale.outcome()
        left = await journal.requests()

    assert (outcome.answer, left) == ("this", [])


async def test_what_nobody_has_asked_is_settled_by_the_owner() -> None:
    """An answer to no question is refused and taken out, and the run is not let go for it."""
    journal = MemoryJournal()
    async with orchestrator(journal) as runs:
        run = await runs.submit(one(worker))
        await journal.request(run.id, "answer", {"request_id": "question:0", "value": 1}, by="ann", at=1.0)
        await anyio.sleep(0.5)
        left = await journal.requests()
        outcome = await run.outcome()

    assert (outcome.answer, left) == ("done", [])
