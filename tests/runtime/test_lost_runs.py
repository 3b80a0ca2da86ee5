"""A run that cannot go on is lost in words: whoever waits for it hears of it, and no other run is taken along."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, Policy, across, agent
from agentorch.core.usage import Budget
from agentorch.errors import AgentorchError, PermanentError, PlanError, TransientError
from agentorch.ports.planner import Offer, PlanReport, PlanRequest
from agentorch.runtime.run import Run

pytestmark = pytest.mark.timeout(20)


class Ruin:
    """Breaks the state of a run, as a mistake in the core might do, so that no more can be decided on it."""

    run: Run | None = None
    catalog = False
    """Whether only what a start looks up is broken, and not the tasks."""

    def __call__(self) -> None:
        """Break it now."""
        assert self.run is not None
        state: Any = self.run._hosted.state  # pyright: ignore[reportPrivateUsage]
        if self.catalog:
            state.catalog = {}
        else:
            state.tasks = dict.fromkeys(state.tasks, "ruined")


def _checked(ruin: Ruin) -> dict[str, Any]:
    @agent(description="Greets.")
    async def greeter() -> str:
        return "hello"

    @across("greeter")
    async def kind(said: str) -> str:
        ruin()
        return "it is unkind"

    return {"agents": [greeter], "validators": [kind]}


def _patched(ruin: Ruin) -> dict[str, Any]:
    @agent(description="Fails.")
    async def greeter() -> str:
        raise PermanentError("no")

    class Patcher:
        name = "patcher"

        async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
            raise PlanError("no plan")

        async def patch(self, request: PlanRequest) -> PlanReport:
            ruin()
            raise PlanError("no patch")

    return {"agents": [greeter], "planner": Patcher()}


def _asking(ruin: Ruin) -> dict[str, Any]:
    @agent(description="Asks.")
    async def greeter(context: Context) -> str:
        return await context.ask("What is your name?")

    async def answer(request: object) -> str:
        await asyncio.sleep(0.02)
        ruin()
        return "Ann"

    return {"agents": [greeter], "on_request": answer}


def _retrying(ruin: Ruin) -> dict[str, Any]:
    @agent(description="Fails for now.")
    async def greeter() -> str:
        asyncio.get_running_loop().call_later(0.02, ruin)
        raise TransientError("later", retry_after=0.05)

    return {"agents": [greeter]}


def _hurried(ruin: Ruin) -> dict[str, Any]:
    @agent(description="Takes long.")
    async def greeter() -> str:
        ruin()
        await asyncio.Event().wait()
        return "hello"

    return {"agents": [greeter], "budget": Budget(max_seconds=0.05)}


def greeting() -> Plan:
    plan = Plan("greet")
    plan.add("greeting", agent="greeter")
    return plan


@pytest.mark.parametrize("place", [_checked, _patched, _asking, _retrying, _hurried])
async def test_an_error_that_nobody_else_would_hear_of_ends_the_wait(place: Callable[[Ruin], dict[str, Any]]):
    """Of a check's verdict, a planner's end, an answer, a timer, a time limit: the run is lost with it."""
    ruin = Ruin()
    options = place(ruin)
    async with Orchestrator(options.pop("agents"), policy=Policy(attempts=1), **options) as orchestrator:
        ruin.run = await orchestrator.submit(greeting())
        with pytest.raises(AgentorchError, match=r"cannot go on: \w+Error: "):
            await asyncio.wait_for(ruin.run.outcome(), 5)


@pytest.mark.parametrize("catalog", [False, True])
async def test_an_error_in_one_run_is_none_of_another(catalog: bool):
    """One run's end makes room for a task of another that cannot be ranked, or started: only that other one is lost."""
    go = asyncio.Event()

    @agent(description="Greets.")
    async def greeter() -> str:
        await go.wait()
        return "hello"

    ruin = Ruin()
    ruin.catalog = catalog
    async with Orchestrator([greeter], policy=Policy(parallel=1)) as orchestrator:
        first = await orchestrator.submit(greeting())
        ruin.run = await orchestrator.submit(greeting())
        third = await orchestrator.submit(greeting())
        ruin()
        go.set()
        with pytest.raises(AgentorchError, match=r"cannot go on: \w+Error: "):
            await asyncio.wait_for(ruin.run.outcome(), 5)
        outcomes = [await asyncio.wait_for(run.outcome(), 5) for run in (first, third)]
    assert [outcome.status for outcome in outcomes] == ["succeeded", "succeeded"]
