"""Resuming, submitting, attaching, detaching and the synchronous call: how a run lives longer than whoever asked."""

import asyncio
import os
import sys
from pathlib import Path

import anyio
import pytest

from agentorch import Agent, Orchestrator, Plan, Policy, Run, agent
from agentorch.errors import ConfigurationError, RunNotFoundError, RunOwnedError, TransientError
from agentorch.events import RunAdopted, RunFinished, TaskRetried, TaskStarted
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.testing.clock import LoopClock
from agentorch.testing.fake_openai import Fail, FakeOpenAI, Say
from tests.runtime import killed

GREETER = Agent("greeter", description="Greets.", prompt="Greet the person.")


@agent(description="Says what it is given.")
async def saying(text: str) -> str:
    return text


@agent(description="Sleeps.")
async def sleeper(seconds: float) -> float:
    await anyio.sleep(seconds)
    return seconds


def one(worker: object, **inputs: object) -> Plan:
    """Return a plan of one task."""
    plan = Plan("one task")
    plan.add("only", agent=worker, inputs=inputs)
    return plan


async def test_a_killed_run_is_resumed_without_repeating_what_was_done(repository: Path, tmp_path: Path) -> None:
    """`kill -9` in the middle: what was done is read back, what was in flight starts again, the answer is the same."""
    journal, calls, undisturbed = (tmp_path / name for name in ("runs.db", "calls", "undisturbed"))
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.runtime.killed", str(journal), str(calls),
        cwd=repository, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(repository)},
    )  # fmt: skip
    assert program.stdout is not None
    run_id = (await program.stdout.readline()).decode().strip()
    program.kill()
    await program.wait()

    policy = Policy(attempts=1)
    async with Orchestrator([killed.team(calls)], journal=journal, policy=policy) as orchestrator:
        outcome = await orchestrator.resume(run_id)
        events = [event async for event in await orchestrator.attach(run_id)]
    async with Orchestrator([killed.team(undisturbed)], policy=policy) as orchestrator:
        expected = await orchestrator.run(killed.plan())

    assert calls.read_text().split() == ["first", "second", "third", "third", "fourth"]
    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert (outcome.answer, dict(outcome.outputs)) == (expected.answer, dict(expected.outputs))
    assert outcome.answer == "first/second/third/fourth"
    assert [type(event) for event in events if isinstance(event, RunAdopted | RunFinished)] == [RunAdopted, RunFinished]
    assert len([event for event in events if isinstance(event, TaskStarted)]) == 4


async def test_a_finished_run_is_read_and_not_written(tmp_path: Path) -> None:
    """Resuming it gives its outcome, in another process too; the journal stays as it is."""
    async with Orchestrator([saying], journal=tmp_path / "runs.db") as before:
        outcome = await before.run(one(saying, text="hello"))
        same = await before.resume(outcome.run_id)
    async with Orchestrator([saying], journal=tmp_path / "runs.db") as after:
        first = [event async for event in await after.attach(outcome.run_id)]
        again = await after.resume(outcome.run_id)
        second = [event async for event in await after.attach(outcome.run_id)]

    assert same == again == outcome
    assert first == second


async def test_an_unknown_run_is_said_to_be_unknown() -> None:
    """`resume` and `attach` raise RunNotFoundError with the id."""
    async with Orchestrator([saying]) as orchestrator:
        with pytest.raises(RunNotFoundError, match="no run nobody in this journal"):
            await orchestrator.resume("nobody")
        with pytest.raises(RunNotFoundError, match="no run nobody in this journal"):
            await orchestrator.attach("nobody")


async def test_a_run_that_is_carried_out_here_is_not_resumed() -> None:
    """RunOwnedError says to attach; the run goes on undisturbed."""
    gate = asyncio.Event()

    @agent(description="Waits.")
    async def waiting() -> str:
        await gate.wait()
        return "through"

    async with Orchestrator([waiting]) as orchestrator:
        run = await orchestrator.submit(one(waiting))
        with pytest.raises(RunOwnedError, match="attach to it"):
            await orchestrator.resume(run.id)
        gate.set()
        outcome = await run.outcome()

    assert outcome.answer == "through"


async def test_a_team_without_the_agent_cannot_resume(tmp_path: Path) -> None:
    """One line names the run, the task and the agent; nothing is written."""
    begun = asyncio.Event()

    @agent(description="Waits.")
    async def waiting() -> str:
        begun.set()
        await asyncio.Event().wait()
        return "never"

    async with Orchestrator([waiting], journal=tmp_path / "runs.db") as before:
        run = await before.submit(one(waiting))
        await begun.wait()
    async with Orchestrator([saying], journal=tmp_path / "runs.db") as after:
        with pytest.raises(ConfigurationError) as caught:
            await after.resume(run.id)
        events = [event async for event in await after.attach(run.id)]

    assert str(caught.value) == f"run {run.id}: task 'only' needs agent 'waiting', which this team lacks"
    assert not [event for event in events if isinstance(event, RunAdopted)]


@pytest.mark.looptime
async def test_a_timer_goes_on_after_a_resume() -> None:
    """A task that waits for its next try is tried when it was due, not at once and not never."""
    calls: list[float] = []
    waits = asyncio.Event()

    @agent(description="Is busy at first.")
    async def busy() -> str:
        calls.append(asyncio.get_running_loop().time())
        if len(calls) == 1:
            raise TransientError("come back later", retry_after=30)
        return "done"

    journal = MemoryJournal()
    async with Orchestrator([busy], journal=journal, clock=LoopClock()) as before:
        run = await before.submit(one(busy))
        async for event in run:
            if isinstance(event, TaskRetried):
                waits.set()
                break
        await waits.wait()
        await asyncio.sleep(10)
    async with Orchestrator([busy], journal=journal, clock=LoopClock()) as after:
        outcome = await after.resume(run.id)

    assert outcome.answer == "done"
    assert calls == [pytest.approx(calls[0]), pytest.approx(calls[0] + 30)]


async def test_a_run_stopped_by_a_wrong_key_goes_on_with_a_good_one(tmp_path: Path) -> None:
    """401 stops the run; another orchestrator with a good key takes it up, and what was done is not repeated."""
    calls: list[str] = []

    @agent(description="Counts its calls.")
    async def counted(name: str) -> str:
        calls.append(name)
        return name

    plan = Plan("greet")
    name = plan.add("name", agent=counted, inputs={"name": "Ann"})
    plan.add("greet", agent=GREETER, inputs={"name": name})
    journal = tmp_path / "runs.db"
    async with FakeOpenAI(Fail(401), Say("Hello, Ann")) as server:
        async with Orchestrator([counted, GREETER], model=server.model(api_key="bad"), journal=journal) as before:
            stopped = await before.run(plan)
        async with Orchestrator([counted, GREETER], model=server.model(api_key="good"), journal=journal) as after:
            outcome = await after.resume(stopped.run_id)
        server.assert_all_used()

    assert (stopped.status, stopped.states) == (OutcomeStatus.WAITING, {"name": "succeeded", "greet": "ready"})
    assert outcome.answer == "Hello, Ann"
    assert calls == ["Ann"]
    assert server.authorizations == ["Bearer bad", "Bearer good"]


@pytest.mark.looptime
async def test_a_stopped_run_goes_on_where_it_stood() -> None:
    """What had not started when the run was stopped is started by the resume, once."""
    calls: list[str] = []

    @agent(description="Counts its calls, slowly.")
    async def counted(name: str) -> str:
        calls.append(name)
        await asyncio.sleep(1)
        return name

    plan = Plan("two in a row")
    first = plan.add("first", agent=counted, inputs={"name": "first"})
    plan.add("second", agent=counted, inputs={"name": "second"}, needs=[first])
    journal = MemoryJournal()
    async with Orchestrator([counted], journal=journal, clock=LoopClock()) as before:
        run = await before.submit(plan)
        await run.stop(reason="enough for today")
        stopped = await run.outcome()
    async with Orchestrator([counted], journal=journal, clock=LoopClock()) as after:
        outcome = await after.resume(run.id)

    assert (stopped.status, stopped.states) == (OutcomeStatus.WAITING, {"first": "succeeded", "second": "ready"})
    assert stopped.problems[0].message == "enough for today"
    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert calls == ["first", "second"]


@pytest.mark.looptime
async def test_a_submitted_run_goes_on_by_itself() -> None:
    """`submit` returns at once; `attach` finds the run live, and both see the same."""
    async with Orchestrator([sleeper], clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(one(sleeper, seconds=5))
        attached = await orchestrator.attach(run.id)
        before = run.status
        outcome, same = await asyncio.gather(run.outcome(), attached.outcome())

    assert before == "running"
    assert outcome == same
    assert outcome.answer == 5.0


@pytest.mark.looptime
async def test_start_waits_at_its_end_unless_it_is_detached() -> None:
    """Leaving the block waits for the run; with `detach` it goes on in the orchestrator."""
    now = asyncio.get_running_loop().time
    async with Orchestrator([sleeper], clock=LoopClock()) as orchestrator:
        began = now()
        async with orchestrator.start(one(sleeper, seconds=5)) as run:
            pass
        waited = (now() - began, run.status)
        async with orchestrator.start(one(sleeper, seconds=5), detach=True) as detached:
            pass
        at_once = (now() - began, detached.status)
        outcome = await detached.outcome()

    assert waited == (5.0, "succeeded")
    assert at_once == (5.0, "running")
    assert outcome.answer == 5.0


@pytest.mark.looptime
@pytest.mark.parametrize("detach", [False, True])
async def test_leaving_start_by_an_exception_cancels_the_run(detach: bool) -> None:
    """The exception goes on; the run is cancelled, what it was doing is stopped, and the journal says why."""
    stopped: list[str] = []

    @agent(description="Waits for ever.")
    async def endless() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append("endless")
        return "never"

    async with Orchestrator([endless], clock=LoopClock()) as orchestrator:
        runs: list[Run] = []

        async def user() -> None:
            async with orchestrator.start(one(endless), detach=detach) as run:
                runs.append(run)
                await asyncio.sleep(1)
                raise LookupError("enough")

        with pytest.raises(LookupError, match="enough"):
            await user()
        outcome = await runs[0].outcome()
        await asyncio.sleep(0.1)

    assert outcome.status is OutcomeStatus.CANCELLED
    assert stopped == ["endless"]


@pytest.mark.looptime
async def test_cancelling_whoever_waits_in_start_cancels_the_run() -> None:
    """A cancelled task takes the run along that it started."""
    runs: list[str] = []

    async def user(orchestrator: Orchestrator) -> None:
        async with orchestrator.start(one(sleeper, seconds=1000)) as run:
            runs.append(run.id)
            await run.outcome()

    async with Orchestrator([sleeper], clock=LoopClock()) as orchestrator:
        task = asyncio.create_task(user(orchestrator))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        outcome = await (await orchestrator.attach(runs[0])).outcome()

    assert task.cancelled()
    assert outcome.status is OutcomeStatus.CANCELLED


def test_run_sync_outside_of_a_loop() -> None:
    """A plain script needs no `await`; twice in a row too."""
    orchestrator = Orchestrator([saying])

    outcomes = [orchestrator.run_sync(one(saying, text=text)) for text in ("one", "two")]

    assert [outcome.answer for outcome in outcomes] == ["one", "two"]


async def test_run_sync_inside_a_running_loop() -> None:
    """As in a notebook's cell, where a loop runs already: it blocks, and gives the outcome."""
    outcome = Orchestrator([saying]).run_sync(one(saying, text="hello"))

    assert outcome.answer == "hello"


async def test_run_sync_inside_an_open_orchestrator_raises() -> None:
    """It would block the loop that carries the run out: the message says what to write instead."""
    async with Orchestrator([saying]) as orchestrator:
        with pytest.raises(ConfigurationError, match=r"use `await orchestrator.run\(...\)`"):
            orchestrator.run_sync(one(saying, text="hello"))


async def test_what_needs_an_open_orchestrator_says_so() -> None:
    """`submit`, `attach` and `take_up` without `async with` are refused with the remedy; `run` needs none."""
    orchestrator = Orchestrator([saying])

    for call in (orchestrator.submit("hello"), orchestrator.attach("x"), orchestrator.take_up("x")):
        with pytest.raises(ConfigurationError, match="use `async with Orchestrator"):
            await call
    assert (await orchestrator.run(one(saying, text="hello"))).answer == "hello"
