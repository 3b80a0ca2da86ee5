"""Steps: an attempt that was cut off is continued with what it has finished; a fresh one calls anew."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agentorch import Agent, Budget, Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.core.values import BLOB_BYTES
from agentorch.errors import ConfigurationError, TransientError
from agentorch.events import StepFinished
from agentorch.ports.model import ToolCall
from agentorch.testing.scripted_model import Reply, ScriptedModel

KEY = "sk-proj-abcDEF0123456789abcdef"


class Page(BaseModel):
    """What a step gives."""

    url: str
    words: int


@dataclass
class Log:
    """What has really been called."""

    calls: list[str]

    async def fetch(self, url: str) -> Page:
        self.calls.append(url)
        return Page(url=url, words=len(self.calls))


def one(doer: Agent, **policies: Any) -> Plan:
    """Return a plan of one task."""
    plan = Plan("one task")
    plan.add("only", agent=doer, **policies)
    return plan


async def cut_off(journal: Path, doer: Agent, begun: asyncio.Event, **given: Any) -> str:
    """Begin the task, end the orchestrator when `begun` is set, and return the run's id."""
    async with Orchestrator([doer], journal=journal, **given) as before:
        run = await before.submit(one(doer))
        await begun.wait()
    return run.id


async def test_a_resumed_attempt_reads_its_steps_back(tmp_path: Path) -> None:
    """The second step was under way: only that one is made again, and values come back in their type."""
    log, begun, gate = Log([]), asyncio.Event(), asyncio.Event()
    seen: list[Page] = []

    @agent(description="Fetches two pages.")
    async def fetching(context: Context) -> int:
        first = await context.step("fetch", log.fetch, "a")
        seen.append(first)
        if not gate.is_set():
            begun.set()
            await asyncio.Event().wait()
        second = await context.step("fetch", log.fetch, "b")
        return first.words + second.words

    run_id = await cut_off(tmp_path / "runs.db", fetching, begun)
    gate.set()
    async with Orchestrator([fetching], journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run_id)

    assert (outcome.answer, log.calls) == (3, ["a", "b"])
    assert seen == [Page(url="a", words=1)] * 2


async def test_a_secret_in_the_name_of_a_step_is_not_journaled(tmp_path: Path) -> None:
    """Neither as its name nor in its identity, inside a tool too; it is read back by that all the same."""
    log, begun, gate = Log([]), asyncio.Event(), asyncio.Event()

    @tool
    async def lookup(word: str, context: Context) -> str:
        """Look a word up."""
        page = await context.step(f"fetch with {KEY}", log.fetch, word)
        return page.url

    @agent(description="Fetches.", tools=[lookup])
    async def fetching(context: Context) -> str:
        await context.step(f"fetch as hunter2! with {KEY}", log.fetch, "a")
        await context.tool(lookup, word="b")
        if not gate.is_set():
            begun.set()
            await asyncio.Event().wait()
        return "done"

    given: dict[str, Any] = {"secrets": {"DB": "hunter2!"}}
    run_id = await cut_off(tmp_path / "runs.db", fetching, begun, **given)
    gate.set()
    async with Orchestrator([fetching], journal=tmp_path / "runs.db", **given) as after:
        outcome = await after.resume(run_id)
        events = [event async for event in await after.attach(run_id)]

    assert (outcome.answer, log.calls) == ("done", ["a", "b"])
    first, second, _ = [event for event in events if isinstance(event, StepFinished)]
    assert first.name == "fetch as [redacted:DB] with [redacted:api-key]"
    assert first.step.startswith(first.name + ":")
    assert second.name in second.step
    assert not any(secret in repr(events) for secret in (KEY, "hunter2!"))


async def test_a_model_call_that_was_paid_for_is_not_made_again(tmp_path: Path) -> None:
    """Tool loop of a prompt agent: the answers before the cut are read back, usage counts once."""
    begun, gate = asyncio.Event(), asyncio.Event()
    used: list[str] = []

    @tool
    async def lookup(word: str) -> str:
        """Look a word up."""
        used.append(word)
        if word == "second" and not gate.is_set():
            begun.set()
            await asyncio.Event().wait()
        return f"about {word}"

    def model() -> ScriptedModel:
        return ScriptedModel(
            [
                Reply(tool_calls=(ToolCall("1", "lookup", '{"word": "first"}'),)),
                Reply(tool_calls=(ToolCall("2", "lookup", '{"word": "second"}'),)),
                Reply("done"),
            ]
        )

    reader = Agent("reader", description="Reads.", prompt="Look both words up.", tools=[lookup])
    before = model()
    run_id = await cut_off(tmp_path / "runs.db", reader, begun, model=before)
    gate.set()
    after = ScriptedModel([Reply("done")])
    async with Orchestrator([reader], journal=tmp_path / "runs.db", model=after) as orchestrator:
        outcome = await orchestrator.resume(run_id)

    assert (len(before.requests), len(after.requests)) == (2, 1)
    assert used == ["first", "second", "second"]
    assert (outcome.answer, outcome.usage.calls) == ("done", 3)


async def test_a_transient_failure_continues_the_attempt_and_a_rejection_does_not() -> None:
    """Dispatch 2 of attempt 1 reads the step back; attempt 2 makes it anew."""
    log = Log([])
    attempts: list[int] = []

    @agent(description="Fetches.", attempts=2)
    async def fetching(context: Context) -> int:
        page = await context.step("fetch", log.fetch, "a")
        attempts.append(context.attempt)
        if len(attempts) == 1:
            raise TransientError("busy", retry_after=0.01)
        return page.words

    def twice(output: int) -> str | None:
        return "once more" if output == 1 else None

    fetching.check(twice)
    async with Orchestrator([fetching]) as orchestrator:
        outcome = await orchestrator.run(one(fetching))

    assert (attempts, log.calls, outcome.answer) == ([1, 1, 2], ["a", "a"], 2)


async def test_steps_are_known_by_name_arguments_and_count_not_by_place(tmp_path: Path) -> None:
    """Two equal calls are two steps; side by side, in another order, each finds its own result."""
    log, begun, gate = Log([]), asyncio.Event(), asyncio.Event()

    @agent(description="Fetches side by side.")
    async def fetching(context: Context) -> list[int]:
        urls = ["a", "a", "b"] if not gate.is_set() else ["b", "a", "a"]
        pages = await asyncio.gather(*(context.step("fetch", log.fetch, url) for url in urls))
        if not gate.is_set():
            begun.set()
            await asyncio.Event().wait()
        return [page.words for page in pages]

    run_id = await cut_off(tmp_path / "runs.db", fetching, begun)
    gate.set()
    async with Orchestrator([fetching], journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run_id)

    assert (outcome.answer, log.calls) == ([3, 1, 2], ["a", "a", "b"])


async def test_what_a_tool_does_inside_is_not_taken_for_the_body_s_own() -> None:
    """The same step inside a tool and in the body: when the tool is read back, the body's is still its own."""
    log = Log([])
    tries: list[int] = []

    @tool
    async def inner(url: str, context: Context) -> int:
        """Fetch inside."""
        return (await context.step("fetch", log.fetch, url)).words

    @agent(description="Fetches in and out of a tool.")
    async def fetching(context: Context) -> list[int]:
        inside = await context.tool(inner, url="a")
        tries.append(1)
        if len(tries) == 1:
            raise TransientError("busy", retry_after=0.01)
        return [inside, (await context.step("fetch", log.fetch, "a")).words]

    async with Orchestrator([fetching]) as orchestrator:
        outcome = await orchestrator.run(one(fetching))

    assert outcome.answer == [1, 2]


async def test_a_large_result_is_a_blob_and_comes_back_whole(tmp_path: Path) -> None:
    """The event names the blob; the resumed attempt reads the value."""
    begun, gate = asyncio.Event(), asyncio.Event()
    calls: list[int] = []

    def much() -> str:
        calls.append(1)
        return "x" * (BLOB_BYTES + 1)

    @agent(description="Makes much.")
    async def making(context: Context) -> int:
        text = await context.step("much", much)
        if not gate.is_set():
            begun.set()
            await asyncio.Event().wait()
        return len(text)

    run_id = await cut_off(tmp_path / "runs.db", making, begun)
    gate.set()
    async with Orchestrator([making], journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run_id)
        events = [event async for event in await after.attach(run_id)]

    (step,) = [event for event in events if isinstance(event, StepFinished)]
    assert (outcome.answer, calls) == (BLOB_BYTES + 1, [1])
    assert "$blob" in step.result


async def test_arguments_that_are_no_json_are_refused_in_words() -> None:
    """A step that could not be known again is not taken."""

    def use(thing: object) -> str:
        return str(thing)

    @agent(description="Steps with an object.")
    async def stepping(context: Context) -> str:
        return await context.step("use", use, object())

    async with Orchestrator([stepping], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(one(stepping))

    assert "step 'use': to be known again, its arguments must be JSON" in outcome.problems[0].message


async def test_a_step_whose_annotation_cannot_be_resolved_says_so() -> None:
    """The type is needed to revive the result."""

    def lost() -> int:
        return 1

    lost.__annotations__["return"] = "Nowhere"

    @agent(description="Steps.")
    async def stepping(context: Context) -> int:
        with pytest.raises(ConfigurationError, match="step 'lost': its return annotation cannot be resolved"):
            await context.step("lost", lost)
        return await context.step("length", len, "four")

    async with Orchestrator([stepping]) as orchestrator:
        assert (await orchestrator.run(one(stepping))).answer == 4


async def test_work_that_comes_again_asks_no_model_that_nobody_would_count() -> None:
    """An earlier dispatch of the attempt, delivered once more, has no account: it is told that it is over."""
    keys: list[str] = []
    said: list[bool] = []

    @agent(name="asker", description="Asks.")
    async def asker(context: Context) -> str:
        assert orchestrator._engine is not None
        host = orchestrator._engine._host
        keys.append(f"{context.run_id}/only/1/1/{len(keys) + 1}")
        if len(keys) == 1:
            raise TransientError("busy", retry_after=0.01)
        with pytest.raises(asyncio.CancelledError, match="no longer carried out"):
            host.account(keys[0])
        said.append(host.account(keys[1]) is not None)
        return "done"

    plan = Plan("ask")
    plan.add("only", agent="asker")
    async with Orchestrator([asker]) as orchestrator:
        outcome = await orchestrator.run(plan, budget=Budget(max_calls=1))

    assert (outcome.answer, said) == ("done", [True])
