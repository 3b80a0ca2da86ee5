"""What the function of a step calls is inside the step: read back with it, and nobody else's."""

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio.from_thread
import pytest

from agentorch import Context, Orchestrator, Plan, agent, tool
from agentorch.errors import TransientError
from agentorch.testing import ScriptedModel

paid: list[str] = []


@tool(effect="once")
async def pay(amount: int, context: Context) -> str:
    """Pay."""
    paid.append(context.idempotency_key)
    return f"payment {len(paid)} of {amount}"


def at_once(context: Context) -> Callable[[], Any]:
    return lambda: context.tool(pay, amount=5)


def in_a_thread(context: Context) -> Callable[[], Any]:
    return lambda: anyio.from_thread.run(partial(context.tool, pay, amount=5))


def in_another_step(context: Context) -> Callable[[], Any]:
    return lambda: context.step("inner", at_once(context))


def through_a_tool(context: Context) -> Callable[[], Any]:
    @tool
    async def outer(context: Context) -> str:
        """Pay through another tool."""
        return str(await context.tool(pay, amount=5))

    return lambda: context.tool(outer)


@pytest.mark.parametrize("pays", [at_once, in_a_thread, in_another_step, through_a_tool])
@pytest.mark.parametrize("fails", [(), (1,), (2,), (1, 2, 3)])
async def test_a_step_that_is_read_back_takes_no_call_along(
    pays: Callable[[Context], Callable[[], Any]], fails: tuple[int, ...]
) -> None:
    """Two equal payments, one of them in a step: both are made, once, wherever the attempt was cut off."""
    paid.clear()
    failures = set(fails)

    def cut_off(place: int) -> None:
        if place in failures:
            failures.discard(place)
            raise TransientError("busy", retry_after=0.01)

    @agent(description="Pays in a step, and beside it.", tools=[pay])
    async def paying(context: Context) -> list[str]:
        async def outer() -> str:
            result = str(await context.step("inside", pays(context)))
            cut_off(1)
            return result

        first = await context.step("first", outer)
        cut_off(2)
        second = await context.tool(pay, amount=5)
        cut_off(3)
        return [first, second]

    plan = Plan("pay")
    plan.add("pay", agent=paying)
    async with Orchestrator([paying]) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.answer == ["payment 1 of 5", "payment 2 of 5"]
    assert len(set(paid)) == len(paid) == 2


async def test_a_step_has_a_key_of_its_own_and_its_model_calls_are_its_own() -> None:
    """The key names the step; an equal question that the body asks after it is another call."""
    keys: list[str] = []
    cut = [True]

    @agent(description="Asks in a step, and beside it.", needs_model=True)
    async def asking(context: Context) -> list[str]:
        async def ask() -> str:
            keys.append(context.idempotency_key)
            return await context.model("Well?")

        first = await context.step("ask", ask)
        keys.append(context.idempotency_key)
        if cut.pop() if cut else False:
            raise TransientError("busy", retry_after=0.01)
        return [first, await context.model("Well?")]

    answers = iter("abc")
    plan = Plan("ask")
    plan.add("ask", agent=asking)
    async with Orchestrator([asking], model=ScriptedModel(lambda _: next(answers))) as orchestrator:
        outcome = await orchestrator.run(plan)

    inside, body, again = keys
    assert (outcome.answer, body, again) == (["a", "b"], f"{outcome.run_id}/ask", body)
    assert inside.startswith(f"{body}/")
