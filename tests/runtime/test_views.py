"""`on_run`: who watches each run that begins here."""

import asyncio
import logging

import anyio
import pytest

from agentorch import Orchestrator, Outcome, Plan, agent
from agentorch.runtime.run import Run
from agentorch.testing import LoopClock

pytestmark = pytest.mark.looptime


@agent(description="Works for a second.")
async def works() -> str:
    await anyio.sleep(1)
    return "done"


def plan() -> Plan:
    plan = Plan("one")
    plan.add("one", agent=works)
    return plan


async def test_each_run_is_shown_once_and_to_its_end() -> None:
    """Started, submitted, forked and without an open orchestrator: the view has ended when the outcome is there."""
    seen: list[str] = []

    async def view(run: Run) -> None:
        await run.rest()
        await anyio.sleep(0.5)
        seen.append(f"{run.status} {run.id}")

    ids: list[str] = []

    def ended(outcome: Outcome) -> None:
        ids.append(f"succeeded {outcome.run_id}")
        assert seen == ids

    ended(await Orchestrator([works], on_run=view).run(plan()))
    async with Orchestrator([works], on_run=view, clock=LoopClock()) as opened:
        ended(await opened.run(plan()))
        ended(await (await opened.submit(plan())).outcome())
        async with opened.start(plan()) as run:
            ended(await run.outcome())
        ended(await opened.fork(run.id, at=3))
        await opened.attach(run.id)
        await opened.resume(run.id)
    assert seen == ids


async def test_a_view_that_fails_harms_no_run(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, with the run."""

    async def view(run: Run) -> None:
        raise RuntimeError(f"cannot draw {run.id}")

    with caplog.at_level(logging.WARNING):
        outcome = await Orchestrator([works], on_run=view).run(plan())
    assert outcome.answer == "done"
    assert f"on_run failed for run {outcome.run_id}" in caplog.text


async def test_a_view_may_ask_for_the_outcome() -> None:
    """It does not wait for itself."""
    answers: list[str] = []

    async def view(run: Run) -> None:
        answers.append((await run.outcome()).answer)

    assert (await Orchestrator([works], on_run=view).run(plan())).answer == "done"
    assert answers == ["done"]


async def test_a_view_ends_with_the_orchestrator() -> None:
    """What still watches when it is closed is stopped."""
    stopped: list[str] = []

    async def view(run: Run) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(run.id)

    async with Orchestrator([works], on_run=view) as opened:
        run = await opened.submit(plan())
        await anyio.sleep(0.1)
    assert stopped == [run.id]
