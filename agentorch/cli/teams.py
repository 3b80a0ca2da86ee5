"""The team as the commands see it: agent files find the tools of a run; a team that cannot work is refused."""

from collections.abc import Sequence
from pathlib import Path

from agentorch.cli.settings import Setup
from agentorch.errors import AgentFileError, ConfigurationError
from agentorch.library import Library, file_tools
from agentorch.loading import BUILTIN, LoadedTeam, load_team


def team(agents: Sequence[str] = (), *, project: Path | None = None) -> LoadedTeam:
    """Return the listed agents, or the project's and the built-in ones."""
    return load_team(agents, project=project, tools=file_tools(Library(())))


def check_team(setup: Setup, *, plans: bool) -> None:
    """ConfigurationError when a path holds no agent, or when it is for this team to plan and no one can be used."""
    if not setup.agents:
        return  # the built-in agents are there
    agents = team(setup.agents, project=setup.project).agents
    for path in setup.agents:
        if not agents or _is_empty(path):
            raise ConfigurationError(f"-a {path}: there is no agent in it")
    if plans and not setup.model and all(agent.card.needs_model and not agent.models for agent in agents):
        names = [_as_listed(agent.name, setup.agents) for agent in agents]
        verb = "needs" if len(names) == 1 else "need"
        raise ConfigurationError(f"{', '.join(names)} {verb} a model: --model NAME or AGENTORCH_MODEL")


def _is_empty(path: str) -> bool:
    """Whether a path brings neither agents nor tools for the others."""
    try:
        found = team([path])
    except AgentFileError:
        return False  # it may need the tools of another path
    return not found.agents and not found.tools


def _as_listed(name: str, listed: Sequence[str]) -> str:
    return f"{BUILTIN}{name}" if f"{BUILTIN}{name}" in listed else name
