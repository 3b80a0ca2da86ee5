"""Plans made by hand."""

from agentorch.plans.plan import Plan

__all__ = ["Plan"]
