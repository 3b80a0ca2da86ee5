"""Closing an orchestrator, as Ctrl-C does: calls with an effect have their time to end in."""

import asyncio
import threading
import time
from typing import Any

import anyio.from_thread
import pytest

from agentorch import Agent, Context, Orchestrator, Plan, agent, tool
from agentorch.events import RequestOpened
from agentorch.journal.memory import MemoryJournal
from agentorch.testing import LoopClock

LEFT: list[asyncio.Task[Any]] = []
"""Tasks that a body has left behind."""


@pytest.mark.looptime
@pytest.mark.parametrize(("takes", "known"), [(3, True), (5, False)])
async def test_closing_waits_for_an_effect_as_a_cancel_does(takes: float, known: bool) -> None:
    """Most of the task's grace, in the event loop too; what has not ended then is cut off, and is not known."""
    journal = MemoryJournal()
    said: list[str] = []

    @tool(effect="once")
    async def pay() -> str:
        try:
            await asyncio.sleep(takes)
        finally:
            said.append("ended")
        said.append("paid")
        return "paid"

    @agent(name="payer", description="Pays.", tools=[pay], attempts=1)
    async def payer(context: Context) -> str:
        return str(await context.tool(pay))

    plan = Plan("pay")
    plan.add("one", agent="payer")
    async with Orchestrator([payer], journal=journal, clock=LoopClock()) as before:
        run = await before.submit(plan)
        await asyncio.sleep(0.5)
        began = asyncio.get_running_loop().time()
    took = asyncio.get_running_loop().time() - began
    async with Orchestrator([payer], journal=journal, clock=LoopClock()) as after:
        outcome = await after.resume(run.id)

    assert (said, outcome.answer) == (["ended", "paid"] if known else ["ended"], "paid" if known else None)
    assert took == pytest.approx(2.5 if known else 4, abs=0.1)


@agent(description="Asks from its thread.")
def asking(context: Context) -> str:
    """Wait for a person."""
    return str(anyio.from_thread.run(context.ask, "Who?"))


@agent(description="Leaves a question behind.")
async def leaving(context: Context) -> str:
    """End before the answer."""
    LEFT.append(asyncio.create_task(context.ask("Who?")))
    await asyncio.sleep(0.01)
    return "it asks on"


@agent(description="Waits for a person too.")
async def beside(context: Context) -> str:
    """Keep the run from its end."""
    return str(await context.ask("And who?"))


@pytest.mark.parametrize("asker", [asking, leaving])
def test_closing_ends_the_calls_beside_the_bodies(asker: Agent, caplog: pytest.LogCaptureFixture) -> None:
    """A thread that waits for a person is told, and a task; the end of the program has nothing to say of it."""

    async def main() -> str:
        before = asyncio.all_tasks()
        plan = Plan("ask")
        plan.add("one", agent=asker)
        plan.add("two", agent=beside)
        async with Orchestrator([asker, beside]) as orchestrator:
            status = (await orchestrator.run(plan)).status
        assert asyncio.all_tasks() <= before
        return status

    assert asyncio.run(main()) == "waiting"
    assert caplog.text == ""


SAID: list[str] = []
"""What was heard of calls after the end."""


def work(context: Context) -> str:
    """Ask, and tidy up afterwards, which takes a while."""
    try:
        return str(anyio.from_thread.run(context.ask, "Who?"))
    finally:
        time.sleep(0.2)
        try:
            anyio.from_thread.run(context.step, "tidy", len, "abc")
        except BaseException as error:
            SAID.append(type(error).__name__)
            raise


@agent(description="Asks from its thread, and tidies up.")
def tidying(context: Context) -> str:
    """Be a thread."""
    return work(context)


@agent(description="Asks from the thread of a step, and tidies up.")
async def tidying_in_a_step(context: Context) -> str:
    """Have a thread."""
    return str(await context.step("ask", lambda: work(context)))


@pytest.mark.parametrize("asker", [tidying, tidying_in_a_step])
async def test_closing_waits_for_a_thread_whose_call_it_has_ended(
    asker: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    """Within the grace: what it asks for next is refused, and would wait for ever in a loop that is gone."""
    SAID.clear()
    plan = Plan("ask")
    plan.add("one", agent=asker)
    async with Orchestrator([asker]) as orchestrator:
        run = await orchestrator.submit(plan)
        async for event in run:
            if isinstance(event, RequestOpened):
                break
    assert SAID in (["CancelledError"], ["PermanentError"])  # it is stopped, or over
    assert caplog.text == ""


@pytest.mark.looptime
async def test_closing_waits_for_no_thread_that_was_in_no_call() -> None:
    """Nothing can stop it, and it asks for nothing."""
    begun, goes_on, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    @agent(name="plain", description="Is a thread, and takes its time.")
    def plain() -> str:
        loop.call_soon_threadsafe(begun.set)
        goes_on.wait(20)
        return "at last"

    plan = Plan("wait")
    plan.add("one", agent="plain")
    async with Orchestrator([plain], clock=LoopClock()) as orchestrator:
        await orchestrator.submit(plan)
        await begun.wait()
        began = loop.time()
    took = loop.time() - began
    goes_on.set()
    assert took == pytest.approx(0, abs=0.1)
