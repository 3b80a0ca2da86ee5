"""Planners: a goal and a team's cards become tasks."""

from agentorch.planning.model_planner import ModelPlanner, PlanningFailed
from agentorch.planning.rule_planner import RulePlanner

__all__ = ["ModelPlanner", "PlanningFailed", "RulePlanner"]
