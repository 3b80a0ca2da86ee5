"""What the function of a step calls is inside the step: read back with it, and nobody else's."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import anyio.from_thread
import pytest

from agentorch import Agent, Context, Orchestrator, Outcome, Plan, Policy, agent, tool
from agentorch.errors import TransientError
from agentorch.testing import ScriptedModel

paid: list[str] = []


@tool(effect="once")
async def pay(amount: int, context: Context) -> str:
    """Pay."""
    paid.append(context.idempotency_key)
    return f"payment {len(paid)} of {amount}"


@agent(description="Pays.", tools=[pay])
async def payer(amount: int, context: Context) -> str:
    return str(await context.tool(pay, amount=amount))


def at_once(context: Context) -> Callable[[], Any]:
    return lambda: context.tool(pay, amount=5)


def in_a_thread(context: Context) -> Callable[[], Any]:
    return lambda: anyio.from_thread.run(partial(context.tool, pay, amount=5))


def in_another_step(context: Context) -> Callable[[], Any]:
    return lambda: context.step("inner", at_once(context))


def from_within(context: Context) -> Callable[[], Any]:
    @tool
    async def outer(own: Context) -> str:
        """Pay in a step of the tool, through the context of the body."""
        return str(await own.step("deep", at_once(context)))

    return lambda: context.tool(outer)


def by_delegation(context: Context) -> Callable[[], Any]:
    return lambda: context.call(payer, amount=5)


def by_delegation_of_a_tool(context: Context) -> Callable[[], Any]:
    @tool
    async def outer(own: Context) -> str:
        """Have another agent pay."""
        return str(await own.call(payer, amount=5))

    return lambda: context.tool(outer)


def through_a_tool(context: Context) -> Callable[[], Any]:
    @tool
    async def outer(context: Context) -> str:
        """Pay through another tool."""
        return str(await context.tool(pay, amount=5))

    return lambda: context.tool(outer)


async def outcome_of(*team: Agent, policy: Policy | None = None) -> Outcome:
    """Return what came of a plan of one task, for the first of them."""
    plan = Plan("work")
    plan.add("work", agent=team[0])
    async with Orchestrator(team) as orchestrator:
        return await orchestrator.run(plan, policy=policy)


@pytest.mark.parametrize(
    "pays",
    [at_once, in_a_thread, in_another_step, through_a_tool, from_within, by_delegation, by_delegation_of_a_tool],
)
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
        second = await (by_delegation(context)() if "delegation" in pays.__name__ else context.tool(pay, amount=5))
        cut_off(3)
        return [first, second]

    outcome = await outcome_of(paying, payer)

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


@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize("done", [0, 1, 2])
async def test_equal_calls_in_steps_of_one_name_are_as_many_as_the_steps(side_by_side: bool, done: int) -> None:
    """A step for each of three, all with the same call: those that are done when it is cut off, and the rest."""
    paid.clear()
    begun = [0]

    @agent(description="Pays for three.", tools=[pay])
    async def paying(context: Context) -> list[str]:
        begun[0] += 1

        async def one(number: int) -> str:
            late = begun[0] == 1 and number >= done
            if late and side_by_side:
                await anyio.sleep(0.05)
            if late:
                raise TransientError("busy", retry_after=0.01)
            return str(await context.tool(pay, amount=5))

        order = range(3) if begun[0] == 1 else reversed(range(3))
        steps = [partial(context.step, "pay", one, number) for number in order]
        if side_by_side:
            return sorted(await asyncio.gather(*(step() for step in steps)))
        return sorted([await step() for step in steps])

    outcome = await outcome_of(paying)

    assert outcome.answer == [f"payment {number} of 5" for number in (1, 2, 3)]
    assert len(set(paid)) == len(paid) == 3


@pytest.mark.parametrize("effect", ["idempotent", "once"])
async def test_the_arguments_of_a_step_say_nothing_of_the_calls_inside(effect: Any) -> None:
    """A later attempt makes the step with other words, and the same calls in it: the keys are the same."""
    keys: list[str] = []
    drafts = iter(["draft", "a better draft"])

    @tool(effect=effect)
    async def send(to: str, context: Context) -> str:
        """Send."""
        keys.append(context.idempotency_key)
        return f"sent to {to}"

    @agent(description="Sells.", tools=[send])
    async def seller(context: Context) -> str:
        async def sell(draft: str) -> str:
            await context.tool(send, to="ann")
            return draft

        draft = next(drafts)
        sold = await context.step("sell", sell, draft)
        if draft != "draft":
            await context.tool(send, to="bob")
        return sold

    @seller.check
    def better(output: str) -> str | None:
        return None if "better" in output else "make it better"

    outcome = await outcome_of(seller, policy=Policy(replans=0, repairs=0))

    assert (outcome.answer, len(set(keys))) == ("a better draft", 2)
    assert len(keys) == (2 if effect == "once" else 3)


@pytest.mark.parametrize("how", ["fails", "is cancelled", "gives what cannot be kept"])
@pytest.mark.parametrize("what", ["step", "tool"])
async def test_a_step_that_is_made_again_makes_the_same_calls(how: str, what: str) -> None:
    """In the same dispatch: what has happened inside is not repeated, and the model not asked again."""
    paid.clear()
    asked: list[object] = []
    tries = [0]

    async def work(context: Context) -> Any:
        tries[0] += 1
        said = await context.model("Well?")
        result = await context.tool(pay, amount=5) + await context.call(payer, amount=6)
        if tries[0] == 1 and how == "fails":
            raise ValueError("no")
        if tries[0] == 1 and how == "is cancelled":
            await anyio.sleep(1000)
        if tries[0] == 1:
            return 10**5000
        return f"{said}, {result}"

    @tool
    async def outer(context: Context) -> Any:
        """Do it all."""
        return await work(context)

    @agent(description="Tries twice.", tools=[outer], needs_model=True)
    async def trying(context: Context) -> str:
        for _ in range(2):
            with suppress(Exception):
                made = context.step("work", lambda: work(context)) if what == "step" else context.tool(outer)
                return str(await asyncio.wait_for(made, 0.5))
        raise AssertionError("both failed")

    plan = Plan("work")
    plan.add("work", agent=trying)
    model = ScriptedModel(lambda request: asked.append(request) or "yes")
    async with Orchestrator([trying, payer], model=model) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.answer == "yes, payment 1 of 5payment 2 of 6"
    assert (len(asked), len(paid)) == (1, 2)


async def test_a_step_that_is_made_again_uses_up_no_number() -> None:
    """The next one of its name makes the second such call, as it would have without the failure."""
    keys: list[str] = []
    failed: list[int] = []

    @tool(effect="idempotent")
    async def send(context: Context) -> str:
        """Send."""
        keys.append(context.idempotency_key[-2:])
        return "sent"

    @agent(description="Sends.", tools=[send])
    async def sending(context: Context) -> str:
        async def one(number: int) -> str:
            await context.tool(send)
            if not failed:
                failed.append(number)
                raise ValueError("no")
            return "done"

        for number in (1, 1, 2):
            with suppress(Exception):
                await context.step("one", one, number)
        return "done"

    outcome = await outcome_of(sending)

    assert (outcome.answer, keys) == ("done", ["-1", "-2"])
