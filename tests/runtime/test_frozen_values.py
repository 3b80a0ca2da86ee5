"""What an agent does to the values that it is given stays with it: live, after a resume and on a wire."""

import asyncio
from typing import Any

from agentorch import Context, Orchestrator, Plan, Task, agent
from agentorch.bus import MemoryBus
from agentorch.core.state import Request
from agentorch.journal.memory import MemoryJournal

TABLE = {"rows": [[1], [2]], "name": "t"}


@agent(description="Gives a table.")
async def source() -> dict[str, Any]:
    return {"rows": [[1], [2]], "name": "t"}


@agent(description="Changes what it is given, before and after it waits; fails at its first attempt.", attempts=2)
async def careless(table: dict[str, Any], given: dict[str, Any], task: Task, context: Context) -> int:
    table["rows"].append("before")
    given["rows"][0].append("before")
    task.inputs.clear()
    await asyncio.sleep(0.01)
    table["rows"].clear()
    if context.attempt == 1:
        raise ValueError("once more")
    return len(given["rows"][0])


@agent(description="Tells what it sees.")
async def witness(table: dict[str, Any], given: dict[str, Any], after: int) -> list[Any]:
    return [table, given, after]


def plan() -> Plan:
    plan = Plan("look", answer="see")
    plan.add("src", agent=source)
    plan.add("mut", agent=careless, inputs={"table": "$src", "given": "$inputs.table"})
    plan.add("see", agent=witness, inputs={"table": "$src", "given": "$inputs.table", "after": "$mut"})
    return plan


async def test_an_agent_cannot_change_the_values_of_the_run() -> None:
    """The outputs of others and the run's inputs are as they were, for dependents, in the outcome, in the journal."""
    team = [source, careless, witness]
    for bus in (MemoryBus(), MemoryBus(strict=True)):
        async with Orchestrator(team, bus=bus, journal=MemoryJournal()) as orchestrator:
            outcome = await orchestrator.run(plan(), inputs={"table": TABLE})
            again = await orchestrator.resume(outcome.run_id)
        assert outcome.answer == [TABLE, TABLE, 2]
        assert outcome.outputs["src"] == TABLE
        assert again == outcome


async def test_what_a_person_or_a_called_agent_gave_is_the_agents_own() -> None:
    """An answer and a delegated output can be changed by who got them, and nobody else sees it."""

    @agent(description="Changes what it got.")
    async def caller(context: Context) -> list[Any]:
        answer = await context.ask("Which?", type=list[int])
        called = await context.call("source")
        answer.append(3)
        called["rows"].clear()
        return [answer, called]

    async with Orchestrator([source, caller], on_request=one_item) as orchestrator:
        run = await orchestrator.submit(_only(caller))
        outcome = await run.outcome()
        events = [event.model_dump() async for event in run]

    assert outcome.answer == [[1, 3], {"rows": [], "name": "t"}]
    assert [event["value"] for event in events if event["type"] == "RequestAnswered"] == [[1]]
    assert TABLE in [event.get("output") for event in events]


def one_item(request: Request) -> list[int]:
    """Answer with a list of one."""
    return [1]


def _only(caller: Any) -> Plan:
    plan = Plan("ask")
    plan.add("ask", agent=caller)
    return plan
