"""Promise 9: replay is deterministic: the same journal gives the same state, at every prefix.

The live state is compared at each append, which is what a crash leaves whole, under many interleavings.
"""

import random
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import anyio
import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent
from agentorch.bus.memory import MemoryBus
from agentorch.core.advance import replay
from agentorch.core.events import Event
from agentorch.core.state import RunState
from agentorch.core.task import Task
from agentorch.journal.memory import MemoryJournal
from agentorch.ports.planner import Offer, Patch, PlanReport, PlanRequest
from agentorch.runtime.outcome import Outcome, OutcomeStatus
from agentorch.runtime.run import Run
from agentorch.testing import LoopClock, assert_replays
from agentorch.testing.snapshot import snapshot

pytestmark = pytest.mark.looptime


class Watched(MemoryJournal):
    """A journal that keeps, with each append, the state of the run that decided it, as it was at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.live: dict[int, dict[str, Any]] = {}
        """By the last event of the append."""

    def append(self, run_id: str, events: Sequence[Event], *, after: int) -> Any:
        """Append, and look at the run."""
        if self.run is not None:
            self.live[events[-1].seq] = deepcopy(snapshot(self.run._hosted.state))
        return super().append(run_id, events, after=after)


class Distant(MemoryBus):
    """A bus as it is between processes: each decision is an append of its own."""

    local = False


class Mender:
    """Puts `steady` in the place of what gave up."""

    name = "mender"

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        raise NotImplementedError

    async def patch(self, request: PlanRequest) -> PlanReport:
        await anyio.sleep(0.3)
        broken = [one.task for one in request.tasks if one.status == "waiting"]
        return PlanReport(patch=Patch(put=tuple(Task(one.id, "steady", inputs=dict(one.inputs)) for one in broken)))


def halves(seconds: float) -> Any:
    """Be a step."""
    return [seconds / 2, seconds / 2]


def team(chance: random.Random) -> list[Any]:
    """Return agents that fail, stand in, ask others and take steps; all of them change what they are given."""

    @agent(description="Fails now and then.", fallback="steady")
    async def shaky(seconds: float, given: dict[str, Any]) -> float:
        given["list"].append(seconds)
        await anyio.sleep(seconds)
        if chance.random() < 0.4:
            raise RuntimeError("bad luck")
        return seconds

    @agent(description="Fails, and nobody stands in.", attempts=1)
    async def hopeless(seconds: float, given: dict[str, Any]) -> float:
        await anyio.sleep(seconds)
        raise RuntimeError("no luck")

    @agent(description="Never fails.")
    async def steady(seconds: float, given: dict[str, Any]) -> float:
        given.clear()
        await anyio.sleep(seconds)
        return seconds

    @agent(description="Has it done, a step before and a step after.")
    async def asking(seconds: float, given: dict[str, Any], context: Context) -> float:
        parts = await context.step("halve", halves, seconds)
        half = parts.pop()
        return await context.call("shaky", seconds=half, given=given) + len(await context.step("halve", halves, half))

    return [shaky, hopeless, steady, asking]


def plan(chance: random.Random) -> Plan:
    """Return a plan of fourteen tasks whose needs, agents and times are chosen."""
    made = Plan("shaky")
    for i in range(14):
        needs = [f"t{j}" for j in range(max(0, i - 4), i) if chance.random() < 0.4]
        kind = chance.choice(["shaky", "shaky", "steady", "asking", "hopeless"])
        made.add(f"t{i}", agent=kind, inputs={"seconds": chance.random(), "given": "$inputs"}, needs=needs)
    return made


async def carried_out(seed: int, bus: MemoryBus) -> tuple[Watched, Run, Outcome, list[Event]]:
    """Carry a run out as the seed says; a third of them are cancelled somewhere."""
    chance, journal = random.Random(seed), Watched()
    policy = Policy(parallel=chance.randint(2, 6), replans=chance.randint(0, 2))
    agents, planner = team(chance), Mender()
    async with Orchestrator(
        agents, planner=planner, journal=journal, bus=bus, policy=policy, clock=LoopClock()
    ) as orchestrator:
        run = journal.run = await orchestrator.submit(plan(chance), inputs={"list": [0]})
        if seed % 3 == 0:
            await anyio.sleep(3 * chance.random())
            await run.cancel()
        outcome = await run.outcome()
        again = await (await orchestrator.attach(run.id)).outcome()
        events = await journal.read(run.id, limit=10_000)
    assert again == outcome
    return journal, run, outcome, events


@pytest.mark.parametrize("bus", [MemoryBus, Distant], ids=["in process", "between processes"])
@pytest.mark.parametrize("seed", range(20))
async def test_a_journal_replays_to_the_state_that_wrote_it(seed: int, bus: type[MemoryBus]) -> None:
    """At each of its appends: failures, fallbacks, patches, delegation, steps and cancellation in a random order."""
    journal, run, outcome, events = await carried_out(seed, bus())

    stepwise, compared = RunState(run.id), 0
    for event in events:
        replay(stepwise, [event])
        if event.seq in journal.live:
            assert snapshot(stepwise) == journal.live[event.seq], f"after #{event.seq} {event.type}"
            compared += 1
    assert compared == len(journal.live) > (0 if outcome.status is OutcomeStatus.CANCELLED else 5)
    assert max(journal.live) == len(events)
    assert snapshot(stepwise) == snapshot(run._hosted.state)
    assert stepwise.status == str(outcome.status)
    states = {name: str(task.status) for name, task in stepwise.tasks.items() if not task.task.id.count(".")}
    assert states == outcome.states


@pytest.mark.parametrize("seed", range(4))
async def test_each_prefix_gives_the_same_state_however_it_is_read(seed: int) -> None:
    """At once from the start, or event by event: what was applied before leaves no trace but the state."""
    journal, run, _, events = await carried_out(seed, MemoryBus())

    assert await assert_replays(journal, run, prefixes=len(events)) == events


async def test_the_runs_of_this_test_differ() -> None:
    """The seeds try different orders, and each kind of event that matters here comes up in some."""
    kinds: set[str] = set()
    orders: set[tuple[tuple[str, str], ...]] = set()
    for seed in range(6):
        *_, events = await carried_out(seed, MemoryBus())
        orders.add(tuple((event.type, getattr(event, "task", "")) for event in events))
        kinds |= {event.type for event in events}

    assert len(orders) == 6
    assert kinds >= {"TaskSucceeded", "TaskFailed", "PlanPatched", "StepFinished", "TaskCancelled"}
