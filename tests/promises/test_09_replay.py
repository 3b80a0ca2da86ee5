"""Promise 9: replay is deterministic: the same journal gives the same state, at every prefix."""

import random
from typing import Any

import anyio
import pytest

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.core.advance import replay
from agentorch.core.state import RunState
from agentorch.journal.memory import MemoryJournal
from agentorch.testing.clock import LoopClock
from tests.core.snapshot import snapshot

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("seed", range(10))
async def test_a_journal_replays_to_the_state_that_wrote_it(seed: int) -> None:
    """A run with failures, retries and fallbacks in a random order, replayed event by event and at once.

    Its agents change what they are given, which must not show.
    """
    chance = random.Random(seed)

    @agent(description="Fails now and then.", fallback="steady")
    async def shaky(seconds: float, given: dict[str, Any]) -> float:
        given["list"].append(seconds)
        await anyio.sleep(seconds)
        if chance.random() < 0.5:
            raise RuntimeError("bad luck")
        return seconds

    @agent(description="Never fails.")
    async def steady(seconds: float, given: dict[str, Any]) -> float:
        given.clear()
        await anyio.sleep(seconds)
        return seconds

    plan = Plan("shaky")
    for i in range(20):
        needs = [f"t{j}" for j in range(max(0, i - 4), i) if chance.random() < 0.4]
        plan.add(f"t{i}", agent=shaky, inputs={"seconds": chance.random(), "given": "$inputs"}, needs=needs)
    journal = MemoryJournal()
    policy = Policy(parallel=4, replans=0)
    async with Orchestrator([shaky, steady], journal=journal, policy=policy, clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan, inputs={"list": [0]})
        outcome = await run.outcome()
        events = await journal.read(run.id, limit=10_000)
        again = await (await orchestrator.attach(run.id)).outcome()

    whole = replay(RunState(run.id), events)
    stepwise = RunState(run.id)
    for event in events:
        replay(stepwise, [event])
    assert whole == stepwise
    assert snapshot(whole) == snapshot(run._hosted.state)
    assert whole.status == str(outcome.status)
    assert {name: str(task.status) for name, task in whole.tasks.items()} == outcome.states
    assert again == outcome
