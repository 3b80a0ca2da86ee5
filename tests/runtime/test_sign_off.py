"""A person signs a plan off before it runs, agrees to tools, and answers from another process; all of it durable."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.agents import FunctionAgent
from agentorch.errors import ConfigurationError, PermanentError
from agentorch.runtime.outcome import OutcomeStatus

SIGNED = Policy(approval="plan")


class Team:
    """Two agents that note what they do."""

    def __init__(self) -> None:
        self.done: list[str] = []
        team = self

        @agent(description="Brings facts about a goal.")
        async def bringing(goal: str) -> str:
            team.done.append(f"bring {goal}")
            return f"facts on {goal}"

        @agent(description="Writes.")
        async def writing(text: str) -> str:
            team.done.append(f"write {text}")
            return text.upper()

        self.agents: list[FunctionAgent[..., Any]] = [bringing, writing]

    def plan(self) -> Plan:
        """Return both in a row."""
        plan = Plan("bees")
        facts = plan.add("facts", agent="bringing", inputs={"goal": "$goal"})
        plan.add("poem", agent="writing", inputs={"text": facts.ref})
        return plan


@pytest.mark.parametrize("goal", [True, False], ids=["planned", "hand-made"])
async def test_nothing_runs_until_the_plan_is_signed(goal: bool) -> None:
    """The run waits with its whole plan; agreeing starts it."""
    team = Team()
    async with Orchestrator(team.agents, policy=SIGNED) as orchestrator:
        run = await orchestrator.submit("bees" if goal else team.plan())
        waiting = await run.outcome()
        before = list(team.done)
        (request,) = run.waiting
        await run.answer(request.request_id, True, by="ann")
        outcome = await run.outcome()

    assert (waiting.status, before, request.kind) == (OutcomeStatus.WAITING, [], "plan")
    assert len(waiting.plan.tasks) >= 1
    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert team.done


async def test_a_plan_that_is_refused_cancels_the_run() -> None:
    """Nothing has run; the outcome says who refused."""
    team = Team()
    async with Orchestrator(team.agents, policy=SIGNED) as orchestrator:
        run = await orchestrator.submit(team.plan())
        await run.outcome()
        await run.answer("plan", False, by="ann")
        outcome = await run.outcome()

    assert (outcome.status, team.done) == (OutcomeStatus.CANCELLED, [])


async def test_a_plan_can_be_edited_before_it_runs() -> None:
    """A task less and another input: what runs is what was handed back."""
    team = Team()
    edited = Plan("bees")
    edited.add("poem", agent="writing", inputs={"text": "by hand"})
    async with Orchestrator(team.agents, policy=SIGNED) as orchestrator:
        run = await orchestrator.submit(team.plan())
        await run.outcome()
        await run.answer("plan", edited, by="ann")
        outcome = await run.outcome()

    assert (outcome.answer, team.done) == ("BY HAND", ["write by hand"])


async def test_the_same_plan_handed_back_is_agreement() -> None:
    """Reading the plan out and in again changes nothing."""
    team = Team()
    async with Orchestrator(team.agents, policy=SIGNED) as orchestrator:
        run = await orchestrator.submit(team.plan())
        waiting = await run.outcome()
        await run.answer("plan", waiting.plan, by="ann")
        outcome = await run.outcome()

    assert outcome.answer == "FACTS ON BEES"


async def test_an_edited_plan_with_errors_is_refused_in_words_and_asked_for_again() -> None:
    """The request stays open; nothing of the bad plan is written down."""
    team = Team()
    bad = Plan("bees")
    bad.add("poem", agent="writer", inputs={"text": "by hand"})
    async with Orchestrator(team.agents, policy=SIGNED) as orchestrator:
        run = await orchestrator.submit(team.plan())
        await run.outcome()
        with pytest.raises(ConfigurationError, match=r"the edited plan has errors: E_UNKNOWN_AGENT.*writer"):
            await run.answer("plan", bad, by="ann")
        await run.answer("plan", True, by="ann")
        outcome = await run.outcome()

    assert outcome.status is OutcomeStatus.SUCCEEDED


async def test_a_signature_waits_over_a_restart(tmp_path: Path) -> None:
    """Process one asks and goes; an answer is left in the inbox; process two goes on with it."""
    team = Team()
    async with Orchestrator(team.agents, journal=tmp_path / "runs.db", policy=SIGNED) as first:
        run = await first.submit(team.plan())
        await run.outcome()
    async with Orchestrator(team.agents, journal=tmp_path / "runs.db") as reader:
        await (await reader.attach(run.id)).answer("plan", True, by="ann")
    async with Orchestrator(team.agents, journal=tmp_path / "runs.db") as second:
        outcome = await second.resume(run.id)

    assert outcome.answer == "FACTS ON BEES"


async def test_a_tool_waits_for_approval_and_the_rest_goes_on(tmp_path: Path) -> None:
    """`@tool(approval=True)`: the call waits, another branch does not; the answer may come after a restart."""
    used: list[int] = []
    other = asyncio.Event()

    @tool(approval=True)
    async def order(number: int) -> str:
        """Order."""
        used.append(number)
        return f"ordered {number}"

    @agent(description="Orders.", tools=[order])
    async def ordering(number: int, context: Context) -> str:
        try:
            return str(await context.tool(order, number=number))
        except PermanentError as error:
            return str(error)

    @agent(description="Does other things.")
    async def busy() -> str:
        other.set()
        return "done"

    @agent(description="Joins.")
    async def joining(parts: list[str]) -> str:
        return ", ".join(parts)

    plan = Plan("order")
    plan.add("a", agent=ordering, inputs={"number": 1})
    plan.add("b", agent=ordering, inputs={"number": 2})
    plan.add("c", agent=busy)
    plan.add("all", agent=joining, inputs={"parts": ["$a", "$b", "$c"]})
    team = [ordering, busy, joining]
    async with Orchestrator(team, journal=tmp_path / "runs.db") as first:
        run = await first.submit(plan)
        waiting = await run.outcome()
        ids = {request.task: request.request_id for request in run.waiting}
        await run.answer(ids["b"], False, by="ann")
        refused = await run.outcome()
    async with Orchestrator(team, journal=tmp_path / "runs.db") as second:
        again = await second.take_up(run.id)
        await again.outcome()
        (request,) = again.waiting
        await again.answer(request.request_id, True, by="ann")
        outcome = await again.outcome()

    assert (waiting.status, other.is_set()) == (OutcomeStatus.WAITING, True)
    assert "b" in refused.outputs, "it went on before the other was answered"
    assert request.request_id == ids["a"]
    assert used == [1]
    assert outcome.answer == "ordered 1, tool 'order': a person did not approve the call, done"
