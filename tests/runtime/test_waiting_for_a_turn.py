"""What a run shows of calls that wait for their turn at the model, and who goes first, in virtual time."""

import asyncio
from typing import Any, Literal

import pytest

from agentorch import Agent, Plan, Policy
from agentorch.events import TaskReported
from agentorch.models import GovernedModel, Governor, Limits
from agentorch.runtime.services import WAITS
from agentorch.testing import FakeOpenAI, MakeOrchestrator, Say

pytestmark = pytest.mark.usefixtures("virtual_clock")

GREETER = Agent("greeter", description="Greets.", prompt="Greet whoever is named.")
NAMES = ("ann", "bob", "cid", "xan", "yan")


def greetings(*names: str) -> Plan:
    """Return a plan of independent greetings."""
    plan = Plan("greet", answer=f"${names[0]}")
    for name in names:
        plan.add(name, agent=GREETER, inputs={"name": name})
    return plan


def name_in(body: dict[str, Any]) -> str:
    """Return who is greeted by a request."""
    said = " ".join(message["content"] for message in body["messages"])
    return next(name for name in NAMES if name in said)


async def test_a_long_wait_is_seen_and_is_not_the_tasks_time(make_orchestrator: MakeOrchestrator) -> None:
    """Three calls of 8 s pass one by one: no task times out after 9 s, and the one that waited long says so, once."""
    async with FakeOpenAI(otherwise=Say("hello", delay=8)) as server:
        governor = Governor(server.base_url, Limits(concurrency=1))
        model = GovernedModel(server.model(traffic=governor), governor)
        policy = Policy(timeout=9)
        async with make_orchestrator([GREETER], model=model, policy=policy) as orchestrator:
            run = await orchestrator.submit(greetings("ann", "bob", "cid"))
            events = [event async for event in run]
            outcome = await run.outcome()

    reports = [event for event in events if isinstance(event, TaskReported)]
    assert outcome.outputs == {"ann": "hello", "bob": "hello", "cid": "hello"}
    assert [(event.task, event.text) for event in reports] == [("cid", WAITS)]
    assert reports[0].at - events[0].at == pytest.approx(10, abs=0.1)


async def test_interactive_runs_call_before_batch_runs(make_orchestrator: MakeOrchestrator) -> None:
    """Both runs have tasks in their slots; the calls of the interactive one go ahead of those that wait."""
    async with FakeOpenAI(otherwise=Say("hello", delay=5)) as server:
        governor = Governor(server.base_url, Limits(concurrency=1))
        model = GovernedModel(server.model(traffic=governor), governor)
        async with make_orchestrator([GREETER], model=model, policy=Policy()) as orchestrator:

            async def run(plan: Plan, priority: Literal["interactive", "batch"]) -> None:
                (await orchestrator.run(plan, priority=priority)).raise_for_problems()

            batch = asyncio.create_task(run(greetings("ann", "bob", "cid"), "batch"))
            await asyncio.sleep(1)
            await run(greetings("xan", "yan"), "interactive")
            await batch

    assert [name_in(body) for body in server.requests] == ["ann", "xan", "yan", "bob", "cid"]
