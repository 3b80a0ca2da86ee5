"""A bus or a journal that the caller made serves any number of orchestrators, one after the other and at once."""

import asyncio
from pathlib import Path

import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.bus import MemoryBus
from agentorch.errors import RunOwnedError
from agentorch.journal.memory import MemoryJournal
from agentorch.journal.sqlite import SqliteJournal
from agentorch.ports.journal import Journal

pytestmark = pytest.mark.timeout(20)


@agent(description="Greets.")
async def greeter(name: str) -> str:
    await asyncio.sleep(0.01 if name == "slow" else 0)
    return f"hello {name}"


def greeting(name: str) -> Plan:
    plan = Plan("greet")
    plan.add("greet", agent=greeter, inputs={"name": name})
    return plan


def journal_of(kind: str, folder: Path) -> Journal:
    return MemoryJournal() if kind == "memory" else SqliteJournal(folder / "runs.db")


async def test_one_bus_for_call_after_call() -> None:
    """Without `async with` each call opens and closes the bus that it was given."""
    orchestrator = Orchestrator([greeter], bus=MemoryBus())
    answers = [(await orchestrator.run(greeting(name))).answer for name in ("ann", "bob")]
    assert answers == ["hello ann", "hello bob"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_one_journal_for_calls_at_once(kind: str, tmp_path: Path) -> None:
    """The call that ends first does not close the journal for the other."""
    journal = journal_of(kind, tmp_path)
    orchestrator = Orchestrator([greeter], journal=journal)
    names = ("ann", "slow", "bob")
    outcomes = await asyncio.gather(*(orchestrator.run(greeting(name)) for name in names))
    assert [outcome.answer for outcome in outcomes] == [f"hello {name}" for name in names]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_an_inner_orchestrator_leaves_the_journal_to_the_outer(kind: str, tmp_path: Path) -> None:
    """Leaving one of two that share a journal; the other goes on."""
    journal = journal_of(kind, tmp_path)
    async with Orchestrator([greeter], journal=journal) as outer:
        async with Orchestrator([greeter], journal=journal) as inner:
            await inner.run(greeting("ann"))
        outcome = await outer.run(greeting("bob"))
    assert outcome.answer == "hello bob"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_two_that_take_up_a_run_at_once(kind: str, tmp_path: Path) -> None:
    """The owner is gone: one of them gets the run, the other is told that it has an owner, not of a conflict."""
    journal = journal_of(kind, tmp_path)
    told = asyncio.Event()

    @agent(description="Greets when the other one has been told.")
    async def patient(name: str) -> str:
        await told.wait()
        return f"hello {name}"

    plan = Plan("greet")
    plan.add("greet", agent=patient, inputs={"name": "ann"})
    async with Orchestrator([patient], journal=journal) as owner:
        run = await owner.submit(plan)
        await run.stop(reason="enough")
    async with Orchestrator([patient], journal=journal) as one, Orchestrator([patient], journal=journal) as two:
        both = [asyncio.ensure_future(each.resume(run.id)) for each in (one, two)]
        (lost,), (won,) = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        told.set()
        with pytest.raises(RunOwnedError):
            await lost
        assert (await won).answer == "hello ann"
