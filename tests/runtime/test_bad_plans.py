"""A planner that returns rubbish: repaired, or the rules take over, with events that say so. Never a traceback."""

import json
from typing import Any

import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.events import PlanCompleted, PlanNoted, PlanRejected
from agentorch.ports.planner import Offer, PlanReport, PlanRequest
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.testing.scripted_model import ScriptedModel


@agent(description="Finds facts about a topic.")
async def researcher(topic: str) -> list[str]:
    return [f"{topic} carry envelopes."]


@agent(description="Writes a short poem from facts.")
async def poet(facts: list[str]) -> str:
    return "Ode: " + " ".join(facts)


def plan(*tasks: dict[str, Any]) -> str:
    """Return a plan as a model writes it."""
    return json.dumps({"tasks": tasks})


GOOD = (
    {"id": "facts", "agent": "researcher", "objective": "", "inputs": {"topic": "buses"}},
    {"id": "poem", "agent": "poet", "objective": "", "inputs": {"facts": "$facts"}},
)
CYCLE = (
    {"id": "a", "agent": "poet", "objective": "", "inputs": {"facts": ["x"]}, "needs": ["b"]},
    {"id": "b", "agent": "poet", "objective": "", "inputs": {"facts": ["x"]}, "needs": ["a"]},
)
MANY = [{"id": f"t{n}", "agent": "researcher", "objective": "", "inputs": {"topic": "x"}} for n in range(10_000)]

CASES = {
    "fenced": (["Sure! Here it is:\n```json\n" + plan(*GOOD) + "\n```\nGood luck."], "model"),
    "prose, then a plan": (["I would ask the researcher, then the poet.", plan(*GOOD)], "model"),
    "prose for ever": (["I would ask the researcher, then the poet."] * 9, "rules"),
    "truncated, then whole": ([plan(*GOOD)[:-40], plan(*GOOD)], "model"),
    "unknown agent": ([plan({"id": "a", "agent": "quantum", "objective": "", "inputs": {}})] * 9, "rules"),
    "near miss": ([plan({**GOOD[0], "agent": "Researcher"}, {**GOOD[1], "agent": "poets"})], "model"),
    "a cycle": ([plan(*CYCLE)] * 9, "rules"),
    "an empty plan": ([plan()] * 9, "rules"),
    "nothing": ([""] * 9, "rules"),
    "ten thousand tasks": ([plan(*MANY)] * 9, None),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_bad_plan_is_repaired_or_replaced(name: str) -> None:
    """Whatever the planner writes, the run ends with an answer, and the events say how it came to its plan."""
    replies, source = CASES[name]
    model = ScriptedModel(replies)
    async with Orchestrator([researcher, poet], model=model) as orchestrator:
        run = await orchestrator.submit("An ode to message buses")
        events = [event async for event in run]
        outcome = await run.outcome()

    assert outcome.status in {OutcomeStatus.SUCCEEDED, OutcomeStatus.PARTIAL}
    assert outcome.answer is not None
    completed = [event.source for event in events if isinstance(event, PlanCompleted)]
    if source is not None:
        assert completed[0] == source
    told = [event for event in events if isinstance(event, PlanRejected | PlanNoted)]
    assert told or name == "fenced"
    assert len(model.requests) <= 4


class Crashing:
    """A planner with a bug of its own."""

    name = "crashing"

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        raise KeyError("tasks")

    async def patch(self, request: PlanRequest) -> PlanReport:
        raise RuntimeError("no patch")


async def test_a_planner_that_crashes_does_not_hang_the_run() -> None:
    """Whatever a planner raises is a rejected plan: the rules take over, for the plan and for a patch."""

    @agent(description="Writes a short poem from facts, but cannot.")
    async def mute(facts: list[str]) -> str:
        raise RuntimeError("nothing comes to mind")

    async with Orchestrator([researcher, poet], planner=Crashing()) as orchestrator:
        planned = await orchestrator.run("An ode to message buses")
    hand_made = Plan("An ode")
    facts = hand_made.add("facts", agent=researcher, inputs={"topic": "buses"})
    hand_made.add("poem", agent=mute, inputs={"facts": facts})
    async with Orchestrator([researcher, poet, mute], planner=Crashing()) as orchestrator:
        patched = await orchestrator.run(hand_made)

    assert planned.status is OutcomeStatus.SUCCEEDED
    assert (patched.status, patched.answer) == (OutcomeStatus.SUCCEEDED, "Ode: buses carry envelopes.")
