"""The memory bus keeps the promises of the port, also when every envelope is encoded."""

import pytest

from agentorch.bus import MemoryBus, open_bus
from agentorch.core.task import Task
from agentorch.errors import BusError, ConfigurationError
from agentorch.messages.envelope import Envelope, decode, encode
from agentorch.messages.work import Result, Terms, Work
from agentorch.ports.bus import Bus
from agentorch.testing.bus_conformance import BusConformance, Taker, result


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


async def test_what_cannot_cross_a_wire_keeps_nothing_else_back() -> None:
    """Of several, those before it are taken; it is said what is wrong with it when it is the first."""
    bus, taker = MemoryBus(strict=True), Taker()
    await bus.open()
    bus.subscribe(["outcome.me"], taker, accept_all=taker.all)
    broken = Envelope("outcome.me", Result("key", output=object()), id="broken")

    assert bus.offer_all([result(0), broken, result(1)]) == 1
    with pytest.raises(BusError):
        bus.offer_all([broken, result(1)])
    assert taker.ids == ["id-0"]


def test_an_envelope_of_another_kind_is_refused() -> None:
    """Decoding names the type that it does not know."""
    with pytest.raises(BusError, match="'Gossip'"):
        decode(b'{"type": "Gossip"}')


def test_an_envelope_is_refused_in_one_line() -> None:
    """Whatever name somebody has given a part of it."""
    given = encode(Envelope("task.a", Work("k", Terms("run"), Task(id="k", agent="a"), "a", {}, "")))
    refusal = r"^no envelope: terms.budget.max depth: Extra inputs are not permitted; "
    with pytest.raises(BusError, match=refusal) as caught:
        decode(given.replace(b'"max_depth"', b'"max\xc2\x85depth"'))
    assert len(str(caught.value).splitlines()) == 1
