"""A run as a picture: what became of each task, in the plan and over time."""

import anyio
import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent
from agentorch.core.usage import Usage
from agentorch.testing import LoopClock, Reply, ScriptedModel
from tests.pictures.drawing import boxes, tips, words

pytestmark = pytest.mark.looptime


@agent(description="Works for some seconds.")
async def works(seconds: float) -> float:
    await anyio.sleep(seconds)
    return seconds


@agent(description="Fails.")
async def fails(seconds: float) -> float:
    await anyio.sleep(seconds)
    raise RuntimeError("<b>no</b> tape")


async def test_a_run_is_drawn_while_it_goes_on() -> None:
    """What is done, what runs, and what is to come; the time goes on without any event."""
    plan = Plan("<i>Three</i>", answer="$c")
    plan.add("a", agent=works, inputs={"seconds": 1})
    plan.add("b", agent=works, inputs={"seconds": 4}, needs=["a"])
    plan.add("c", agent=works, inputs={"seconds": 1}, needs=["b"])
    async with Orchestrator([works], clock=LoopClock()) as opened:
        run = await opened.submit(plan)
        await anyio.sleep(2)
        early = words(run.to_svg())
        await anyio.sleep(1)
        later = run.to_svg()
        outcome = await run.outcome()
        last = run.to_svg()
    assert (early.count("c"), early.count("0 s")) == (2, 0)  # it has its row before it starts
    assert early[:3] == ["▸ running", "3 tasks · 2.0 s", "<i>Three</i>"]
    assert words(later)[1] == "3 tasks · 3.0 s"
    assert [look.stroke for look in boxes(later)] == ["#1a7f37", "#0969da", "#8c959f"]
    assert last == outcome.to_svg()
    assert words(last)[:2] == ["✓ succeeded", "3 tasks · 6.0 s"]


async def test_costs_and_tries_are_told() -> None:
    """In the box, behind the bar and in the tip; what failed says why."""
    used = Usage(1000, 200, 100, 1, 0.25)

    @agent(description="Asks the model.")
    async def asks(context: Context) -> str:
        return await context.model("Say it.")

    plan = Plan("costs", answer="$b")
    plan.add("a", agent=fails, inputs={"seconds": 1})
    plan.add("b", agent=asks)
    model = ScriptedModel(lambda _: Reply("well", delay=2, usage=used))
    clock = LoopClock()
    outcome = await Orchestrator([asks, fails], model=model, policy=Policy(replans=0), clock=clock).run(plan)
    svg = outcome.to_svg()
    assert words(svg)[:2] == ["◦ partial", "2 tasks · 2.0 s · 1,200 tokens · $0.2500"]
    assert {"2 attempts", "1,200 tokens · $0.2500", "2.0 s · 1,200 tokens · $0.2500"} <= set(words(svg))
    assert "a: fails, failed; ran 2.0 s · 2 attempts; RuntimeError: <b>no</b> tape" in tips(svg)


async def test_what_waits_says_for_what() -> None:
    """A person, here. While nothing happens by itself the picture stays as it is."""
    plan = Plan("one")
    plan.add("one", agent=works, inputs={"seconds": 1}, approval="before")
    async with Orchestrator([works], clock=LoopClock()) as opened:
        run = await opened.submit(plan)
        await run.rest()
        waiting = run.to_svg()
        await anyio.sleep(5)
        assert run.to_svg() == waiting
        outcome = await run.outcome()
        await run.cancel()
    assert "waits for approval" in words(waiting)
    assert words(outcome.to_svg())[0] == "◦ waiting"


async def test_a_fork_says_what_is_the_other_runs() -> None:
    """Kept, or given in its place; only what ran here has a bar."""
    plan = Plan("fork", answer="$c")
    a = plan.add("a", agent=works, inputs={"seconds": 1})
    b = plan.add("b", agent=works, inputs={"seconds": 2})
    plan.add("c", agent=works, inputs={"seconds": a}, needs=[b])
    async with Orchestrator([works], clock=LoopClock()) as opened:
        first = await opened.run(plan)
        events = [event async for event in await opened.attach(first.run_id)]
        await anyio.sleep(100)
        outcome = await opened.fork(first.run_id, at=events[-2].seq, outputs={"a": 3.0})
    said = words(outcome.to_svg())
    assert {"given", "kept", "2 attempts"} <= set(said)
    assert (said.count("a"), said.count("b"), said.count("c")) == (1, 1, 2)


async def test_before_there_is_a_plan_there_is_a_picture() -> None:
    """It says that nothing is there yet."""
    async with Orchestrator([works], model=ScriptedModel(Reply("{}", delay=60)), clock=LoopClock()) as opened:
        run = await opened.submit("Anything")
        await anyio.sleep(1)
        svg = run.to_svg()
        await run.cancel()
    assert words(svg) == ["▸ planning", "0 tasks · 1.0 s", "Anything", "no tasks yet"]


async def test_what_was_called_is_set_in_below() -> None:
    """It has a row, and no box: the plan does not know it."""

    @agent(description="Calls another.")
    async def calls(context: Context) -> float:
        return await context.call("works", seconds=1)

    plan = Plan("calls")
    plan.add("top", agent=calls)
    svg = (await Orchestrator([calls, works]).run(plan)).to_svg()
    assert len(boxes(svg)) == 1
    assert [text for text in words(svg) if text.startswith("top.1.works")] != []
