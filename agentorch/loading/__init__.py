"""Loads agents from code, files, folders, projects, and what is built in."""

from agentorch.loading.project import find_project, is_project
from agentorch.loading.team import LoadedTeam, builtin_names, load_agents, load_team

__all__ = ["LoadedTeam", "builtin_names", "find_project", "is_project", "load_agents", "load_team"]
