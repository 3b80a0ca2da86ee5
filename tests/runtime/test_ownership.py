"""Who carries a run out, who only reads it, and what everybody is told when that ends."""

import asyncio
from pathlib import Path

import anyio
import pytest

from agentorch import Orchestrator, Run, agent
from agentorch.agents import FunctionAgent
from agentorch.core.task import Graph
from agentorch.errors import AgentorchError, ConfigurationError, RunOwnedError
from agentorch.ports.planner import Offer, PlanReport, PlanRequest
from agentorch.runtime.outcome import OutcomeStatus


class Gate:
    """An agent that waits, and counts how often it was called."""

    def __init__(self) -> None:
        self.calls = 0
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        gate = self

        @agent(description="Waits at the gate.")
        async def waiting(goal: str) -> str:
            gate.calls += 1
            gate.begun.set()
            await gate.open.wait()
            return goal

        self.agent: FunctionAgent[..., object] = waiting  # pyright: ignore[reportAttributeAccessIssue]


async def test_who_waits_for_a_run_is_told_when_its_orchestrator_closes() -> None:
    """`outcome()` awaited elsewhere raises in words; so does every act on the run after that."""
    gate = Gate()
    async with Orchestrator([gate.agent]) as orchestrator:
        run = await orchestrator.submit("wait")
        waiting = asyncio.create_task(run.outcome())
        await gate.begun.wait()

    with pytest.raises(AgentorchError, match="resume it"):
        await waiting
    with pytest.raises(AgentorchError, match="resume it"):
        await run.cancel()


async def test_a_key_whose_owner_has_gone_takes_the_run_up(tmp_path: Path) -> None:
    """The same key after a crash goes on with the run, and gives its outcome."""
    gate = Gate()
    async with Orchestrator([gate.agent], journal=tmp_path / "runs.db") as first:
        run = await first.submit("pay", key="order-7")
        await gate.begun.wait()
    gate.open.set()
    async with Orchestrator([gate.agent], journal=tmp_path / "runs.db") as second:
        outcome = await second.run("pay", key="order-7")

    assert (outcome.run_id, outcome.answer) == (run.id, "pay")


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])
async def test_a_key_that_is_used_three_times_at_once_starts_one_run(durable: bool, tmp_path: Path) -> None:
    """Nobody gets a conflict, and the agent is called once."""
    gate = Gate()
    gate.open.set()
    journal = tmp_path / "runs.db" if durable else None
    async with Orchestrator([gate.agent], journal=journal) as orchestrator:
        runs = await asyncio.gather(*(orchestrator.submit("pay", key="order-7") for _ in range(3)))
        outcomes = [await run.outcome() for run in runs]

    assert len({run.id for run in runs}) == 1
    assert [outcome.answer for outcome in outcomes] == ["pay"] * 3
    assert gate.calls == 1


async def test_an_attached_run_is_followed_and_not_owned(tmp_path: Path) -> None:
    """A second orchestrator sees the end of a run that the first carries out, and may not take it or let it stand."""
    gate = Gate()
    journal = tmp_path / "runs.db"
    async with (
        Orchestrator([gate.agent], journal=journal) as owner,
        Orchestrator([gate.agent], journal=journal) as other,
    ):
        run = await owner.submit("wait")
        await gate.begun.wait()
        attached = await other.attach(run.id)
        with pytest.raises(RunOwnedError, match="only read here"):
            await attached.stop()
        with pytest.raises(RunOwnedError, match="is being carried out by"):
            await other.resume(run.id)
        gate.open.set()
        seen = await attached.outcome()
        own = await run.outcome()
        kinds = [event.type async for event in attached]

    assert seen == own
    assert own.status is OutcomeStatus.SUCCEEDED
    assert kinds[-1] == "RunFinished"


class Pensive:
    """Plans for ever."""

    name = "pensive"

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        await asyncio.Event().wait()
        return PlanReport(Graph(()))

    async def patch(self, request: PlanRequest) -> PlanReport:
        return PlanReport()


async def test_a_run_that_is_still_being_planned_is_owned_too(tmp_path: Path) -> None:
    """Nothing runs yet, and still nobody may take it from a live process."""
    gate = Gate()
    journal = tmp_path / "runs.db"
    async with (
        Orchestrator([gate.agent], planner=Pensive(), journal=journal) as owner,
        Orchestrator([gate.agent], journal=journal) as other,
    ):
        run = await owner.submit("think")
        with pytest.raises(RunOwnedError, match="is being carried out by"):
            await other.resume(run.id)
        await run.cancel()
        outcome = await run.outcome()

    assert outcome.status is OutcomeStatus.CANCELLED


async def test_closing_is_not_cut_short_by_a_timeout(tmp_path: Path) -> None:
    """After a timeout around the whole orchestrator the same process can resume the run."""
    gate = Gate()
    run_id = ""
    with anyio.CancelScope() as scope:
        async with Orchestrator([gate.agent], journal=tmp_path / "runs.db") as before:
            run_id = (await before.submit("wait")).id
            scope.deadline = anyio.current_time() + 0.2
            await asyncio.Event().wait()
    gate.open.set()
    async with Orchestrator([gate.agent], journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run_id)

    assert outcome.answer == "wait"


async def test_leaving_a_block_cancels_only_what_it_started() -> None:
    """`start(key=)` on a run that somebody else started leaves it alone."""
    gate = Gate()
    async with Orchestrator([gate.agent]) as orchestrator:
        run = await orchestrator.submit("wait", key="k")
        await gate.begun.wait()
        with pytest.raises(RuntimeError, match="on purpose"):
            async with orchestrator.start("wait", key="k"):
                raise RuntimeError("on purpose")
        gate.open.set()
        outcome = await run.outcome()

    assert outcome.status is OutcomeStatus.SUCCEEDED


@pytest.mark.parametrize("is_ours", [True, False])
async def test_a_cancellation_at_the_end_of_a_block_cancels_what_it_started(is_ours: bool) -> None:
    """Whoever waits there has gone away as if he had left from inside; what somebody else started goes on."""
    gate = Gate()
    async with Orchestrator([gate.agent]) as orchestrator:
        given = None if is_ours else await orchestrator.submit("wait", key="k")
        at_end = asyncio.Event()

        async def start() -> Run:
            async with orchestrator.start("wait", key="k") as run:
                started.append(run)
                at_end.set()
            return run

        started: list[Run] = []
        starting = asyncio.create_task(start())
        await at_end.wait()
        await gate.begun.wait()
        starting.cancel()
        await asyncio.wait([starting])
        assert starting.cancelled()
        gate.open.set()
        outcome = await (given or started[0]).outcome()

    assert outcome.status == ("cancelled" if is_ours else "succeeded")


async def test_detaching_needs_an_open_orchestrator() -> None:
    """Nobody would carry the run out."""
    gate = Gate()
    with pytest.raises(ConfigurationError, match="async with"):
        async with Orchestrator([gate.agent]).start("wait", detach=True):
            pass


async def test_a_plan_that_a_planner_crashes_on_comes_from_the_rules() -> None:
    """`plan()` too asks the next planner, whatever the first one raises."""

    class Broken(Pensive):
        async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
            raise KeyError("oops")

    gate = Gate()
    plan = await Orchestrator([gate.agent], planner=Broken()).plan("wait")

    assert [task.id for task in plan.tasks] == ["waiting"]
