"""The promises of the bus port as a suite: subclass it, give `make_bus`, and let pytest run it.

class TestMyBus(BusConformance):
    def make_bus(self, *, capacity: int) -> Bus:
        return MyBus(capacity=capacity)
"""

import asyncio
from collections.abc import Sequence

import pytest

from agentorch.core.failures import FailureKind
from agentorch.core.task import Task
from agentorch.core.usage import Usage
from agentorch.errors import BusError
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Payload, Result, Terms, TextDelta, Withdrawal, Work
from agentorch.ports.bus import Bus, Delivery

SETTLING = 0.05
"""Seconds after which a bus on a network has delivered what it can deliver."""


def result(number: int, subject: str = "outcome.me") -> Envelope:
    """Return a numbered envelope."""
    return Envelope(subject, Result(f"key-{number}", output=number), id=f"id-{number}", source="test")


class Taker:
    """A subscriber that keeps what it is given."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def __call__(self, delivery: Delivery) -> None:
        """Keep it, unacknowledged."""
        self.deliveries.append(delivery)

    def all(self, deliveries: Sequence[Delivery]) -> None:
        """Keep what came together."""
        self.deliveries.extend(deliveries)

    @property
    def ids(self) -> list[str]:
        """The ids of what came, in order."""
        return [delivery.envelope.id for delivery in self.deliveries]


class BusConformance:
    """What every bus promises; see `agentorch.ports.bus`."""

    def make_bus(self, *, capacity: int) -> Bus:
        """Return a new bus that holds at most `capacity` envelopes that nobody has taken."""
        raise NotImplementedError

    async def test_every_envelope_reaches_exactly_one_subscriber(self) -> None:
        """Two subscribers of one subject share what comes; nothing is lost, nothing comes twice."""
        bus = await self._opened()
        one, two = Taker(), Taker()
        bus.subscribe(["outcome.me"], one)
        bus.subscribe(["outcome.me"], two)

        for number in range(20):
            await bus.publish(result(number))
        await asyncio.sleep(SETTLING)

        assert sorted(one.ids + two.ids) == sorted(f"id-{number}" for number in range(20))
        await bus.close()

    async def test_one_subject_keeps_its_order(self) -> None:
        """A single subscriber gets the envelopes of a subject in the order in which they were taken."""
        bus = await self._opened()
        for number in range(5):
            await bus.publish(result(number))
        taker = Taker()
        bus.subscribe(["outcome.me"], taker)
        for number in range(5, 10):
            await bus.publish(result(number))
        await asyncio.sleep(SETTLING)

        assert taker.ids == [f"id-{number}" for number in range(10)]
        await bus.close()

    async def test_what_is_offered_together_comes_in_order(self) -> None:
        """To one that takes it together, in however many calls, as to one that does not."""
        bus = await self._opened()
        one, other = Taker(), Taker()
        bus.subscribe(["outcome.me"], one, accept_all=one.all)
        bus.subscribe(["outcome.her"], other)
        mine = [result(number) for number in range(5)]
        hers = [result(number, "outcome.her") for number in range(5)]
        taken = bus.offer_all(mine), bus.offer_all([*hers, *mine])
        await asyncio.sleep(SETTLING)

        assert taken == (5, 10)
        assert one.ids == 2 * [f"id-{number}" for number in range(5)]
        assert other.ids == [f"id-{number}" for number in range(5)]
        await bus.close()

    async def test_what_came_together_comes_again_if_it_is_not_acknowledged(self) -> None:
        """Each for itself."""
        bus = await self._opened()
        leaving, staying = Taker(), Taker()
        subscription = bus.subscribe(["outcome.me"], leaving, accept_all=leaving.all)
        bus.offer_all([result(number) for number in range(3)])
        await asyncio.sleep(SETTLING)
        leaving.deliveries[1].ack()
        bus.subscribe(["outcome.me"], staying)
        subscription.close()
        await asyncio.sleep(SETTLING)

        assert sorted(staying.ids) == ["id-0", "id-2"]
        await bus.close()

    async def test_a_full_bus_takes_the_first_of_several(self) -> None:
        """As many as there is room for; a closed one says so."""
        bus = await self._opened(capacity=2)
        taken = bus.offer_all([result(number) for number in range(3)])
        taker = Taker()
        bus.subscribe(["outcome.me"], taker, accept_all=taker.all)
        await asyncio.sleep(SETTLING)

        assert (taken, taker.ids) == (2, ["id-0", "id-1"])
        await bus.close()
        with pytest.raises(BusError):
            bus.offer_all([result(0), result(1)])

    async def test_credit_bounds_what_a_subscriber_holds(self) -> None:
        """Never more unacknowledged deliveries than credit; an acknowledgement brings the next one."""
        bus = await self._opened()
        taker = Taker()
        bus.subscribe(["outcome.me"], taker, credit=2)
        for number in range(4):
            await bus.publish(result(number))
        await asyncio.sleep(SETTLING)
        held = len(taker.ids)
        taker.deliveries[0].ack()
        await asyncio.sleep(SETTLING)

        assert (held, taker.ids) == (2, ["id-0", "id-1", "id-2"])
        await bus.close()

    async def test_a_second_acknowledgement_changes_nothing(self) -> None:
        """Acknowledging twice gives one credit back, not two."""
        bus = await self._opened()
        taker = Taker()
        bus.subscribe(["outcome.me"], taker, credit=1)
        for number in range(3):
            await bus.publish(result(number))
        await asyncio.sleep(SETTLING)
        taker.deliveries[0].ack()
        taker.deliveries[0].ack()
        await asyncio.sleep(SETTLING)

        assert taker.ids == ["id-0", "id-1"]
        await bus.close()

    async def test_what_was_not_acknowledged_comes_again_to_another(self) -> None:
        """A subscriber that goes away loses nothing for the others."""
        bus = await self._opened()
        leaving, staying = Taker(), Taker()
        subscription = bus.subscribe(["outcome.me"], leaving)
        for number in range(3):
            await bus.publish(result(number))
        await asyncio.sleep(SETTLING)
        leaving.deliveries[1].ack()
        bus.subscribe(["outcome.me"], staying)
        subscription.close()
        await asyncio.sleep(SETTLING)

        assert sorted(staying.ids) == ["id-0", "id-2"]
        await bus.close()

    async def test_a_full_bus_says_no_and_publishing_waits(self) -> None:
        """`offer` refuses beyond the capacity, `publish` waits for room; what was taken is not dropped."""
        bus = await self._opened(capacity=2)
        taken = [bus.offer(result(number)) for number in range(3)]
        waiting = asyncio.ensure_future(bus.publish(result(3)))
        await asyncio.sleep(SETTLING)
        waited = not waiting.done()
        taker = Taker()
        bus.subscribe(["outcome.me"], taker)
        await waiting
        await asyncio.sleep(SETTLING)

        assert (taken, waited) == ([True, True, False], True)
        assert sorted(taker.ids) == ["id-0", "id-1", "id-3"]
        await bus.close()

    async def test_a_last_star_stands_for_the_rest_of_a_subject(self) -> None:
        """`task.critic.*` takes every priority of one agent and nothing of another."""
        bus = await self._opened()
        taker = Taker()
        bus.subscribe(["task.critic.*"], taker)
        for number, subject in enumerate(["task.critic.batch", "task.critical.batch", "task.critic.interactive"]):
            await bus.publish(result(number, subject))
        await asyncio.sleep(SETTLING)

        assert sorted(taker.ids) == ["id-0", "id-2"]
        await bus.close()

    async def test_every_payload_arrives_as_it_was_sent(self) -> None:
        """Work, results, withdrawals and deltas are equal on the other side."""
        bus = await self._opened()
        taker = Taker()
        bus.subscribe(["outcome.me"], taker)
        payloads: list[Payload] = [
            Work(
                "run/a/1/1/1",
                Terms("run"),
                Task("a", "critic", inputs={"text": "$b.é"}, needs=("b",)),
                "critic",
                {"x": [1]},
                "",
            ),
            Result("run/a/1/1/1", {"é": [1, None, 0.5]}, usage=Usage(1, 2, calls=1), sources=("a.md:3",)),
            Result("run/a/1/1/1", kind=FailureKind.TRANSIENT, problems=("later",), retry_after=2.5),
            Withdrawal("run/a/1/1/1"),
            TextDelta("run/a/1/1/1", "a piece"),
        ]
        for payload in payloads:
            await bus.publish(Envelope("outcome.me", payload, id="1", source="me", time=3.5, deadline=9.0))
        await asyncio.sleep(SETTLING)

        assert [delivery.envelope.data for delivery in taker.deliveries] == payloads
        assert {delivery.envelope.deadline for delivery in taker.deliveries} == {9.0}
        await bus.close()

    async def test_broadcasts_reach_who_listens_now(self) -> None:
        """Every listener hears a broadcast; one that has left, or comes later, does not."""
        bus = await self._opened()
        heard: list[str] = []
        staying = bus.listen("withdraw", lambda envelope: heard.append(f"staying {envelope.id}"))
        leaving = bus.listen("withdraw", lambda envelope: heard.append(f"leaving {envelope.id}"))
        bus.broadcast(result(1, "withdraw"))
        await asyncio.sleep(SETTLING)
        leaving.close()
        bus.broadcast(result(2, "withdraw"))
        await asyncio.sleep(SETTLING)
        staying.close()

        assert sorted(heard) == ["leaving id-1", "staying id-1", "staying id-2"]
        await bus.close()

    async def test_a_closed_bus_refuses(self) -> None:
        """After `close` nothing is taken, and whoever waits to publish is told."""
        bus = await self._opened(capacity=1)
        bus.offer(result(0))
        waiting = asyncio.ensure_future(bus.publish(result(1)))
        await asyncio.sleep(SETTLING)
        await bus.close()

        with pytest.raises(BusError):
            await waiting
        with pytest.raises(BusError):
            bus.offer(result(2))

    async def test_it_is_open_until_each_of_its_users_has_closed_it(self) -> None:
        """One user's closing does not close it for another; after the last it refuses, until it is opened again."""
        bus = await self._opened()
        await bus.open()
        await bus.close()
        took = bus.offer(result(0))
        await bus.close()
        with pytest.raises(BusError):
            bus.offer(result(1))
        await bus.open()
        assert (took, bus.offer(result(2))) == (True, True)
        await bus.close()

    async def test_a_subscriber_may_acknowledge_and_send_while_it_is_given(self) -> None:
        """A handler that acknowledges at once, and sends on the same subject, gets everything."""
        bus = await self._opened()
        seen: list[str] = []

        def pass_on(delivery: Delivery) -> None:
            seen.append(delivery.envelope.id)
            delivery.ack()
            if delivery.envelope.id in {"id-0", "id-1"}:
                bus.offer(result(int(delivery.envelope.id[-1]) + 10, "outcome.me"))

        bus.offer(result(0))
        bus.offer(result(1, "outcome.you"))
        bus.subscribe(["outcome.*"], pass_on, credit=1)
        await asyncio.sleep(SETTLING)

        assert sorted(seen) == ["id-0", "id-1", "id-10", "id-11"]
        await bus.close()

    async def test_a_publisher_that_gives_up_leaves_its_room_to_the_next(self) -> None:
        """Cancelled in the moment in which there was room for it, it does not keep the others waiting."""
        bus = await self._opened(capacity=1)
        bus.offer(result(0))
        leaving, staying = (asyncio.ensure_future(bus.publish(result(number))) for number in (1, 2))
        await asyncio.sleep(SETTLING)
        taker = Taker()
        subscription = bus.subscribe(["outcome.me"], taker, credit=1)
        leaving.cancel()
        await asyncio.wait_for(staying, 5)
        await asyncio.wait([leaving])
        for _ in range(3):
            for delivery in list(taker.deliveries):
                delivery.ack()
            await asyncio.sleep(SETTLING)

        expected = ["id-0", "id-2"] if leaving.cancelled() else ["id-0", "id-1", "id-2"]
        assert sorted(taker.ids) == expected
        subscription.close()
        await bus.close()

    async def _opened(self, capacity: int = 1000) -> Bus:
        bus = self.make_bus(capacity=capacity)
        await bus.open()
        return bus
