"""`Outcome.tasks`: how each task went, to the second, whatever befell it."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from agentorch import Context, Orchestrator, Outcome, Plan, Policy, agent
from agentorch.core.records import TaskRecord
from agentorch.core.usage import Usage
from agentorch.errors import TransientError
from agentorch.runtime.orchestrator import Orchestrator as Opened
from agentorch.testing import LoopClock, Reply, ScriptedModel

pytestmark = pytest.mark.looptime


@agent(description="Works for some seconds.")
async def works(seconds: float) -> float:
    await anyio.sleep(seconds)
    return seconds


@agent(description="Fails after a second.")
async def fails(seconds: float) -> float:
    await anyio.sleep(seconds)
    raise RuntimeError("it is broken")


def team(*agents: Any, **given: Any) -> Opened:
    """Return an orchestrator on virtual time."""
    return Orchestrator(agents, clock=LoopClock(), **given)


def facts(record: TaskRecord) -> tuple[str, int, float, float]:
    """Return state, attempts, seconds and waiting."""
    return (record.state, record.attempts, round(record.seconds, 3), round(record.waiting, 3))


def spans(outcome: Outcome, task: str) -> list[tuple[float, float, str]]:
    """Return each dispatch of a task: start and end in seconds since the run began, and how it ended."""
    began = outcome.started
    return [
        (round(one.started - began, 3), round(one.ended - began, 3), one.how) for one in outcome.tasks[task].dispatches
    ]


async def test_a_task_that_has_no_slot_waits() -> None:
    """What could run and does not, because others are at work, is waiting; what needs another one is not."""
    plan = Plan("queue", answer="$last")
    plan.add("first", agent=works, inputs={"seconds": 2})
    plan.add("second", agent=works, inputs={"seconds": 3})
    plan.add("last", agent=works, inputs={"seconds": 1}, needs=["first", "second"])
    outcome = await team(works, policy=Policy(parallel=1)).run(plan)
    assert {name: facts(record) for name, record in outcome.tasks.items()} == {
        "first": ("succeeded", 1, 2.0, 0.0) if spans(outcome, "first")[0][0] == 0 else ("succeeded", 1, 2.0, 3.0),
        "second": ("succeeded", 1, 3.0, 0.0) if spans(outcome, "second")[0][0] == 0 else ("succeeded", 1, 3.0, 2.0),
        "last": ("succeeded", 1, 1.0, 0.0),
    }


async def test_each_attempt_is_there() -> None:
    """A retry is another attempt, a transient failure another dispatch after a wait; all of their time counts."""
    tries: list[str] = []

    @agent(description="Fails once in each way.")
    async def flaky() -> str:
        tries.append("try")
        await anyio.sleep(1)
        if len(tries) == 1:
            raise TransientError("busy", retry_after=5)
        if len(tries) == 2:
            raise RuntimeError("crash")
        return "done"

    plan = Plan("flaky")
    plan.add("one", agent=flaky)
    outcome = await team(flaky).run(plan)
    record = outcome.tasks["one"]
    assert spans(outcome, "one")[0] == (0.0, 1.0, "transient")
    assert [how for _, _, how in spans(outcome, "one")] == ["transient", "crash", "succeeded"]
    assert facts(record) == ("succeeded", 2, 3.0, 5.0)
    assert record.ended == pytest.approx(outcome.started + 8.0)


async def test_a_failed_task_has_every_try_and_its_reason() -> None:
    """Nothing counts twice when the last try fails; what needs it was never ready."""
    plan = Plan("bad", answer="$after")
    plan.add("bad", agent=fails, inputs={"seconds": 1})
    plan.add("after", agent=works, inputs={"seconds": 1}, needs=["bad"])
    outcome = await team(fails, works, policy=Policy(replans=0)).run(plan)
    bad, after = outcome.tasks["bad"], outcome.tasks["after"]
    assert facts(bad) == ("failed", 2, 2.0, 0.0)
    assert "it is broken" in bad.note
    assert facts(after) == ("skipped", 0, 0.0, 0.0)
    assert (after.note, after.ready, after.dispatches) == ("'bad' brought nothing", None, ())


async def test_a_task_that_was_put_in_its_place_keeps_the_history() -> None:
    """After a re-plan the tries before it still count."""

    @agent(description="Does the same as the other.", capabilities=["a"])
    async def fails_too(seconds: float) -> float:
        await anyio.sleep(seconds)
        raise RuntimeError("broken as well")

    plan = Plan("again")
    plan.add("one", agent=fails_too, inputs={"seconds": 1}, attempts=1)
    outcome = await team(fails_too, works, planner="rules").run(plan)
    assert spans(outcome, "one")[0] == (0.0, 1.0, "crash")
    assert facts(outcome.tasks["one"])[:3] == ("succeeded", 2, 2.0)


async def test_a_cancelled_task_ran_until_then() -> None:
    """What was stopped has run for so long; what had not begun has waited."""
    plan = Plan("long", answer="$one")
    plan.add("one", agent=works, inputs={"seconds": 100})
    plan.add("two", agent=works, inputs={"seconds": 100})
    async with team(works, policy=Policy(parallel=1)) as opened:
        run = await opened.submit(plan)
        await anyio.sleep(3)
        await run.cancel()
        outcome = await run.outcome()
    found = sorted(facts(record) for record in outcome.tasks.values())
    assert found == [("cancelled", 0, 0.0, 3.0), ("cancelled", 1, 3.0, 0.0)]


async def test_what_was_delegated_stands_below_its_caller() -> None:
    """With the name of the caller; each has its own use of models, so that they add up to the run's."""
    used = Usage(100, 20, 10, 1, 0.5)

    @agent(description="Asks the model.")
    async def asks(context: Context) -> str:
        return await context.model("Say it.")

    @agent(description="Calls another.")
    async def calls(context: Context) -> str:
        said: str = await context.call("asks")
        return said + await context.model("Go on.")

    plan = Plan("calls", answer="$top")
    plan.add("top", agent=calls)
    plan.add("end", agent=works, inputs={"seconds": 0}, needs=["top"])
    model = ScriptedModel(lambda _: Reply("well", delay=1, usage=used))
    outcome = await team(asks, calls, works, model=model).run(plan)
    names = list(outcome.tasks)
    assert (names[0], names[2]) == ("top", "end")
    assert [outcome.tasks[name].caller for name in names] == [None, "top", None]
    assert [outcome.tasks[name].usage.calls for name in names] == [1, 1, 0]
    assert sum(record.usage.money for record in outcome.tasks.values()) == outcome.usage.money == 1.0


async def test_records_are_the_same_live_and_read_back(tmp_path: Path) -> None:
    """After a resume of the finished run, from disk, nothing differs."""
    plan = Plan("twice", answer="$two")
    plan.add("one", agent=fails, inputs={"seconds": 1})
    plan.add("two", agent=works, inputs={"seconds": 2})
    journal = tmp_path / "runs.db"
    outcome = await team(fails, works, journal=journal).run(plan)
    again = await team(fails, works, journal=journal).resume(outcome.run_id)
    assert again == outcome
    assert dict(again.tasks) == dict(outcome.tasks)
    assert len(outcome.tasks) == 2


async def test_an_outcome_that_waits_stays_as_it_was() -> None:
    """What a run that rests says of its tasks is of that time, though the run goes on."""

    @agent(description="Asks a person.")
    async def asks_first(context: Context) -> str:
        await anyio.sleep(1)
        return await context.ask("Well?")

    plan = Plan("ask")
    plan.add("one", agent=asks_first)
    async with team(asks_first) as opened:
        run = await opened.submit(plan)
        waiting = await run.outcome()
        await anyio.sleep(9)
        await run.answer(run.waiting[0].request_id, "yes")
        outcome = await run.outcome()
    assert facts(waiting.tasks["one"]) == ("running", 1, 1.0, 0.0)
    assert facts(outcome.tasks["one"]) == ("succeeded", 1, 10.0, 0.0)


async def test_a_fork_keeps_what_the_other_run_did() -> None:
    """A kept task has its earlier times; one that runs again has both, and waited for nothing."""
    plan = Plan("fork")
    one = plan.add("one", agent=works, inputs={"seconds": 2})
    plan.add("two", agent=works, inputs={"seconds": one})
    async with team(works) as opened:
        first = await opened.run(plan)
        events = [event async for event in await opened.attach(first.run_id)]
        await anyio.sleep(1000)
        whole = await opened.fork(first.run_id, at=events[-2].seq)
        other = await opened.fork(first.run_id, at=events[-2].seq, outputs={"one": 5.0})
    assert facts(whole.tasks["one"]) == ("succeeded", 1, 2.0, 0.0)
    assert facts(other.tasks["one"]) == ("succeeded", 1, 2.0, 0.0)
    assert facts(other.tasks["two"])[2:] == (7.0, 0.0)


@pytest.mark.parametrize(("join", "ready"), [("any", 1.0), (2, 2.0), ("settled", 3.0), ("all", 3.0)])
async def test_a_join_says_when_a_task_was_ready(join: Any, ready: float) -> None:
    """Waiting begins when the needs are there that the join asks for."""
    plan = Plan("join", answer="$end")
    needs = [plan.add(f"t{seconds}", agent=works, inputs={"seconds": seconds}) for seconds in (1, 2, 3)]
    plan.add("end", agent=works, inputs={"seconds": 1}, needs=needs, join=join)
    outcome = await team(works).run(plan)
    found = outcome.tasks["end"].ready
    assert found is not None
    assert round(found - outcome.started, 3) == ready
