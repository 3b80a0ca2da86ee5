"""A journal that gives its run back passes; one that does not is told by what differs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent
from agentorch.core.events import Event
from agentorch.core.invariants import InvariantError
from agentorch.errors import RunNotFoundError
from agentorch.events import TaskSucceeded
from agentorch.journal.memory import MemoryJournal
from agentorch.testing import FaultyBus, MakeOrchestrator, SeededChance, assert_replays


@agent(description="Asks a person.")
async def asking(context: Context) -> bool:
    return bool(await context.ask("Go on?", bool))


@agent(description="Counts.")
async def counter(number: int) -> int:
    await anyio.sleep(0.1)
    return number + 1


@agent(description="Fails.", attempts=1)
async def failing(number: int) -> int:
    raise RuntimeError("no luck")


def counting(tasks: int = 8) -> Plan:
    plan = Plan("count")
    before: Any = 0
    for number in range(tasks):
        before = plan.add(f"t{number}", agent="failing" if number == 5 else "counter", inputs={"number": before})
    return plan


async def test_an_outcome_and_a_live_run_replay(make_orchestrator: MakeOrchestrator, virtual_clock: object) -> None:
    """Finished, and waiting for a person; by orchestrator, and by the journal alone."""
    journal = MemoryJournal()
    async with make_orchestrator([asking, counter, failing], journal=journal) as orchestrator:
        outcome = await orchestrator.run(counting())
        plan = Plan("ask")
        plan.add("ask", agent=asking)
        waiting = await orchestrator.submit(plan)
        await waiting.rest()
        for run in (outcome, waiting):
            assert await assert_replays(orchestrator, run)
        assert await assert_replays(journal, outcome.run_id, prefixes=3)
        with pytest.raises(AssertionError, match="whoever attaches is told"):
            await assert_replays(orchestrator, replace(outcome, answer="something else"))
    assert outcome.status == "succeeded"
    with pytest.raises(RunNotFoundError):
        await assert_replays(journal, "nobody")


@pytest.mark.parametrize("seed", range(3))
async def test_runs_over_a_faulty_bus_replay(
    seed: int, make_orchestrator: MakeOrchestrator, virtual_clock: object
) -> None:
    """Whatever was delivered late, twice, or again."""
    chance = SeededChance(seed)
    bus = FaultyBus(chance, duplicated=0.3, delayed=0.3, unacknowledged=0.3)
    async with make_orchestrator([counter, failing], bus=bus, policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(counting(5))
        assert outcome.answer == 5
        assert await assert_replays(orchestrator, outcome)
    assert len(chance.faults) > 3


class Changed(MemoryJournal):
    """Gives back something else than it was given."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    async def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        events = await super().read(run_id, after=after, limit=limit)
        return [self._changed(event) for event in events if self.how != "gap" or event.type != "TaskStarted"]

    def _changed(self, event: Event) -> Event:
        if self.how == "output" and isinstance(event, TaskSucceeded):
            return event.model_copy(update={"output": 77})
        return event


async def kept_by(journal: MemoryJournal) -> tuple[Any, Sequence[Event]]:
    async with Orchestrator([counter], journal=journal) as orchestrator:
        run = await orchestrator.submit(counting(2))
        await run.outcome()
        return run, await journal.read(run.id)


async def test_a_journal_that_says_something_else_is_told() -> None:
    """Another value, and an event that is missing."""
    run, _ = await kept_by(journal := Changed("output"))
    with pytest.raises(AssertionError, match=r"replayed and as it is carried out, the states differ: .*77"):
        await assert_replays(journal, run)
    run, _ = await kept_by(journal := Changed("gap"))
    with pytest.raises((AssertionError, InvariantError)):
        await assert_replays(journal, run)
