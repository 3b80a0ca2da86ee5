"""Plain functions in threads, whoever calls them: what goes on is named, and takes no place from others."""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import anyio.from_thread
import pytest

from agentorch import Agent, Context, Orchestrator, Outcome, Plan, Policy, across, agent, tool
from agentorch.core.failures import Code
from agentorch.errors import EffectNotDone
from agentorch.testing import ScriptedModel
from agentorch.threads import MOST, Threads, in_thread, under
from agentorch.validation import Across

GOES_ON = "its body could not be stopped: it goes on by itself, and nobody waits for it"


class Gate:
    """Something that a thread stands still in until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.count = 0
        self._open = threading.Event()

    def wait(self) -> str:
        """Stand still."""
        self.count += 1
        self.begun.release()
        assert self._open.wait(50)
        return "late"

    def open(self) -> None:
        """Let all go."""
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that is open at the end."""
    made = Gate()
    yield made
    made.open()


def one(name: str, **policy: Any) -> Plan:
    """Return a plan of one task."""
    plan = Plan(name)
    plan.add("one", agent=name, **policy)
    return plan


def waiting(where: str, gate: Gate) -> Agent:
    """Return the agent 'waiting', of which a plain function stands in the gate."""

    @tool
    def waits() -> str:
        """Wait."""
        return gate.wait()

    @tool(effect="once", probe=lambda key: gate.wait() == key)
    async def breaks() -> str:
        """Break."""
        raise RuntimeError("the line went dead")

    async def caught(context: Context) -> str:
        try:
            return await context.tool(waits)
        except asyncio.CancelledError:
            raise ValueError("whatever") from None

    async def done(context: Context) -> str:
        return "done"

    ways: dict[str, Callable[[Context], Awaitable[str]]] = {
        "tool": lambda context: context.tool(waits),
        "step": lambda context: context.step("wait", gate.wait),
        "probe": lambda context: context.tool(breaks),
        "check": done,
        "caught": caught,
    }

    async def body(context: Context) -> str:
        return await ways[where](context)

    made = agent(name="waiting", description="Waits.", tools=[waits, breaks], attempts=1)(body)

    def stands(output: str) -> str | None:
        return None if gate.wait() == "late" else output

    if where == "check":
        made.check(stands)
    return made


WHERE = ["tool", "step", "probe", "check", "caught"]


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("ends", [True, False])
async def test_a_thread_is_named_only_when_it_goes_on(where: str, ends: bool, gate: Gate) -> None:
    """The outcome waits for it as long as the grace."""
    async with Orchestrator([waiting(where, gate)]) as orchestrator:
        run = await orchestrator.submit(one("waiting", grace=30 if ends else 0.05))
        await anyio.to_thread.run_sync(gate.begun.acquire, True, 20)
        await run.cancel()
        if ends:
            gate.open()
        outcome = await run.outcome()

    named = [problem.message for problem in outcome.problems if problem.code == Code.RUNS_ON]
    assert (str(outcome.status), named) == ("cancelled", [] if ends else [f"it was withdrawn, and {GOES_ON}"])


@pytest.mark.parametrize("where", WHERE)
async def test_no_next_dispatch_comes_beside_a_thread_that_goes_on(where: str, gate: Gate) -> None:
    """Each would add one more that cannot be stopped: the attempt has failed."""
    async with Orchestrator([waiting(where, gate)], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(one("waiting", grace=0.05, timeout=0.2))

    assert outcome.problems[0].message == f"no result within 0.2 s, and {GOES_ON}"
    assert gate.count == 1


async def test_threads_that_go_on_take_no_place_from_other_runs(gate: Gate) -> None:
    """However many tools of cancelled runs stand still, a later one begins."""

    @tool
    def quick() -> str:
        """Answer."""
        return "quick"

    @agent(description="Uses a tool.", tools=[quick])
    async def brief(context: Context) -> str:
        return await context.tool(quick)

    async with Orchestrator([waiting("tool", gate), brief], policy=Policy(grace=0.01)) as orchestrator:
        for _ in range(45):
            run = await orchestrator.submit(one("waiting"))
            await anyio.to_thread.run_sync(gate.begun.acquire, True, 20)
            await run.cancel()
            await run.outcome()
        outcome = await orchestrator.run(one("brief"))

    assert (outcome.answer, gate.count) == ("quick", 45)


async def test_as_many_tools_run_at_once_as_tasks() -> None:
    """Each waits for all the others."""
    meeting = threading.Barrier(24)

    @tool
    def meet(number: int) -> int:
        """Wait for the others."""
        meeting.wait(50)
        return number

    @agent(description="Meets.", tools=[meet])
    async def guest(number: int, context: Context) -> int:
        return await context.tool(meet, number=number)

    plan = Plan("meet")
    for number in range(24):
        plan.add(f"t{number}", agent="guest", inputs={"number": number})
    async with Orchestrator([guest]) as orchestrator:
        assert str((await orchestrator.run(plan)).status) == "succeeded"


@pytest.mark.parametrize("where", WHERE[:4])
def test_run_sync_joins_no_thread(where: str, gate: Gate) -> None:
    """It returns when the time and the grace are over, while the thread still stands there."""
    outcomes: list[Outcome] = []
    orchestrator = Orchestrator([waiting(where, gate)], policy=Policy(replans=0, grace=0.05))
    calling = threading.Thread(target=lambda: outcomes.append(orchestrator.run_sync(one("waiting"), timeout=0.2)))
    calling.start()
    calling.join(40)
    assert not calling.is_alive()
    assert Code.RUNS_ON in [problem.code for problem in outcomes[0].problems]


async def test_a_plain_tool_asks_its_context_from_its_thread() -> None:
    """`anyio.from_thread.run` works in tools as it does in agents and steps, one inside the other too."""

    @tool
    def inner() -> str:
        """Say a word."""
        return "word"

    @tool
    def asks(context: Context) -> str:
        """Ask."""
        return f"{anyio.from_thread.run(context.model, 'Well?')} {anyio.from_thread.run(context.tool, inner)}"

    @agent(description="Uses a tool.", needs_model=True, tools=[asks, inner])
    async def user(context: Context) -> str:
        return await context.tool(asks)

    async with Orchestrator([user], model=ScriptedModel("well,"), planner="rules") as orchestrator:
        assert (await orchestrator.run(one("user"))).answer == "well, word"


@agent(description="Answers.")
async def brief() -> str:
    return "done"


def standing_at(gate: Gate) -> Across:
    """Return a plain check that does not end while the gate is shut."""

    @across("one", "two")
    def standing(first: str, second: str) -> None:
        gate.wait()

    return standing


@pytest.mark.parametrize("ends", [True, False])
async def test_a_plain_check_across_tasks_is_named_when_it_goes_on(ends: bool, gate: Gate) -> None:
    """As an async one that takes no cancellation."""
    plan = one("brief")
    plan.add("two", agent="brief", needs=("one",))
    policy = Policy(grace=30 if ends else 0.05)
    async with Orchestrator([brief], validators=[standing_at(gate)], policy=policy) as orchestrator:
        run = await orchestrator.submit(plan)
        await anyio.to_thread.run_sync(gate.begun.acquire, True, 20)
        await run.cancel()
        if ends:
            gate.open()
        outcome = await run.outcome()

    words = "check 'standing' could not be stopped: it goes on by itself, and nobody waits for it"
    named = [problem.message for problem in outcome.problems if problem.code == Code.RUNS_ON]
    assert named == ([] if ends else [words])


def test_closing_does_not_wait_for_a_plain_check_across_tasks(gate: Gate) -> None:
    """Nor does the event loop when it ends."""

    async def main() -> None:
        plan = one("brief")
        plan.add("two", agent="brief", needs=("one",))
        async with Orchestrator([brief], validators=[standing_at(gate)], policy=Policy(grace=0.05)) as orchestrator:
            await orchestrator.submit(plan)
            await anyio.to_thread.run_sync(gate.begun.acquire, True, 20)

    calling = threading.Thread(target=asyncio.run, args=(main(),))
    calling.start()
    calling.join(40)
    assert not calling.is_alive()


async def test_so_many_threads_side_by_side_and_no_more(gate: Gate) -> None:
    """Those that were left to themselves count too, until they end; what a thread asks for waits for no place."""
    threads = Threads()
    with under(threads):
        calls = [asyncio.create_task(in_thread(gate.wait)) for _ in range(MOST)]
        for _ in range(MOST):
            await asyncio.to_thread(gate.begun.acquire, True, 20)
        for call in calls[1:]:
            call.cancel()
        more = asyncio.create_task(in_thread(lambda: anyio.from_thread.run(in_thread, contextvars.copy_context)))
    await asyncio.sleep(0.05)
    waited = not more.done() and bool(threads)
    gate.open()
    await more
    await threads.ended()
    assert (waited, gate.count, bool(threads), calls[0].result()) == (True, MOST, False, "late")


async def test_what_was_cancelled_before_it_began_does_not_go_on() -> None:
    """No thread ever takes it up."""
    threads, begun = Threads(), list[int]()
    call = asyncio.create_task(threads.call(lambda: begun.append(1)))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait({call})
    assert (call.cancelled(), bool(threads), begun) == (True, False, [])


@pytest.mark.parametrize("error", [StopIteration, GeneratorExit, EffectNotDone, asyncio.CancelledError])
async def test_what_a_thread_raises_is_raised(error: Callable[[str], BaseException]) -> None:
    """Also what would end a coroutine unseen."""

    def raises() -> None:
        raise error("so")

    with pytest.raises(BaseException, match=r"so|StopIteration"):
        await Threads().call(raises)
