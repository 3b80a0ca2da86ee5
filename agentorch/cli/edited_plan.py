"""A plan that a person has edited, held to the run before it is left for the run's owner."""

from collections.abc import Mapping, Sequence
from typing import Any

from agentorch.cli.given import Given
from agentorch.cli.settings import Setup
from agentorch.cli.teams import team
from agentorch.core.card import AgentCard
from agentorch.core.failures import Problem
from agentorch.core.signing import edit_of
from agentorch.core.state import ANSWERER, RunState
from agentorch.errors import AgentorchError
from agentorch.plans import Plan
from agentorch.ports.journal import RunRecord
from agentorch.registry import Registry


def problems_of_edit(state: RunState, record: RunRecord, edited: dict[str, Any], setup: Setup) -> Sequence[Problem]:
    """Return why the run would refuse the plan: with its team where that can be loaded, else by its agents' names.

    What only its owner can tell, such as the prices of models, is left to that.
    """
    graph = Plan.from_dict(edited).graph()
    names = {name for name in state.cards if ":" not in name} or {task.agent for task in graph.tasks}
    names |= {task.agent for task in state.tasks.values()}
    state.catalog = _team_of(record, setup) or {name: AgentCard(name=name) for name in names}
    state.catalog = {ANSWERER: AgentCard(name=ANSWERER), **state.catalog}
    _, problems = edit_of(state, graph)
    return problems


def _team_of(record: RunRecord, setup: Setup) -> Mapping[str, AgentCard]:
    """Return the cards of the team that the run was given; none when they cannot be told from here."""
    given = Given.kept(record.tags)
    if given is None:
        return {}
    try:
        whole, _ = given.complete(setup)
        return Registry(team(whole.agents, project=whole.project).agents).cards
    except AgentorchError:
        return {}
