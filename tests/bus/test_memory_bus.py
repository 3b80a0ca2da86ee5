"""The memory bus keeps the promises of the port, also when every envelope is encoded."""

import pytest

from agentorch.bus import MemoryBus, open_bus
from agentorch.errors import BusError, ConfigurationError
from agentorch.messages.envelope import decode
from agentorch.ports.bus import Bus
from agentorch.testing.bus_conformance import BusConformance


class TestMemoryBus(BusConformance):
    """Objects handed over as they are."""

    def make_bus(self, *, capacity: int) -> Bus:
        return MemoryBus(capacity=capacity)


class TestStrictMemoryBus(BusConformance):
    """Every envelope encoded and decoded."""

    def make_bus(self, *, capacity: int) -> Bus:
        return MemoryBus(capacity=capacity, strict=True)


def test_a_url_of_an_unknown_bus_is_refused_in_one_line() -> None:
    """`bus="nats://..."` says what this release has."""
    with pytest.raises(ConfigurationError, match="only the in-process bus"):
        open_bus("nats://127.0.0.1:4222")


def test_an_envelope_of_another_kind_is_refused() -> None:
    """Decoding names the type that it does not know."""
    with pytest.raises(BusError, match="'Gossip'"):
        decode(b'{"type": "Gossip"}')
