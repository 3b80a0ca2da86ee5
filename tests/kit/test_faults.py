"""Faults are what they say, and the runs of users meet them as they meet real ones."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from agentorch import Agent, Orchestrator, Plan, agent
from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError, FailureKind, JournalConflict, JournalError, ModelError
from agentorch.messages.work import TextDelta
from agentorch.ports.model import Message, ModelRequest, wasted_by
from agentorch.testing import (
    FaultyJournal,
    FaultyModel,
    LoopClock,
    MakeOrchestrator,
    Reply,
    ScriptedModel,
    SeededChance,
    VirtualClock,
    crashing,
)

poet = Agent("poet", description="Writes odes.", prompt="Write an ode to the topic.")


@agent(description="Doubles.")
async def doubler(number: int) -> int:
    await anyio.sleep(0.1)
    return number * 2


@agent(description="Halves.")
def halver(number: int) -> int:
    return number // 2


def one(of: Any, **inputs: Any) -> Plan:
    plan = Plan("one task")
    plan.add("only", agent=of, inputs=inputs)
    return plan


def ask() -> ModelRequest:
    return ModelRequest((Message("user", "Hello?"),), labels={"task": "t"})


def test_a_faulty_model_stands_before_a_model() -> None:
    """The name of one is none."""
    name: Any = "gpt-5-mini"
    with pytest.raises(ConfigurationError, match="FaultyModel: 'gpt-5-mini' is no model"):
        FaultyModel(name)


async def test_a_model_fails_breaks_off_and_answers(
    make_orchestrator: MakeOrchestrator, scripted_model: ScriptedModel, virtual_clock: VirtualClock
) -> None:
    """A run gets its answer in the end, waits as it was told, and is charged for what broke off."""
    scripted_model.on("Ode: message buses.", agent="poet")
    faulty = FaultyModel(scripted_model, failures=2, retry_after=30, breaks=1, breaks_after=4, delay=5)
    async with make_orchestrator([poet], model=faulty) as orchestrator:
        run = await orchestrator.submit(one(poet, topic="buses"))
        said = [event.text async for event in run.events(deltas=True) if isinstance(event, TextDelta)]
        outcome = await run.outcome()
    assert outcome.answer == "Ode: message buses."
    assert (faulty.calls, len(scripted_model.requests)) == (4, 2)
    assert said == ["Ode:", "Ode: message buses."]
    assert virtual_clock.elapsed >= 80
    assert outcome.usage.calls == 4


async def test_a_model_that_breaks_off_is_paid_for() -> None:
    """What the answer used is told with the failure."""
    faulty = FaultyModel(ScriptedModel("An ode."), breaks=1)
    with pytest.raises(ModelError, match="breaks off") as raised:
        await faulty.complete(ask())
    assert wasted_by(raised.value, faulty).tokens > 0
    assert raised.value.kind is FailureKind.TRANSIENT
    assert (await faulty.complete(ask())).text == "An ode."


async def test_chance_repeats_itself() -> None:
    """The same seed fails the same calls; another one fails others."""

    async def failures(seed: int) -> list[int]:
        chance = SeededChance(seed)
        faulty = FaultyModel(ScriptedModel("x"), chance=chance, rate=0.3)
        failed: list[int] = []
        for number in range(50):
            try:
                await faulty.complete(ask())
            except ModelError:
                failed.append(number)
        assert chance.faults == ["model failure: t"] * len(failed)
        return failed

    assert await failures(1) == await failures(1) != await failures(2)
    assert 5 < len(await failures(1)) < 25
    assert SeededChance(3).pause(0) == 0


async def test_a_faulty_model_is_what_is_below_it() -> None:
    """Its name, its price, its counts, and what it was asked in vain."""
    below = ScriptedModel(name="local/llama").on("x", agent="nobody")
    faulty = FaultyModel(below)
    assert (faulty.name, faulty.priced, faulty.cost(Usage(1, 1))) == ("local/llama", True, None)
    assert faulty.count("four words") == below.count("four words")
    with pytest.raises(ModelError, match="no answer"):
        await faulty.complete(ask())
    assert (faulty.misses, faulty.unused()) == (below.misses, ["agent 'nobody' (used 0 times)"])
    await faulty.close()


@pytest.mark.parametrize(("of", "answer"), [(doubler, 8), (halver, 2)])
async def test_an_agent_crashes_and_works_then(of: Any, answer: int, make_orchestrator: MakeOrchestrator) -> None:
    """Async or in a thread: a second attempt brings the answer; the agent itself stays as it is."""
    async with make_orchestrator([crashing(of)]) as orchestrator:
        run = await orchestrator.submit(one(of, number=4))
        outcome = await run.outcome()
        failed = [event async for event in run if event.type == "AttemptFailed"]
    assert (outcome.answer, len(failed)) == (answer, 1)
    async with make_orchestrator([of]) as orchestrator:
        assert (await orchestrator.run(one(of, number=4))).answer == answer


async def test_an_agent_may_crash_each_time(make_orchestrator: MakeOrchestrator) -> None:
    """With an error of the test's choice."""
    broken = crashing(doubler, times=99, error=ValueError("bad luck"))
    async with make_orchestrator([broken]) as orchestrator:
        outcome = await orchestrator.run(one(doubler, number=4))
    assert [problem.message for problem in outcome.problems] == ["ValueError: bad luck"]


def test_a_prompt_agent_cannot_be_made_to_crash() -> None:
    """Its model can."""
    with pytest.raises(ConfigurationError, match="give a prompt agent a FaultyModel"):
        crashing(poet)


async def run_over(journal: FaultyJournal) -> Any:
    async with Orchestrator([doubler], journal=journal, clock=LoopClock()) as orchestrator:
        return (await orchestrator.run(one(doubler, number=4))).answer


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("faults", "words"),
    [({"raises_at": [1]}, "the disk is gone"), ({"raises_at": {2}}, "the disk is gone"), ({"full": True}, "full")],
)
async def test_a_journal_that_fails_is_told(faults: dict[str, Any], words: str) -> None:
    """Out of the call, or later."""
    with pytest.raises(JournalError, match=words):
        await run_over(FaultyJournal(**faults))


@pytest.mark.looptime
async def test_a_slow_journal_keeps_its_order_and_is_waited_for() -> None:
    """What is not durable is not read; in the end all is there, also when the disk was slow for a while only."""
    journal = FaultyJournal(delay=2)
    assert await run_over(journal) == 8
    kept = [event.seq for event in journal.kept]
    assert kept == [*range(1, len(kept) + 1)]
    assert journal.appends >= 2


@pytest.mark.looptime
async def test_appends_behind_a_slow_one_wait_for_it() -> None:
    """A disk that becomes fast again brings nothing out of order; a cancelled waiter loses nothing."""
    journal = FaultyJournal(delay=1, loses_at=[4])
    events = await journal_of()
    await journal.open()
    first = journal.append("r", events[:1], after=0)
    journal.delay = 0
    second = journal.append("r", events[1:2], after=1)
    wrong = journal.append("r", events[1:2], after=1)
    lost = journal.append("r", events[2:3], after=2)
    second.cancel()
    assert await journal.read("r") == []
    with pytest.raises(JournalConflict):
        await wrong
    with pytest.raises(JournalConflict, match="another writer was first"):
        await lost
    await first
    await journal.close()
    assert await journal.read("r") == events[:2]


async def journal_of() -> Sequence[Any]:
    journal = FaultyJournal()
    await run_over(journal)
    return [event.model_copy(update={"run_id": "r"}) for event in journal.kept]


async def test_a_reply_may_break_off_before_a_word() -> None:
    """Then nobody hears any of it."""
    heard: list[str] = []
    faulty = FaultyModel(ScriptedModel([Reply(pieces=["An ", "ode."])]), breaks=1, breaks_after=0)
    with pytest.raises(ModelError):
        await faulty.complete(ask(), on_delta=heard.append)
    assert heard == []
