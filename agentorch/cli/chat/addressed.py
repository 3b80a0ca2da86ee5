"""A message to one agent: a plan with one task, made without a model."""

from collections.abc import Mapping
from typing import Any

from agentorch.agents import Agent
from agentorch.errors import ConfigurationError
from agentorch.planning import RulePlanner
from agentorch.planning.fanning import OBJECTIVE
from agentorch.plans import Plan
from agentorch.ports.planner import CONVERSATION, PlanRequest


async def plan_for(agent: Agent, text: str, inputs: Mapping[str, Any], *, has_model: bool) -> Plan:
    """Return the plan by which `agent` alone answers `text`; raise in one line when it cannot.

    Its parameters are filled from what was said, as the rule planner does it. One that takes any inputs, as a prompt
    without declared ones does, gets what was said as its objective, and the conversation.
    """
    card = agent.card
    if card.needs_model and not has_model and not agent.models:
        raise ConfigurationError(f"@{card.name} needs a model: /model NAME sets one")
    if card.input.get("additionalProperties", True) and not card.input.get("properties"):
        plan = Plan(text)
        given = {CONVERSATION: f"$inputs.{CONVERSATION}"} if CONVERSATION in inputs else {}
        plan.add(card.name, agent=card.name, objective=OBJECTIVE, inputs=given)
        return plan
    report = await RulePlanner().plan(PlanRequest(text, (card,), inputs))
    return Plan.from_graph(report.graph, text)
