"""A run's events reach any number of readers, and no reader slows the run."""

import asyncio
from contextlib import aclosing

from agentorch import Event, Orchestrator, Plan, Run, agent
from agentorch.events import RunFinished
from agentorch.runtime.feed import RING

TASKS = 1500


@agent(description="Does nothing, slowly enough for others to run.")
async def nothing() -> int:
    await asyncio.sleep(0)
    return 1


def long_plan() -> Plan:
    """Return a plan of many small tasks."""
    plan = Plan("many")
    for number in range(TASKS):
        plan.add(f"t{number}", agent=nothing)
    plan.add("end", agent=nothing, needs=[f"t{number}" for number in range(TASKS)])
    return plan


async def test_a_hundred_readers_of_which_one_never_reads() -> None:
    """The fast ones lose nothing; the one that never reads costs bounded memory, and catches up by seq at the end."""
    async with Orchestrator([nothing]) as orchestrator:
        run = await orchestrator.submit(long_plan())
        sleeper = run.events()
        first = await anext(sleeper)

        async def read() -> list[int]:
            return [event.seq async for event in run]

        fast = await asyncio.gather(*(read() for _ in range(99)))
        seqs = [event.seq async for event in run.events(after=first.seq)]
        outcome = await run.outcome()
        held = len(run._hosted.feed._ring)
        caught_up = [first.seq] + [event.seq async for event in sleeper]

    whole = list(range(1, len(fast[0]) + 1))
    assert len(whole) > 2 * TASKS > 2 * RING
    assert all(seen == whole for seen in fast)
    assert seqs == whole[1:]
    assert caught_up == whole
    assert outcome.status == "succeeded"
    assert 0 < held <= RING


async def test_a_reader_may_come_late_and_leave_early() -> None:
    """Reading from a seq gives what follows it; leaving the loop leaves nothing behind."""
    async with Orchestrator([nothing]) as orchestrator:
        run = await orchestrator.submit(long_plan())
        seen: list[Event] = []
        async with aclosing(run.events(after=10)) as events:
            async for event in events:
                seen.append(event)
                if len(seen) == 5:
                    break
        await run.outcome()
        last = [event async for event in run][-1]

    assert [event.seq for event in seen] == [11, 12, 13, 14, 15]
    assert isinstance(last, RunFinished)
    assert run._hosted.feed.readers == 0


async def test_a_reader_of_a_finished_run_reads_the_journal() -> None:
    """`attach` to a run that is over gives all its events and its outcome."""
    async with Orchestrator([nothing]) as orchestrator:
        run = await orchestrator.submit(long_plan())
        outcome = await run.outcome()
        attached = await orchestrator.attach(run.id)
        seqs = [event.seq async for event in attached]
        again = await attached.outcome()

    assert seqs == list(range(1, len(seqs) + 1))
    assert again == outcome


async def test_a_reader_that_has_seen_the_end_is_let_go() -> None:
    """Whoever comes back with the last seq, as a page does that was cut off, gets nothing more, at once."""
    async with Orchestrator([nothing]) as orchestrator:
        plan = Plan("one")
        plan.add("one", agent=nothing)
        run = await orchestrator.submit(plan)
        last = [event.seq async for event in run][-1]
        assert [event async for event in run.events(after=last)] == []
        assert [event async for event in run.events(after=last, deltas=True)] == []


async def test_readers_of_a_run_that_stops_are_let_go() -> None:
    """A run that stands still until it is resumed has nothing more to show: the loop ends after RunStopped."""
    async with Orchestrator([nothing]) as orchestrator:
        plan = Plan("wait")
        plan.add("wait", agent=nothing, approval="before")
        run = await orchestrator.submit(plan)
        reading = asyncio.create_task(all_types(run))
        await asyncio.sleep(0.01)
        await run.stop(reason="enough")
        assert (await reading)[-1] == "RunStopped"
        assert (await all_types(run))[-1] == "RunStopped"


async def all_types(run: Run) -> list[str]:
    return [event.type async for event in run]
