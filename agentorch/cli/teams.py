"""The team as the commands that run nothing see it: agent files find the tools that a run would give them."""

from collections.abc import Sequence
from pathlib import Path

from agentorch.library import Library, file_tools
from agentorch.loading import LoadedTeam, load_team


def team(agents: Sequence[str] = (), *, project: Path | None = None) -> LoadedTeam:
    """Return the listed agents, or the project's and the built-in ones."""
    return load_team(agents, project=project, tools=file_tools(Library(())))
