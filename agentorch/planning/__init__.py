"""Planners: a goal and a team's cards become tasks."""
