"""Loads agents from code, files, folders, projects, and what is built in."""

from agentorch.loading.project import find_project, is_project
from agentorch.loading.team import BUILTIN, LoadedTeam, builtin_names, load_agents, load_team

__all__ = ["BUILTIN", "LoadedTeam", "builtin_names", "find_project", "is_project", "load_agents", "load_team"]
