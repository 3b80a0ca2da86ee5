"""`agentorch agents`: who is there, what each takes and gives, and whether agent files are right."""

from collections.abc import Sequence

from agentorch.agents import Agent
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.tables import columns
from agentorch.cli.teams import team as load
from agentorch.errors import AgentorchError
from agentorch.loading import LoadedTeam
from agentorch.registry import Registry
from agentorch.registry.agent_words import gives, takes


def list_agents(setup: Setup, *, json: bool) -> int:
    """List the team."""
    screen = Screen()
    team = load(setup.agents, project=setup.project)
    registry = Registry(team.agents)
    if json:
        for agent in registry:
            screen.json(agent.card, indent=None)
    else:
        rows = [[agent.name, _needs(agent), agent.card.description] for agent in registry]
        columns(screen, rows, head=["agent", "needs", "what it does"])
    _warn(screen, team)
    return 0


def show_agent(name: str, setup: Setup, *, json: bool) -> int:
    """Show one agent."""
    screen = Screen()
    team = load(setup.agents, project=setup.project)
    agent = Registry(team.agents)[name]
    if json:
        screen.json(agent.card)
        return 0
    for label, value in _facts(agent):
        if value:
            screen.fact(f"{label:<13} ", value)
    if agent.prompt:
        screen.data("\n" + agent.prompt.strip())
    return 0


def validate_agents(paths: Sequence[str], *, json: bool) -> int:
    """Check agent files and folders, one by one."""
    screen = Screen()
    wrong = 0
    for path in paths:
        try:
            team = load([path])
            names = list(Registry(team.agents).names)
            problem = None if names else f"{path}: there is no agent in it"
        except AgentorchError as error:
            team, names, problem = LoadedTeam(), [], str(error)
        wrong += problem is not None
        if json:
            screen.json({"path": path, "agents": names, "problem": problem, "warnings": team.warnings}, indent=None)
            continue
        if problem is None:
            screen.data(f"{path}: {', '.join(names)}")
        else:
            screen.say(f"agentorch: {problem}")
        _warn(screen, team)
    return 2 if wrong else 0


def _needs(agent: Agent) -> str:
    return "a model" if agent.card.needs_model else ""


def _facts(agent: Agent) -> list[tuple[str, str]]:
    card = agent.card
    policy = card.policy.model_dump(mode="json")
    return [
        ("name", card.name),
        ("description", card.description),
        ("kind", f"{agent.kind}{', needs a model' if card.needs_model else ''}"),
        ("takes", takes(card)),
        ("gives", gives(card)),
        ("models", ", ".join(agent.models)),
        ("tools", ", ".join(tool if isinstance(tool, str) else tool.name for tool in agent.tools)),
        ("capabilities", ", ".join(card.capabilities)),
        ("fallback", ", ".join(card.fallback)),
        ("effects", "" if card.effects == "none" else card.effects),
        ("policy", ", ".join(f"{name}={value}" for name, value in policy.items())),
        ("file", str(agent.source or "")),
        ("version", card.version[:12]),
    ]


def _warn(screen: Screen, team: LoadedTeam) -> None:
    for line in team.warnings:
        screen.say(f"warning: {line}", "yellow")
