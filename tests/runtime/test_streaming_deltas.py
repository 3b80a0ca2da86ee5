"""Token deltas: shown to readers who ask for them, tagged with their dispatch, in order, and never journaled."""

import asyncio

import pytest

from agentorch import Agent, Plan
from agentorch.events import Event, TaskStarted
from agentorch.journal.memory import MemoryJournal
from agentorch.messages.work import TextDelta
from agentorch.runtime.feed import DELTAS
from agentorch.testing import FakeOpenAI, MakeOrchestrator, Reply, Say, ScriptedModel

pytestmark = pytest.mark.usefixtures("virtual_clock")

WRITER = Agent("writer", description="Writes.", prompt="Write.")
PIECES = ("An ", "ode ", "to ", "buses.")


def two_texts() -> Plan:
    """Return a plan of two texts that are written at the same time."""
    plan = Plan("write")
    one = plan.add("one", agent=WRITER)
    two = plan.add("two", agent=WRITER)
    plan.add("end", agent=WRITER, inputs={"texts": [one, two]})
    return plan


async def test_deltas_are_tagged_with_their_dispatch_and_come_in_order(make_orchestrator: MakeOrchestrator) -> None:
    """Two tasks that write at once are told apart; each text is whole; its start comes before, its end after."""
    journal = MemoryJournal()
    model = ScriptedModel(Reply(pieces=PIECES, delay=0.1))
    async with make_orchestrator([WRITER], model=model, planner="rules", journal=journal) as orchestrator:
        run = await orchestrator.submit(two_texts())
        seen = [item async for item in run.events(deltas=True)]
        events = [event async for event in run]
        kept = await journal.read(run.id)

    said: dict[str, list[str]] = {}
    for item in seen:
        if isinstance(item, TextDelta):
            said.setdefault(item.key, []).append(item.text)
    keys = [event.key for event in events if isinstance(event, TaskStarted)]
    assert said == {key: list(PIECES) for key in keys}
    for key in keys:
        places = [index for index, item in enumerate(seen) if isinstance(item, TextDelta) and item.key == key]
        task = key.split("/")[1]
        own = [i for i, item in enumerate(seen) if not isinstance(item, TextDelta) and item.task == task]
        assert own[0] < places[0] < places[-1] < own[-1]
    assert [item for item in seen if not isinstance(item, TextDelta)] == events == kept


async def test_readers_without_deltas_see_none(make_orchestrator: MakeOrchestrator) -> None:
    """A plain reader beside one with deltas gets the events alone, and so does one with deltas after the end."""
    model = ScriptedModel(Reply(pieces=PIECES, delay=0.1))
    async with make_orchestrator([WRITER], model=model, planner="rules") as orchestrator:
        run = await orchestrator.submit(two_texts())

        async def plain() -> list[Event]:
            return [event async for event in run.events()]

        async def with_deltas() -> int:
            return len([item async for item in run.events(deltas=True) if isinstance(item, TextDelta)])

        events, deltas = await asyncio.gather(plain(), with_deltas())
        late = [item async for item in run.events(deltas=True)]

    assert deltas == 3 * len(PIECES)
    assert not any(isinstance(event, TextDelta) for event in events)
    assert late == events


async def test_they_come_while_the_model_speaks(make_orchestrator: MakeOrchestrator) -> None:
    """Through the real client: each piece is seen when it is said, not when the answer is whole."""
    plan = Plan("write")
    plan.add("only", agent=WRITER)
    now = asyncio.get_running_loop().time
    async with (
        FakeOpenAI(Say(pieces=PIECES, delay=1.0)) as server,
        make_orchestrator([WRITER], model=server.model(), planner="rules") as orchestrator,
    ):
        run = await orchestrator.submit(plan)
        begun = now()
        times = [round(now() - begun) async for item in run.events(deltas=True) if isinstance(item, TextDelta)]

    assert times == [1, 2, 3, 4]


async def test_a_reader_that_sleeps_loses_the_oldest_deltas_and_no_event(make_orchestrator: MakeOrchestrator) -> None:
    """Deltas are lossy and bounded; the run does not wait, and events are all there."""
    pieces = [f"{number} " for number in range(DELTAS + 100)]
    model = ScriptedModel(Reply(pieces=pieces))
    plan = Plan("write")
    plan.add("only", agent=WRITER)
    async with make_orchestrator([WRITER], model=model, planner="rules") as orchestrator:
        run = await orchestrator.submit(plan)
        reader = run.events(deltas=True)
        first = await anext(reader)
        outcome = await run.outcome()
        rest = [item async for item in reader]
        events = [event async for event in run]

    deltas = [item for item in rest if isinstance(item, TextDelta)]
    assert outcome.answer == "".join(pieces).strip()
    assert [delta.text for delta in deltas] == pieces[100:]
    assert [first, *(item for item in rest if not isinstance(item, TextDelta))] == events
