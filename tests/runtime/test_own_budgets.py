"""Tasks with budgets of their own: a model call waits only for calls that may leave more for it."""

import asyncio
from contextlib import suppress

import anyio
import pytest

from agentorch import Agent, Budget, Context, Plan, Policy, agent
from agentorch.testing import MakeOrchestrator, Reply, ScriptedModel

pytestmark = pytest.mark.usefixtures("virtual_clock")


@pytest.mark.parametrize("limit", [None, 100])
async def test_a_task_without_room_of_its_own_stops_no_other(
    make_orchestrator: MakeOrchestrator, limit: int | None
) -> None:
    """It fails at once, and the one that has room does not stand behind it until an unrelated call has ended."""
    slow, quick = (Agent(name, description=name, prompt=name) for name in ("slow", "quick"))
    model = ScriptedModel(lambda request: Reply("ok", delay=1000 if "slow" in str(request) else 1))
    plan = Plan("work", answer="free")
    plan.add("hog", agent=slow, budget=Budget(max_calls=5))
    plan.add("empty", agent=quick, budget=Budget(max_tokens=10))
    plan.add("free", agent=quick, budget=Budget(max_calls=5))
    orchestrator = make_orchestrator(
        [slow, quick], model=model, budget=Budget(max_calls=limit), policy=Policy(replans=0, silence=None, timeout=None)
    )
    async with orchestrator:
        run = await orchestrator.submit(plan)
        await anyio.sleep(10)
        early = {name: str(task.status) for name, task in run._hosted.state.tasks.items()}
        outcome = await run.outcome()

    assert early == {"hog": "running", "empty": "failed", "free": "succeeded"}
    assert (outcome.answer, [problem.task for problem in outcome.problems if problem.is_error]) == ("ok", ["empty"])


@agent(description="Is called, and asks a model.", needs_model=True)
async def leaf(context: Context) -> str:
    said = await context.model("leaf")
    await anyio.sleep(1)
    return said


@agent(description="Asks beside what it has called.", needs_model=True)
async def beside(context: Context) -> list[str]:
    return list(await asyncio.gather(context.call(leaf), context.model("a"), context.model("b")))


@agent(description="Is called, and takes its time.", needs_model=True)
async def slow(context: Context) -> str:
    await anyio.sleep(100)
    return await context.model("slow")


@agent(description="Does not wait for what it has called.", needs_model=True)
async def impatient(context: Context) -> str:
    first = await context.model("a")
    with suppress(TimeoutError):
        await asyncio.wait_for(context.call(slow), 0.5)
    return first + await context.model("b")


@pytest.mark.parametrize("whose", ["run", "task"])
@pytest.mark.parametrize("caller", ["beside", "impatient"])
async def test_a_body_without_room_beside_what_it_has_called_fails(
    make_orchestrator: MakeOrchestrator, caller: str, whose: str
) -> None:
    """It is not begun again and again, nor waits for what its own end gives back; the reason is said."""
    budget, asked = Budget(max_calls=2), list[object]()
    model = ScriptedModel(lambda request: asked.append(request) or Reply("x", delay=0.1))
    plan = Plan("work")
    plan.add("work", agent=caller, budget=budget if whose == "task" else None)
    async with make_orchestrator(
        [leaf, beside, slow, impatient],
        model=model,
        budget=budget if whose == "run" else None,
        policy=Policy(replans=0),
    ) as orchestrator:
        run = await orchestrator.submit(plan)
        outcome = await asyncio.wait_for(run.outcome(), 1000)
        events = [event async for event in run]

    assert (outcome.status, outcome.problems[-1].code) == ("failed", "budget")
    assert "set aside for others" in outcome.problems[-1].message
    assert len(asked) <= 2
    assert sum(event.type == "TaskStarted" and event.task == "work" for event in events) == 1
