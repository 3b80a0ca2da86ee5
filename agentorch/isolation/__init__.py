"""Agents in child processes of their own: what crosses the boundary, and the child's side of it."""

from agentorch.isolation.frames import Fault, fault_of, raised
from agentorch.isolation.guardian import Guardian
from agentorch.isolation.place import Place, place_of
from agentorch.isolation.process import Child

__all__ = ["Child", "Fault", "Guardian", "Place", "fault_of", "place_of", "raised"]
