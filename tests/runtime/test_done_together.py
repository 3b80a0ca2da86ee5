"""Results of bodies that end at once: sent together, and none held back by a body that does not."""

import asyncio
from collections.abc import Awaitable, Sequence
from itertools import count
from math import inf

import pytest

from agentorch.bus import MemoryBus
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result
from agentorch.ports.bus import Delivery
from agentorch.runtime import time_slice
from agentorch.runtime.job import Job
from agentorch.runtime.worker import BURST, Worker
from tests.runtime.test_worker import work

pytestmark = pytest.mark.looptime


class Groups:
    """A receiver that notes what came together, and when."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.results: dict[str, Result] = {}
        self.times: dict[str, float] = {}

    def one(self, delivery: Delivery) -> None:
        """Take one."""
        self.all([delivery])

    def all(self, deliveries: Sequence[Delivery]) -> None:
        """Take several."""
        self.groups.append([delivery.envelope.id for delivery in deliveries])
        for delivery in deliveries:
            assert isinstance(delivery.envelope.data, Result)
            self.results[delivery.envelope.id] = delivery.envelope.data
            self.times[delivery.envelope.id] = asyncio.get_running_loop().time()
            delivery.ack()


def execute(job: Job) -> Result | Awaitable[Result]:
    """End at once, or wait as many seconds as the key says behind a colon."""
    _, _, seconds = job.work.key.partition(":")
    return _later(job.work.key, float(seconds)) if seconds else Result(job.work.key)


async def _later(key: str, seconds: float) -> Result:
    await asyncio.sleep(seconds)
    return Result(key)


async def carried_out(keys: Sequence[str], bus: MemoryBus | None = None) -> Groups:
    """Have work done that is handed over at once; return what came, once all is there."""
    bus, groups = bus or MemoryBus(), Groups()
    await bus.open()
    bus.subscribe(["outcome.me"], groups.one, accept_all=groups.all)
    worker = Worker(bus, agents=["a"], execute=execute)
    assert MemoryBus.offer_all(bus, [work(key) for key in keys]) == len(keys)
    await asyncio.sleep(100)
    assert len(groups.results) == len(keys)
    assert all(result.kind is None for result in groups.results.values())
    await worker.close()
    return groups


async def test_what_ends_at_once_is_sent_together() -> None:
    """In one call, in the order in which it came."""
    keys = [f"{number}" for number in range(10)]

    assert (await carried_out(keys)).groups == [keys]


async def test_a_burst_is_sent_before_others_have_the_loop() -> None:
    """No result waits for more than a burst."""
    groups = await carried_out([f"{number}" for number in range(2 * BURST + 3)])

    assert [len(group) for group in groups.groups] == [BURST, BURST, 3]


async def test_bodies_that_compute_end_a_burst_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they have brought is sent, and others have the loop."""
    ticks = count(step=0.008)
    monkeypatch.setattr(time_slice, "monotonic", lambda: next(ticks))  # each body takes 8 ms
    groups = await carried_out([f"{number}" for number in range(8)])

    assert [len(group) for group in groups.groups] == [3, 3, 2]


async def test_no_result_waits_for_a_body_that_waits() -> None:
    """What was done before it is sent when it has made its first step."""
    groups = await carried_out(["1", "2", "3:60", "4"])

    assert groups.times == {"1": 0, "2": 0, "4": 0, "3:60": 60}
    assert groups.groups[0] == ["1", "2"]


class Narrow(MemoryBus):
    """A bus that takes one result at once, and the rest when it is asked again."""

    def offer_all(self, envelopes: Sequence[Envelope]) -> int:
        """Take the first."""
        return int(self.offer(envelopes[0]))


class Refusing(MemoryBus):
    """A bus that takes nothing that comes together."""

    def offer_all(self, envelopes: Sequence[Envelope]) -> int:
        """Break."""
        raise OSError(f"no room for {len(envelopes)}")


@pytest.mark.parametrize("bus", [Narrow, Refusing])
@pytest.mark.parametrize("keys", [["1", "2", "3"], ["1", "2", "3", "4:60"], [f"{n}" for n in range(BURST + 9)]])
async def test_what_the_bus_does_not_take_together_is_sent_one_by_one(
    bus: type[MemoryBus], keys: Sequence[str]
) -> None:
    """Beside a body that waits, too, and nothing comes twice."""
    groups = await carried_out(keys, bus())

    assert sorted(key for group in groups.groups for key in group) == sorted(keys)
    assert all(not groups.times[key] for key in keys if ":" not in key)


async def test_what_cannot_even_begin_is_a_crash() -> None:
    """The receiver hears of it, and the slot goes on."""
    bus, groups = MemoryBus(), Groups()
    await bus.open()
    bus.subscribe(["outcome.me"], groups.one)

    def broken(job: Job) -> Result:
        if job.work.key == "1":
            raise KeyError(job.work.agent)
        return Result(job.work.key)

    worker = Worker(bus, agents=["a"], execute=broken)
    bus.offer(work("1"))
    bus.offer(work("2"))
    await asyncio.sleep(1)
    await worker.close()

    assert {key: result.kind for key, result in groups.results.items()} == {"1": "crash", "2": None}
    assert groups.results["1"].problems == ("it raised KeyError",)


async def test_bodies_that_end_at_once_by_the_long_way_leave_the_loop_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A coroutine that never waits counts like any other body: after a burst of them others have the loop."""
    monkeypatch.setattr(time_slice, "SLICE", inf)  # of a busy machine it may be up before
    bus, groups = MemoryBus(), Groups()
    await bus.open()
    bus.subscribe(["outcome.me"], groups.one, accept_all=groups.all)
    seen: list[int] = []

    async def at_once(job: Job) -> Result:
        return Result(job.work.key)

    worker = Worker(bus, agents=["a"], execute=at_once)
    bus.offer_all([work(f"{number}") for number in range(3 * BURST)])
    while len(groups.results) < 3 * BURST:
        seen.append(len(groups.results))
        await asyncio.sleep(0)
    await worker.close()

    assert seen == [0, BURST, 2 * BURST]


async def test_a_cancellation_that_a_body_left_behind_takes_no_other_result_along() -> None:
    """The bus is full, the slot waits for room, and is cancelled by what it had before: all results go on their way."""
    bus, groups = MemoryBus(capacity=0), Groups()
    await bus.open()

    def leaving(job: Job) -> Result:
        slot = asyncio.current_task()
        assert slot is not None
        if job.work.key == "1":
            asyncio.get_running_loop().call_soon(slot.cancel)
        return Result(job.work.key)

    worker = Worker(bus, agents=["a"], execute=leaving)
    bus.offer_all([work(key) for key in ("1", "2", "3")])
    await asyncio.sleep(1)
    bus.subscribe(["outcome.me"], groups.one)
    for _ in range(3):
        bus._wake()
    await asyncio.sleep(1)
    await worker.close()

    assert sorted(groups.results) == ["1", "2", "3"]


async def test_a_worker_that_is_closed_sends_nothing_more() -> None:
    """What the bus had no room for is somebody else's work by then."""
    bus, groups = MemoryBus(capacity=0), Groups()
    await bus.open()
    worker = Worker(bus, agents=["a"], execute=execute)
    bus.offer_all([work(key) for key in ("1", "2", "3", "4:60")])
    await asyncio.sleep(1)
    await worker.close()
    bus.subscribe(["outcome.me"], groups.one)
    for _ in range(3):
        bus._wake()
    await asyncio.sleep(1)

    assert groups.results == {}


async def test_all_slots_share_the_time_of_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are idle: when it is up, the next body begins in the next turn, whatever way the last one ended."""
    clock, begun = [0.0], list[tuple[int, str]]()
    monkeypatch.setattr(time_slice, "monotonic", lambda: clock[0])
    bus, groups, turn = MemoryBus(), Groups(), 0

    async def computing(job: Job) -> Result:
        begun.append((turn, job.work.key))
        clock[0] += 0.016
        return Result(job.work.key)

    await bus.open()
    bus.subscribe(["outcome.me"], groups.one, accept_all=groups.all)
    worker = Worker(bus, agents=["a"], execute=computing)
    bus.offer_all([work(f"{number}") for number in range(9)])
    while len(groups.results) < 9:
        turn += 1
        await asyncio.sleep(0)
    await worker.close()

    assert max(sum(1 for one, _ in begun if one == number) for number in range(turn + 1)) == 2
