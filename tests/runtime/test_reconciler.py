"""The reconciler: no run keeps another from being taken over, and no error ends the rounds."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from agentorch import Budget, Event, Orchestrator, Plan, Policy, agent
from agentorch.errors import JournalDamaged, JournalVersionError, TransientError
from agentorch.journal.memory import MemoryJournal
from agentorch.ports.journal import RunRecord
from agentorch.testing.clock import LoopClock

pytestmark = [pytest.mark.looptime, pytest.mark.timeout(20)]


@agent(description="Waits a minute, or what it is given.")
async def sleeper(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "awake"


def sleeping() -> Plan:
    plan = Plan("sleep")
    plan.add("sleep", agent=sleeper, inputs={"seconds": 60.0})
    return plan


class Unreadable(MemoryJournal):
    """Raises `error` out of each read of the runs in `broken`, or out of each list of runs once `lost`."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception = OSError("the cable was pulled")
        self.broken: set[str] = set()
        self.lost = False
        self.reads = 0

    async def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        if run_id in self.broken:
            self.reads += 1
            raise self.error
        return await super().read(run_id, after=after, limit=limit)

    async def runs(
        self, *, status: str | None = None, tags: dict[str, str] | None = None, limit: int | None = None
    ) -> AsyncIterator[RunRecord]:
        if self.lost:
            raise self.error
        async for record in super().runs(status=status, tags=tags, limit=limit):
            yield record


def orchestrator(journal: MemoryJournal, *, takeover: bool = False) -> Orchestrator:
    return Orchestrator(
        [sleeper], journal=journal, takeover=takeover, clock=LoopClock(), policy=Policy(attempts=1, silence=600)
    )


async def orphans(journal: MemoryJournal, number: int) -> list[str]:
    """Return runs whose owner has gone, the oldest first."""
    async with orchestrator(journal) as gone:
        return [(await gone.submit(sleeping())).id for _ in range(number)]


async def statuses(journal: MemoryJournal, runs: list[str]) -> list[str]:
    records = [await journal.record(run_id) for run_id in runs]
    return ["" if record is None else record.status for record in records]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("error", "reads"),
    [
        (JournalDamaged("seq 2: it was changed"), 1),
        (JournalVersionError("seq 2: upgrade agentorch"), 1),
        (OSError("the cable was pulled"), 90),
        (KeyError("task"), 90),
    ],
)
async def test_a_run_that_cannot_be_read_keeps_no_other_from_being_taken(
    error: Exception, reads: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named once; it is looked at again where that may help."""
    journal = Unreadable()
    journal.error = error
    first, second, third = await orphans(journal, 3)
    journal.broken = {second}
    async with orchestrator(journal, takeover=True):
        await asyncio.sleep(90.5)
        assert await statuses(journal, [first, second, third]) == ["succeeded", "running", "succeeded"]

    assert journal.reads == reads
    (said,) = warnings(caplog)
    assert said.startswith(f"run {second} cannot be taken over: ")
    assert str(error) in said


async def test_a_run_that_could_not_be_read_for_a_while_is_taken_over(caplog: pytest.LogCaptureFixture) -> None:
    """A disk that comes back, with nothing written to the run in between."""
    journal = Unreadable()
    (run_id,) = await orphans(journal, 1)
    journal.broken = {run_id}
    async with orchestrator(journal, takeover=True):
        await asyncio.sleep(10)
        journal.broken.clear()
        await asyncio.sleep(65)
        assert await statuses(journal, [run_id]) == ["succeeded"]
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize("error", [OSError("no space left"), ValueError("not a row")])
async def test_a_list_of_runs_that_cannot_be_read_does_not_end_the_rounds(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, and what was left is taken over when it can be read again."""
    journal = Unreadable()
    journal.error = error
    (run_id,) = await orphans(journal, 1)
    journal.lost = True
    async with orchestrator(journal, takeover=True):
        await asyncio.sleep(100)
        journal.lost = False
        await asyncio.sleep(65)
        assert await statuses(journal, [run_id]) == ["succeeded"]
    (said,) = warnings(caplog)
    assert said == f"the runs could not all be looked after: {type(error).__name__}: {error}"


async def test_a_trouble_that_comes_back_is_said_again(caplog: pytest.LogCaptureFixture) -> None:
    """After a minute without it, it is another one."""
    journal = Unreadable()
    async with orchestrator(journal, takeover=True):
        for lost in (True, False, True):
            journal.lost = lost
            await asyncio.sleep(70)
    assert len(warnings(caplog)) == 2


class Jumping(LoopClock):
    """A clock that can be set forward."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


async def test_a_clock_that_jumps_over_several_timers_of_a_run_that_the_first_one_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is due first fails the run, and its other timers with it: nothing is left of them to act on."""

    @agent(description="Is always turned away.")
    async def turned_away() -> str:
        raise TransientError("busy", retry_after=100)

    clock, plan = Jumping(), Plan("knock")
    for name in ("one", "two"):
        plan.add(name, agent=turned_away, budget=Budget(max_seconds=50), on_failure="fail_run")
    policy = Policy(replans=0)
    async with Orchestrator([turned_away], clock=clock, policy=policy) as runs:
        run = await runs.submit(plan)
        await asyncio.sleep(2)
        clock.ahead = 1000.0
        outcome = await run.outcome()

    assert (outcome.status, warnings(caplog)) == ("failed", [])
