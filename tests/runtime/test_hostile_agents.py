"""Whatever an agent raises or returns, its task fails with words and the run goes on."""

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any, Never

import pytest

from agentorch import Context, Orchestrator, Outcome, Plan, Policy, agent


class OfItsOwnKind(BaseException):
    """Not an Exception."""


class WithoutWords(Exception):
    def __str__(self) -> Never:
        raise RuntimeError("no words")


def own_kind() -> str:
    raise OfItsOwnKind("hello")


def generator_exit() -> str:
    raise GeneratorExit


def leaves() -> str:
    raise SystemExit(3)


def group() -> str:
    raise BaseExceptionGroup("several", [OfItsOwnKind("one")])


def wordless() -> str:
    raise WithoutWords


def cancelled() -> str:
    raise asyncio.CancelledError


def stops() -> str:
    raise StopIteration


HOSTILE = [own_kind, generator_exit, leaves, group, wordless, cancelled, stops]


@agent(description="Does its work.")
async def honest() -> str:
    await asyncio.sleep(0)
    return "fine"


async def outcome_of(function: Callable[..., Any], **options: Any) -> Outcome:
    """Run the function as an agent's body, and an honest agent after it."""
    body = agent(description="Is hostile.", name="hostile", attempts=1)(function)
    plan = Plan("hostile")
    plan.add("bad", agent=body)
    plan.add("good", agent=honest)
    policy = Policy(replans=0, parallel=1)
    async with asyncio.timeout(10), Orchestrator([body, honest], policy=policy, **options) as orchestrator:
        return await orchestrator.run(plan)


@pytest.mark.parametrize("raising", HOSTILE)
@pytest.mark.parametrize("where", ["loop", "later", "thread"])
async def test_whatever_it_raises_is_a_crash_of_its_task(raising: Callable[[], str], where: str) -> None:
    """In the loop, after a pause and in a thread; the task beside it is done."""

    async def now() -> str:
        return raising()

    async def later() -> str:
        await asyncio.sleep(0)
        return raising()

    bodies: dict[str, Callable[..., Any]] = {"loop": now, "later": later, "thread": raising}
    outcome = await outcome_of(bodies[where])

    assert outcome.states["bad"] == "failed"
    assert outcome.states["good"] == "succeeded"


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_generator_exit_out_of_a_thread_leaves_nothing_unsaid(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Thrown into a coroutine it would close it, and end its slot: asyncio complains of that at any later moment."""

    async def waiting() -> str:
        return await asyncio.to_thread(generator_exit)

    outcome = await outcome_of(waiting if is_async else generator_exit)
    gc.collect()

    assert (outcome.states["bad"], outcome.states["good"]) == ("failed", "succeeded")
    assert "GeneratorExit" in outcome.problems[0].message
    assert not caplog.records


async def test_an_agent_that_cancels_its_own_task_crashes() -> None:
    """Nobody asked for it to end: that is a fault of its own."""

    async def itself() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)
        return "never"

    outcome = await outcome_of(itself)

    assert (outcome.states["bad"], outcome.states["good"]) == ("failed", "succeeded")
    assert "cancelled its own task" in outcome.problems[0].message


async def nested_integer() -> dict[str, Any]:
    return {"number": 10**5000}


async def integer() -> int:
    return 10**5000


async def circular() -> Any:
    whole: list[Any] = []
    whole.append(whole)
    return whole


@pytest.mark.parametrize("body", [integer, nested_integer, circular])
async def test_an_output_that_the_journal_cannot_hold_is_its_tasks_failure(body: Callable[..., Any]) -> None:
    """The run is not lost: the task beside it is done."""
    outcome = await outcome_of(body)

    assert (outcome.states["bad"], outcome.states["good"]) == ("failed", "succeeded")


@pytest.mark.parametrize("times", [1, 100_000])
async def test_half_a_character_is_the_same_in_short_and_long_texts(times: int) -> None:
    """Both are kept as they are, the long one in a blob."""
    seen: list[bool] = []

    @agent(description="Writes half a character.")
    async def writer() -> str:
        return "a\ud800b" * times

    @agent(description="Reads it.")
    async def reader(text: str) -> int:
        seen.append(text == "a\ud800b" * times)
        return 1

    plan = Plan("half")
    plan.add("read", agent=reader, inputs={"text": plan.add("write", agent=writer)})
    async with Orchestrator([writer, reader], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.status == "succeeded"
    assert seen == [True]


async def test_a_thread_that_cannot_be_stopped_is_not_joined_by_more() -> None:
    """A plain function over its time: its thread goes on, so the attempt has failed; there is no next dispatch."""
    gate = threading.Event()
    begun: list[int] = []

    @agent(description="Blocks its thread.", timeout=0.05, attempts=1)
    def blocking() -> str:
        begun.append(1)
        gate.wait(20)
        return "late"

    plan = Plan("block")
    plan.add("one", agent=blocking)
    orchestrator = Orchestrator([blocking], policy=Policy(replans=0))
    try:
        outcome = await orchestrator.run(plan)
    finally:
        gate.set()

    assert (outcome.states, len(begun)) == ({"one": "failed"}, 1)
    assert "its body could not be stopped" in outcome.problems[0].message


async def test_words_without_end_are_cut() -> None:
    """Of a message or a report of a million characters the journal keeps the beginning and the length."""

    @agent(description="Talks.", attempts=1)
    async def talker(context: Context) -> str:
        context.report("r" * 1_000_000)
        raise ValueError("m" * 1_000_000)

    plan = Plan("talk")
    plan.add("talk", agent=talker)
    async with Orchestrator([talker], policy=Policy(replans=0)) as orchestrator:
        run = await orchestrator.submit(plan)
        sizes = {event.type: len(event.model_dump_json()) async for event in run}
        outcome = await run.outcome()

    assert max(sizes.values()) < 10_000
    assert outcome.problems[0].message.startswith("ValueError: mmm")
    assert outcome.problems[0].message.endswith("mmm... (1000012 characters)")
