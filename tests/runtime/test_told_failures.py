"""What a model was told of a call that failed: a continued attempt tells it the same, and pays for nothing twice."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentorch import Agent, Orchestrator, Outcome, Plan, Policy, agent, tool
from agentorch.errors import FailureKind, ModelError, PermanentError, TransientError
from agentorch.events import StepFinished
from agentorch.ports.model import Message, ModelRequest, ToolCall
from agentorch.testing.scripted_model import Reply, ScriptedModel

pytestmark = pytest.mark.timeout(30)

Look = Callable[[str], str]
Make = Callable[[Look], tuple[list[Any], Any]]


def _tool(look: Look) -> tuple[list[Any], Any]:
    @tool(name="look")
    async def look_up(what: str) -> str:
        """Look up."""
        return look(what)

    return [], look_up


def _agent(look: Look) -> tuple[list[Any], Any]:
    @agent(name="look", description="Looks up.")
    async def look_up(what: str) -> str:
        return look(what)

    return [look_up], "look"


def _model(*, after: list[str], hung: asyncio.Event | None = None) -> ScriptedModel:
    """Look up `after` in turn, then answer with what was told; with `hung` say so instead, and never answer."""

    def say(request: ModelRequest) -> Reply:
        turns = sum(message.role == "assistant" for message in request.messages)
        if turns < len(after):
            return Reply("", tool_calls=(ToolCall(f"c{turns}", "look", f'{{"what": "{after[turns]}"}}'),))
        if hung is None:
            return Reply(" | ".join(_told(request.messages)))
        hung.set()
        return Reply("never", delay=1000)

    return ScriptedModel(say)


def _told(messages: tuple[Message, ...]) -> list[str]:
    return [message.content.strip().split("\n")[1] for message in messages if message.role == "tool"]


async def _continued(make: Make, look: Look, asked: list[str], journal: Path) -> tuple[Outcome, int, list[Any]]:
    """Return the outcome, the requests after the resume, and the events."""
    team, given = make(look)
    asker = Agent("asker", description="Asks.", prompt="Do it.", tools=[given])
    plan = Plan("t")
    plan.add("t", agent=asker)
    options: dict[str, Any] = {"planner": "rules", "journal": journal, "policy": Policy(attempts=1)}
    hung = asyncio.Event()
    first, second = _model(after=asked, hung=hung), _model(after=asked)
    async with Orchestrator([asker, *team], model=first, **options) as orchestrator:
        run = await orchestrator.submit(plan)
        await hung.wait()
    async with Orchestrator([asker, *team], model=second, **options) as orchestrator:
        outcome = await orchestrator.resume(run.id)
        events = [event async for event in await orchestrator.attach(run.id)]
    return outcome, len(second.requests), events


@pytest.mark.parametrize("make", [_tool, _agent])
@pytest.mark.parametrize("error", [RuntimeError, TransientError, PermanentError])
async def test_a_failed_call_is_told_alike_when_its_attempt_is_continued(
    make: Make, error: type[Exception], tmp_path: Path
):
    """Neither the call nor an answered model call is made again, though the call would now succeed."""
    looked: list[str] = []

    def look(what: str) -> str:
        looked.append(what)
        if len(looked) == 1:
            raise (error if make is _tool else PermanentError)("it is down")
        return f"found {what}"

    outcome, requests, _ = await _continued(make, look, ["a", "b"], tmp_path / "runs.db")
    first, second = outcome.answer.split(" | ")
    assert (outcome.status, requests, looked) == ("succeeded", 1, ["a", "b"])
    assert first.startswith("error: look failed: ")
    assert first.endswith("it is down")
    assert second == "found b"


@pytest.mark.parametrize("make", [_tool, _agent])
async def test_the_same_call_made_again_is_another_step(make: Make, tmp_path: Path):
    """The failure of the first is not read for the second, and the journal names both."""
    looked: list[str] = []

    def look(what: str) -> str:
        looked.append(what)
        if len(looked) == 1:
            raise PermanentError("it is down")
        return f"found {what}"

    outcome, requests, events = await _continued(make, look, ["a", "a"], tmp_path / "runs.db")
    steps = [event.name for event in events if isinstance(event, StepFinished) and event.name != "model"]
    assert (outcome.status, requests, looked) == ("succeeded", 1, ["a", "a"])
    assert outcome.answer.endswith(" | found a")
    assert steps == (["look failed", "look"] if make is _tool else ["look failed"])


async def test_what_must_stop_the_agent_is_told_to_no_model(tmp_path: Path):
    """A budget that is used up inside a tool ends the task; nothing of it is kept as an answer."""

    def look(what: str) -> str:
        raise ModelError("the budget is used up", kind=FailureKind.BUDGET)

    _, look_up = _tool(look)
    asker = Agent("asker", description="Asks.", prompt="Do it.", tools=[look_up])
    plan = Plan("t")
    plan.add("t", agent=asker)
    model = _model(after=["a"])
    async with Orchestrator([asker], model=model, planner="rules", policy=Policy(attempts=1)) as orchestrator:
        run = await orchestrator.submit(plan)
        names = [event.name async for event in run if isinstance(event, StepFinished)]
        outcome = await run.outcome()
    assert (outcome.status, names, len(model.requests)) == ("failed", ["model"], 1)
