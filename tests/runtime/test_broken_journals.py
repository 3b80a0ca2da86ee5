"""A journal that fails: whoever waits hears of it, and nobody waits for ever."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from agentorch import Context, Event, Orchestrator, Plan, agent
from agentorch.bus.memory import MemoryBus, MemorySubscription
from agentorch.errors import JournalError
from agentorch.journal.memory import MemoryJournal
from agentorch.messages.envelope import Envelope
from agentorch.ports.bus import Accept, AcceptAll, Delivery
from agentorch.testing import FaultyJournal

pytestmark = pytest.mark.timeout(20)


@agent(description="Greets.")
async def greeter() -> str:
    await asyncio.sleep(0)
    return "hello"


def greeting() -> Plan:
    plan = Plan("greet")
    plan.add("greet", agent=greeter)
    return plan


class Unreadable(MemoryJournal):
    """Raises out of every read."""

    unreadable = False

    async def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        if self.unreadable:
            raise OSError("the cable was pulled")
        return await super().read(run_id, after=after, limit=limit)


@pytest.mark.parametrize("failing", [1, 2])
async def test_an_append_that_raises_ends_the_run_in_words(failing: int) -> None:
    """At the first append or in the middle: the caller gets a JournalError, not silence."""
    async with Orchestrator([greeter], journal=FaultyJournal(raises_at=[failing])) as orchestrator:
        with pytest.raises(JournalError, match="the journal failed: the disk is gone"):
            await orchestrator.run(greeting())


async def test_what_could_not_be_journaled_is_not_told_to_be_durable() -> None:
    """However much of the run is on the disk already: a question is answered when its answer is, and not before."""
    journal = FaultyJournal()

    @agent(description="Asks.")
    async def asking(context: Context) -> bool:
        return bool(await context.ask("Go on?", bool))

    plan = Plan("ask")
    plan.add("ask", agent=asking)
    async with Orchestrator([asking], journal=journal) as orchestrator:
        run = await orchestrator.submit(plan)
        await run.rest()
        journal.raises_at = [journal.appends + 1]
        with pytest.raises(JournalError, match="the disk is gone"):
            await run.answer(run.waiting[0].request_id, True)


class Echo(MemoryBus):
    """Brings each result twice, from another machine, and sees what the journal holds when they are acknowledged."""

    local = False

    def __init__(self, journal: FaultyJournal) -> None:
        super().__init__()
        self._journal = journal
        self.held: list[bool] = []

    def offer(self, envelope: Envelope) -> bool:
        if envelope.subject.startswith("outcome."):
            super().offer(envelope)
        return super().offer(envelope)

    def subscribe(
        self,
        subjects: Sequence[str],
        accept: Accept,
        *,
        credit: int | None = None,
        accept_all: AcceptAll | None = None,
    ) -> MemorySubscription:
        return super().subscribe(subjects, lambda delivery: accept(Watched(delivery, self.acknowledged)), credit=credit)

    def acknowledged(self, envelope: Envelope) -> None:
        if envelope.subject.startswith("outcome."):
            self.held.append("TaskSucceeded" in {event.type for event in self._journal.kept})


class Watched:
    """A delivery that tells when it is acknowledged."""

    def __init__(self, delivery: Delivery, told: Callable[[Envelope], None]) -> None:
        self.envelope = delivery.envelope
        self._delivery = delivery
        self._told = told

    def ack(self) -> None:
        self._told(self.envelope)
        self._delivery.ack()


async def test_a_result_that_ends_its_run_and_comes_again_is_acknowledged_once_it_is_durable() -> None:
    """The run is not carried out any more by then, and its last word is still on its way to the disk."""
    journal = FaultyJournal(delay=0.02)
    bus = Echo(journal)
    async with Orchestrator([greeter], journal=journal, bus=bus) as orchestrator:
        await orchestrator.run(greeting())
        await asyncio.sleep(0)
    assert bus.held == [True, True]


async def test_a_follower_that_cannot_read_tells_whoever_waits() -> None:
    """An attached run whose journal cannot be read any more is lost in words."""
    journal = Unreadable()
    gate = asyncio.Event()

    @agent(description="Waits.")
    async def waiter() -> str:
        await gate.wait()
        return "done"

    plan = Plan("wait")
    plan.add("wait", agent=waiter)
    async with Orchestrator([waiter], journal=journal) as owner, Orchestrator([waiter], journal=journal) as reader:
        run = await owner.submit(plan)
        attached = await reader.attach(run.id)
        journal.unreadable = True
        with pytest.raises(JournalError, match=r"cannot be read: the cable was pulled"):
            await attached.outcome()
        journal.unreadable = False
        gate.set()
        assert (await run.outcome()).answer == "done"
