"""Promise 8 in a single owner: behind an append that was refused, none of its next ones falls into place."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, agent
from agentorch.core.events import Event, RunCancelling
from agentorch.core.state import RunState
from agentorch.errors import AgentorchError
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.hosted import HostedRun


@agent(description="Answers.", approval="before")
async def asker(context: Context) -> str:
    return "done"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_who_was_passed_over_writes_nothing_whatever_it_decides_at_once(kind: str, tmp_path: Path) -> None:
    """The new owner has written as many events as the old one's first append has: its second one is refused too."""
    journal = MemoryJournal() if kind == "memory" else tmp_path / "runs.db"
    plan = Plan("ask")
    plan.add("only", agent=asker)
    async with Orchestrator([asker], journal=journal) as old, Orchestrator([asker], journal=journal) as new:
        stale = await old.submit(plan)
        await stale.rest()
        run = await new.take_up(stale.id)
        request = stale.waiting[0].request_id
        said = await asyncio.gather(stale.stop(), stale.answer(request, True), return_exceptions=True)
        await run.answer(request, True)
        outcome = await run.outcome()

    assert all(isinstance(error, AgentorchError) for error in said)
    assert outcome.answer == "done"


class ByHand(MemoryJournal):
    """A journal whose appends are durable when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[asyncio.Future[None]] = []

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> "asyncio.Future[None]":
        del run_id, events, after
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.appends.append(future)
        return future


def decide(run: HostedRun) -> None:
    """Let one more event be decided."""
    run.state.seq += 1
    run.decided.append(RunCancelling(seq=run.state.seq, at=0.0, run_id=run.state.run_id, by="ann", reason=""))


async def turns(count: int = 5) -> None:
    """Let what is ready run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_is_decided_behind_an_append_is_durable_with_the_next_one() -> None:
    """Not with the one that was under way when it was decided."""
    journal = ByHand()
    run = HostedRun(RunState("run"), journal)
    decide(run)
    run.commit()
    decide(run)
    waiting = asyncio.ensure_future(run.durable())
    await turns()
    journal.appends[0].set_result(None)
    await turns()
    before = waiting.done()
    journal.appends[1].set_result(None)
    await turns()
    assert (len(journal.appends), before, waiting.done()) == (2, False, True)


@pytest.mark.timeout(10)
async def test_an_append_that_is_durable_and_not_yet_seen_to_stops_nobody() -> None:
    """Whoever asks in that moment lets the loop go on."""
    journal = ByHand()
    run = HostedRun(RunState("run"), journal)
    decide(run)
    run.commit()
    journal.appends[0].set_result(None)
    decide(run)
    waiting = asyncio.ensure_future(run.durable())
    await turns()
    journal.appends[1].set_result(None)
    await asyncio.wait_for(waiting, 5)


async def test_what_is_decided_when_a_run_is_let_go_is_written_behind_the_append_under_way() -> None:
    """`written` says when."""
    journal = ByHand()
    run = HostedRun(RunState("run"), journal)
    decide(run)
    run.commit()
    decide(run)
    run.commit_last()
    run.lose(AgentorchError("let go"))
    assert (len(journal.appends), run.written is not None) == (1, True)
    journal.appends[0].set_result(None)
    await turns()
    assert (len(journal.appends), run.written and run.written.done()) == (2, False)
    journal.appends[1].set_result(None)
    await turns()
    assert run.written
    assert run.written.done()


async def test_a_step_that_ended_when_its_orchestrator_closed_is_not_paid_for_again(tmp_path: Path) -> None:
    """Forty calls at once, closed in the middle: what was answered before the close is read back."""
    begun = asyncio.Event()
    made: list[int] = []

    async def call(number: int, closing: bool) -> int:
        made.append(number)
        if len(made) > 20 and closing:
            begun.set()
            await asyncio.Event().wait()
        return number

    def team(*, closing: bool) -> Any:
        async def paid(number: int) -> int:
            return await call(number, closing)

        @agent(name="caller", description="Calls.")
        async def caller(context: Context) -> int:
            return sum(await asyncio.gather(*(context.step("call", paid, number) for number in range(40))))

        return caller

    plan = Plan("call")
    plan.add("only", agent="caller")
    async with Orchestrator([team(closing=True)], journal=tmp_path / "runs.db") as before:
        run = await before.submit(plan)
        await begun.wait()
        state = run._hosted.state
        for _ in range(10_000):
            if len(state.tasks["only"].steps or ()) == 20:
                break  # decided, and perhaps not written yet
            await asyncio.sleep(0)
    again = len(made)
    async with Orchestrator([team(closing=False)], journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run.id)

    assert outcome.answer == sum(range(40))
    assert not set(made[:20]) & set(made[again:]), "what was decided before the close is read back"
