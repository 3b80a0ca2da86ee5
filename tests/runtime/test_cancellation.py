"""Cancelled runs: nothing goes through the context any more, and what does not end is named."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from agentorch import Agent, Context, Orchestrator, Plan, Policy, across, agent
from agentorch.core.failures import Code
from agentorch.core.usage import Usage
from agentorch.events import OutcomeLate, RunFinished, TaskReported
from agentorch.models import GovernedModel, Governor, Limits
from agentorch.testing import LoopClock, Reply, ScriptedModel


async def outlast(seconds: float) -> None:
    """Go on for so long, whoever cancels."""
    end = anyio.current_time() + seconds
    while (now := anyio.current_time()) < end:
        try:
            await anyio.sleep(end - now)
        except asyncio.CancelledError:
            continue


def single(name: str) -> Plan:
    """Return a plan of one task."""
    plan = Plan(name)
    plan.add("one", agent=name)
    return plan


@pytest.mark.looptime
@pytest.mark.parametrize(("lasts", "named"), [(100, True), (2, False)])
async def test_what_does_not_end_within_its_grace_is_named(lasts: float, named: bool) -> None:
    """The outcome waits for as long as the grace, no longer; the journal holds the name too, behind the last word."""

    @agent(description="Takes no cancellation.", grace=3)
    async def stubborn() -> str:
        await outlast(lasts)
        return "at last"

    @agent(description="Answers.")
    async def brief() -> str:
        return "done"

    async with Orchestrator([stubborn, brief], policy=Policy(parallel=1), clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("stubborn"))
        await anyio.sleep(1)
        before = anyio.current_time()
        await run.cancel()
        outcome = await run.outcome()
        took = anyio.current_time() - before
        again = await (await orchestrator.attach(run.id)).outcome()
        other = await orchestrator.run(single("brief"))
        events = [event async for event in run.events(after=0)]

    words = "it was withdrawn, and its body could not be stopped: it goes on by itself, and nobody waits for it"
    found = [(problem.code, problem.task, problem.message) for problem in outcome.problems]
    assert (outcome.status, other.answer) == ("cancelled", "done")
    assert ((Code.RUNS_ON, "one", words) in found) is named
    assert again.problems == outcome.problems
    assert took == pytest.approx(3 if named else 1, abs=0.1)
    assert any(isinstance(event, RunFinished) for event in events[-2:])


@pytest.mark.looptime
@pytest.mark.parametrize(("lasts", "named"), [(100, True), (2, False)])
async def test_a_check_that_does_not_end_within_the_grace_is_named(lasts: float, named: bool) -> None:
    """Nobody waits for it longer, live or when the run is read; the orchestrator does not either."""

    @agent(description="Answers.")
    async def brief() -> str:
        return "done"

    @across("one", "two")
    async def stubborn(one: str, two: str) -> None:
        await outlast(lasts)

    plan = single("brief")
    plan.add("two", agent="brief", needs=("one",))
    policy = Policy(grace=3)
    async with Orchestrator([brief], validators=[stubborn], policy=policy, clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan)
        await anyio.sleep(1)
        before = anyio.current_time()
        await run.cancel()
        outcome = await run.outcome()
        took = anyio.current_time() - before
        again = await (await orchestrator.attach(run.id)).outcome()

    words = "check 'stubborn' could not be stopped: it goes on by itself, and nobody waits for it"
    assert (outcome.status, again.problems) == ("cancelled", outcome.problems)
    assert [problem.message for problem in outcome.problems if problem.code == Code.RUNS_ON] == [words] * named
    assert took == pytest.approx(3 if named else 1, abs=0.1)
    assert anyio.current_time() - before == pytest.approx(took)


@pytest.mark.looptime
async def test_a_person_s_answer_is_not_waited_for_after_a_cancel() -> None:
    """A callback that takes no cancellation is named with the task that it was asked about."""

    async def on_request(_: Any) -> bool:
        await outlast(100)
        return True

    @agent(description="Answers.", approval="before")
    async def brief() -> str:
        return "done"

    async with Orchestrator([brief], on_request=on_request, clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("brief"))
        await anyio.sleep(1)
        await run.cancel()
        outcome = await run.outcome()
        took = anyio.current_time()
        await anyio.sleep(200)
        later = await run.outcome()

    words = (
        "on_request, asked 'approve:one:1:1:brief', could not be stopped: it goes on by itself, and nobody waits for it"
    )
    assert [(problem.task, problem.message) for problem in outcome.problems if problem.code == Code.RUNS_ON] == [
        ("one", words)
    ]
    assert (outcome.status, later.problems) == ("cancelled", outcome.problems)
    assert took == pytest.approx(6, abs=0.1)


@pytest.mark.looptime
async def test_a_stopped_run_does_not_wait_for_the_person_who_is_asked() -> None:
    """It stands still, whoever thinks about what; the answer that comes all the same is kept."""

    async def on_request(_: Any) -> bool:
        await anyio.sleep(1000)
        return True

    @agent(description="Answers.", approval="before")
    async def brief() -> str:
        return "done"

    async with Orchestrator([brief], on_request=on_request, clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("brief"))
        await anyio.sleep(1)
        await run.stop()
        outcome = await run.outcome()
        took = anyio.current_time()
        await anyio.sleep(2000)
        later = await orchestrator.resume(run.id)

    assert (outcome.status, took) == ("waiting", pytest.approx(1, abs=0.1))
    assert later.answer == "done"


@pytest.mark.looptime
async def test_what_a_cancelled_body_spent_counts() -> None:
    """A call that brought no answer was made all the same; the outcome that waits for it tells."""

    @agent(description="Asks.", needs_model=True)
    async def asker(context: Context) -> str:
        return await context.model("Well?")

    model = ScriptedModel(Reply("late", delay=100))
    async with Orchestrator([asker], model=model, planner="rules", clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("asker"))
        await anyio.sleep(1)
        await run.cancel()
        outcome = await run.outcome()
        late = await orchestrator._open_launch("x").engine.journal.read(run.id, after=0, limit=100)

    assert outcome.usage == Usage(calls=1)
    assert [event.usage for event in late if isinstance(event, OutcomeLate)] == [Usage(calls=1)]


@pytest.mark.looptime
async def test_after_a_cancel_the_context_refuses_every_call(tmp_path: Path) -> None:
    """Each method, in the body that swallowed its cancellation and in a task of its own, at once."""
    refused: list[str] = []

    def calls(context: Context) -> dict[str, Any]:
        async def report() -> None:
            context.report("still here")

        return {
            "model": lambda: context.model("?"),
            "call": lambda: context.call("stubborn"),
            "tool": lambda: context.tool(lambda: 1),
            "step": lambda: context.step("s", lambda: 1),
            "ask": lambda: context.ask("?"),
            "report": report,
            "read": lambda: context.read("0" * 64),
            "save": lambda: context.save(tmp_path / "there-is-none"),
        }

    @agent(description="Takes no cancellation.")
    async def stubborn(context: Context) -> str:
        try:
            await anyio.sleep(100)
        except asyncio.CancelledError:
            before = anyio.current_time()
            for name, call in calls(context).items():
                for way in (lambda call=call: call(), lambda call=call: asyncio.create_task(call())):
                    try:
                        await way()
                    except asyncio.CancelledError:
                        refused.append(name)
            assert anyio.current_time() == before
        return "done"

    async with Orchestrator([stubborn], model=ScriptedModel("no"), clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(single("stubborn"))
        await anyio.sleep(1)
        await run.cancel()
        await run.outcome()

    names = ["model", "call", "tool", "step", "ask", "report", "read", "save"]
    assert refused == [name for name in names for _ in range(2)]


@pytest.mark.looptime
async def test_a_queued_call_of_a_left_behind_task_does_not_leave() -> None:
    """The dispatch that made it has long succeeded; the cancelled run takes the call along."""
    left: list[asyncio.Task[Any]] = []

    @agent(description="Leaves calls behind.", needs_model=True)
    async def careless(context: Context) -> str:
        left.extend(asyncio.create_task(context.model(f"{number}?")) for number in range(3))
        await anyio.sleep(0.1)
        return "done"

    @agent(description="Takes long.")
    async def slow(before: str) -> str:
        await anyio.sleep(1000)
        return before

    plan = Plan("leave", answer="slow")
    plan.add("careless", agent=careless)
    plan.add("slow", agent=slow, inputs={"before": "$careless"})
    scripted = ScriptedModel(Reply("said", delay=5))
    model = GovernedModel(scripted, Governor("test", Limits(concurrency=1)))
    async with Orchestrator([careless, slow], model=model, planner="rules", clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(plan)
        await anyio.sleep(7)
        await run.cancel()
        await run.outcome()
        await anyio.sleep(100)

    assert len(scripted.requests) == 2
    assert [task.cancelled() for task in left] == [False, True, True]


@pytest.mark.looptime
async def test_a_task_that_serves_several_dispatches_outlives_one() -> None:
    """Its call for the cancelled run is refused; the task itself is not cancelled, and serves the others."""
    asked: asyncio.Queue[tuple[Context, asyncio.Future[Any]]] = asyncio.Queue()

    async def serve() -> None:
        while True:
            context, answer = await asked.get()
            try:
                answer.set_result(await context.model("?"))
            except asyncio.CancelledError:
                if answer.cancelled():
                    continue
                raise

    @agent(description="Has another task ask.", needs_model=True)
    async def client(context: Context) -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await asked.put((context, answer))
        return await answer

    serving = asyncio.create_task(serve())
    model = ScriptedModel(Reply("said", delay=5))
    async with Orchestrator([client], model=model, planner="rules", clock=LoopClock()) as orchestrator:
        first = await orchestrator.submit(single("client"))
        await anyio.sleep(1)
        await first.cancel()
        outcome = await orchestrator.run(single("client"))
    serving.cancel()

    assert outcome.answer == "said"


@pytest.mark.parametrize("ends", [True, False])
async def test_a_thread_is_named_only_when_it_goes_on(ends: bool) -> None:
    """A plain function cannot be stopped; one that comes to its end within the grace is not held against it."""
    begun, release = threading.Event(), threading.Event()

    @agent(description="Waits in its thread.", grace=30 if ends else 0.05)
    def waiting(context: Context) -> str:
        context.report("begun")
        begun.set()
        release.wait(60)
        return "late"

    async with Orchestrator([waiting]) as orchestrator:
        run = await orchestrator.submit(single("waiting"))
        await anyio.to_thread.run_sync(begun.wait, 20)
        await run.cancel()
        if ends:
            release.set()
        outcome = await run.outcome()
        release.set()
        events = [event async for event in run]

    assert outcome.status == "cancelled"
    assert [problem.task for problem in outcome.problems if problem.code == Code.RUNS_ON] == ([] if ends else ["one"])
    assert [event.text for event in events if isinstance(event, TaskReported)] == ["begun"]


@agent(description="Cancels its own task beside a call.", attempts=1)
async def giving_up(context: Context) -> str:
    """Leave a question open."""
    asking = asyncio.create_task(context.ask("Who?"))
    await asyncio.sleep(0.01)
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(600)
    return await asking


@pytest.mark.looptime
async def test_a_body_that_cancels_itself_has_broken_and_waits_for_no_call_of_its_own() -> None:
    """Nobody has stopped that; a retry, or a cancel of the run, meets no leftover of it."""
    async with Orchestrator([giving_up], clock=LoopClock(), policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(single("giving_up"))
    assert outcome.status == "failed"
    assert "the agent cancelled its own task" in outcome.problems[0].message


@agent(description="Waits for a call of its own task.")
async def beside(context: Context) -> str:
    """Call from a task beside the body."""
    called = asyncio.create_task(context.model("a"))
    await asyncio.sleep(600)
    return await called


@agent(description="Calls thrice at once.")
async def thrice(context: Context) -> str:
    """Call from tasks."""
    return "".join(await asyncio.gather(*(context.model(f"call {number}") for number in range(3))))


@agent(description="Goes on after its call.", grace=0.1)
async def going_on(context: Context) -> str:
    """Call from the body, and end late."""
    try:
        return await context.model("a")
    except asyncio.CancelledError:
        await outlast(0.3)
        return "at last"


@agent(description="Calls from a process of its own.", isolate=True)
async def apart(context: Context) -> str:
    """Call from a child."""
    return await context.model("a")


@pytest.mark.parametrize("caller", [beside, thrice, going_on, apart])
async def test_what_was_used_until_then_is_in_the_outcome(caller: Agent) -> None:
    """Also by calls that were under way, whoever made them; nothing limits them, so nothing was written before."""
    model = ScriptedModel(Reply("x", delay=600))
    wanted = 3 if caller is thrice else 1
    async with Orchestrator([caller], model=model) as orchestrator:
        run = await orchestrator.submit(single(caller.name))
        while len(model.requests) < wanted:  # noqa: ASYNC110
            await anyio.sleep(0.01)
        await run.cancel()
        outcome = await run.outcome()
    assert (outcome.status, outcome.usage) == ("cancelled", Usage(calls=wanted))
