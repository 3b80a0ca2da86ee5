"""Buses: the memory bus, and `open_bus` for the others."""

from agentorch.bus.memory import MemoryBus
from agentorch.bus.opening import open_bus

__all__ = ["MemoryBus", "open_bus"]
