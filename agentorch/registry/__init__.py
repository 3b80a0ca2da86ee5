"""Agents by name."""

from agentorch.registry.registry import Registry

__all__ = ["Registry"]
