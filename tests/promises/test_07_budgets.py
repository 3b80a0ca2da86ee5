"""Promise 7: budgets hold, also over what an agent calls.

Held today: model calls are counted when they are made, over the whole run, delegation and planning included; depth,
tasks and seconds are bounded. Reservations of tokens and money in a tree are to follow.
"""

import asyncio
from typing import Any

import anyio
import pytest

from agentorch import Agent, Budget, Context, Orchestrator, Plan, Policy, agent
from agentorch.errors import ConfigurationError, PermanentError, PlanError
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.testing.clock import LoopClock
from agentorch.testing.scripted_model import Reply, ScriptedModel


async def test_three_calls_are_exactly_three() -> None:
    """`max_calls=3` with five tasks that each call once: three calls are made, and the outcome says why not more."""
    model = ScriptedModel(["one", "two", "three", "four", "five"])

    @agent(description="Asks the model once.", needs_model=True)
    async def asking(context: Context) -> str:
        return str(await context.model("say something"))

    plan = Plan("five questions")
    for number in range(5):
        plan.add(f"q{number}", agent=asking)
    policy = Policy(attempts=1, replans=0)
    async with Orchestrator([asking], model=model, planner="rules", policy=policy) as orchestrator:
        outcome = await orchestrator.run(plan, budget=Budget(max_calls=3))

    assert len(model.requests) == 3
    assert outcome.usage.calls == 3
    assert outcome.status is OutcomeStatus.PARTIAL
    assert any("max_calls=3" in problem.message for problem in outcome.problems)


async def test_delegation_is_bounded_by_depth() -> None:
    """An agent that calls itself ends at `max_depth`, with a reason."""
    depths: list[int] = []

    @agent(description="Calls itself.", attempts=1)
    async def deeper(level: int, context: Context) -> int:
        depths.append(level)
        return await context.call("deeper", level=level + 1)

    plan = Plan("fall")
    plan.add("first", agent=deeper, inputs={"level": 0})
    async with Orchestrator([deeper], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(plan, budget=Budget(max_depth=3))

    assert depths == [0, 1, 2, 3]
    assert outcome.status is OutcomeStatus.FAILED
    assert any("max_depth=3" in problem.message for problem in outcome.problems)


@pytest.mark.looptime
async def test_the_wall_time_of_a_run_is_bounded() -> None:
    """`timeout=` ends the run with what is done, and says that the time was up."""

    @agent(description="Sleeps.")
    async def sleeper(seconds: float) -> float:
        await anyio.sleep(seconds)
        return seconds

    plan = Plan("too long")
    plan.add("short", agent=sleeper, inputs={"seconds": 1})
    plan.add("long", agent=sleeper, inputs={"seconds": 1000})
    async with Orchestrator([sleeper], clock=LoopClock()) as orchestrator:
        before = anyio.current_time()
        outcome = await orchestrator.run(plan, timeout=10)
        took = anyio.current_time() - before

    assert round(took, 3) == 10.0
    assert outcome.status is OutcomeStatus.PARTIAL
    assert dict(outcome.outputs) == {"short": 1.0}
    assert any("10 seconds" in problem.message for problem in outcome.problems)


async def test_a_limit_of_money_needs_known_prices() -> None:
    """A model whose price nobody knows is refused under `max_money` before anything is spent: E_BUDGET."""

    class Unpriced(ScriptedModel):
        priced = False

    model = Unpriced(["hello"])
    greeter = Agent("greeter", description="Greets.", prompt="Greet.")
    plan = Plan("greet")
    plan.add("greet", agent=greeter)
    async with Orchestrator([greeter], model=model, planner="rules") as orchestrator:
        with pytest.raises(PlanError, match=r"E_BUDGET.*'scripted' is unknown"):
            await orchestrator.run(plan, budget=Budget(max_money=1.0))
        planned = await orchestrator.run("greet", budget=Budget(max_money=1.0))
        free = await orchestrator.run(plan)

    async with Orchestrator([greeter], model=model) as orchestrator:
        for goal in ("greet", plan):
            with pytest.raises(ConfigurationError, match=r"price of model 'scripted' is unknown.*prices="):
                await orchestrator.run(goal, budget=Budget(max_money=1.0))

    assert planned.status is OutcomeStatus.FAILED
    assert {problem.code for problem in planned.problems} >= {"E_BUDGET"}
    assert (free.answer, len(model.requests)) == ("hello", 1)


async def test_what_outlives_its_task_is_charged_and_then_refused() -> None:
    """A model call that is answered after its task's end is charged to the run; a new one is not made."""
    kept: list[Context] = []
    left_behind: list[asyncio.Task[Any]] = []
    refused: list[str] = []

    @agent(description="Leaves a call behind.")
    async def careless(context: Context) -> str:
        kept.append(context)
        left_behind.append(asyncio.ensure_future(context.model("What?")))
        await asyncio.sleep(0.01)
        return "done"

    @agent(description="Uses the context of another.")
    async def thief(before: str) -> str:
        await left_behind[0]
        try:
            await kept[0].model("And now?")
        except PermanentError as error:
            refused.append(str(error))
        return before

    plan = Plan("steal", answer="second")
    plan.add("first", agent=careless)
    plan.add("second", agent=thief, inputs={"before": "$first"})
    model = ScriptedModel(Reply("late", delay=0.05))
    async with Orchestrator([careless, thief], model=model) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert (outcome.answer, outcome.usage.calls, len(model.requests)) == ("done", 1, 1)
    assert "has ended: its context cannot be used any more" in refused[0]
