"""From what a user gives as `bus=` to a bus."""

from agentorch.bus.memory import MemoryBus
from agentorch.errors import ConfigurationError
from agentorch.ports.bus import Bus


def open_bus(given: str | Bus | None) -> Bus:
    """Return the bus: None or "memory:" is in process; a `Bus` is itself."""
    if given is None or given == "memory:":
        return MemoryBus()
    if isinstance(given, str):
        raise ConfigurationError(f"bus {given!r}: this release has only the in-process bus; leave bus out")
    return given
