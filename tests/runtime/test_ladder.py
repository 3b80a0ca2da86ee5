"""The ladder in a real run: each rung taken in order, each bounded, each an event."""

import itertools
import json
import re
from typing import Any

import pytest

from agentorch import Agent, Orchestrator, Plan, Policy, Run, agent
from agentorch.events import (
    AttemptFailed,
    Event,
    PlanPatched,
    PlanRejected,
    ReplanRequested,
    TaskFailed,
    TaskGaveUp,
    TaskRetried,
    TaskStarted,
)
from agentorch.runtime.outcome import Outcome, OutcomeStatus
from agentorch.testing.scripted_model import ScriptedModel


def one(name: str, worker: Any, **options: Any) -> Plan:
    """Return a plan of one task."""
    plan = Plan("one task")
    plan.add(name, agent=worker, **options)
    return plan


async def watched(run: Run) -> tuple[Outcome, list[Event]]:
    """Return a run's outcome and events."""
    events = [event async for event in run]
    return await run.outcome(), events


def rungs(events: list[Event]) -> list[str]:
    """Return the rungs that were taken, in order, and how it ended."""
    taken: list[str] = []
    for event in events:
        if isinstance(event, TaskRetried):
            taken.append(event.rung)
        elif isinstance(event, TaskGaveUp | ReplanRequested | PlanPatched | TaskFailed):
            taken.append(event.type)
    return taken


async def test_rejected_twice_then_accepted() -> None:
    """A function agent with `problems` is told what was wrong, and its third output is accepted."""
    told: list[list[str]] = []

    @agent(description="Counts up when told.")
    async def counting(problems: list[str]) -> int:
        told.append(problems)
        return len(told)

    @counting.check
    def is_three(output: int) -> str | None:
        return None if output == 3 else f"{output} is not 3"

    assert is_three(3) is None
    async with Orchestrator([counting]) as orchestrator:
        outcome, events = await watched(await orchestrator.submit(one("count", counting)))

    assert outcome.answer == 3
    assert told == [[], ["1 is not 3"], ["2 is not 3"]]
    assert rungs(events) == ["repair", "repair"]
    failed = [event for event in events if isinstance(event, AttemptFailed)]
    assert [(event.output, event.problems) for event in failed] == [(1, ("1 is not 3",)), (2, ("2 is not 3",))]


async def test_never_right_with_a_fallback() -> None:
    """Repairs, a fresh start, then the declared fallback agent: each within its bound."""
    tries = itertools.count()

    @agent(description="Is always wrong.", fallback="right")
    async def wrong(problems: list[str]) -> int:
        return -next(tries)

    @agent(description="Is right.")
    async def right() -> int:
        return 1

    def positive(output: int) -> str | None:
        return None if output > 0 else "not positive"

    async with Orchestrator([wrong, right], validators=[positive]) as orchestrator:
        outcome, events = await watched(await orchestrator.submit(one("only", wrong)))

    assert outcome.answer == 1
    assert rungs(events) == ["repair", "repair", "retry", "agent"]
    assert len([event for event in events if isinstance(event, TaskStarted)]) == 5


async def test_the_fallback_fails_too_and_the_plan_is_patched() -> None:
    """When agent and fallback are used up, the rules put another agent in their place; what was done stays done."""
    calls: list[str] = []

    @agent(description="Brings material.")
    async def material() -> str:
        calls.append("material")
        return "stuff"

    @agent(description="Writes a report from text.", fallback="second")
    async def first(text: str) -> str:
        calls.append("first")
        raise RuntimeError("first fails")

    @agent(description="Writes a report from text, second.")
    async def second(text: str) -> str:
        calls.append("second")
        raise RuntimeError("second fails")

    @agent(description="Writes a report from text, third.")
    async def third(text: str) -> str:
        calls.append("third")
        return f"report on {text}"

    plan = Plan("report")
    stuff = plan.add("stuff", agent=material)
    plan.add("report", agent=first, inputs={"text": stuff})
    policy = Policy(attempts=1)
    team = [material, first, second, third]
    async with Orchestrator(team, policy=policy, planner="rules") as orchestrator:
        outcome, events = await watched(await orchestrator.submit(plan))

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert outcome.answer == "report on stuff"
    assert rungs(events) == ["agent", "TaskGaveUp", "ReplanRequested", "PlanPatched"]
    assert calls == ["material", "first", "second", "third"]


async def test_a_second_patch_knows_who_failed_before_the_first() -> None:
    """Each patch puts somebody in the failed task's place who has not failed at it, until one works."""
    calls: list[str] = []

    def writer(name: str, *, works: bool) -> Agent:
        @agent(name=name, description="Writes a report from text.")
        async def write(text: str) -> str:
            calls.append(name)
            if not works:
                raise RuntimeError(f"{name} fails")
            return f"report on {text}"

        return write

    team = [writer("alpha", works=False), writer("beta", works=False), writer("gamma", works=True)]
    plan = one("report", team[0], inputs={"text": "stuff"})
    async with Orchestrator(team, policy=Policy(attempts=1), planner="rules") as orchestrator:
        outcome, events = await watched(await orchestrator.submit(plan))

    assert (outcome.status, outcome.answer) == (OutcomeStatus.SUCCEEDED, "report on stuff")
    assert calls == ["alpha", "beta", "gamma"]
    assert rungs(events) == ["TaskGaveUp", "ReplanRequested", "PlanPatched"] * 2


async def test_a_model_that_patches_is_shown_who_failed_before_its_first_patch() -> None:
    """The list of those that failed at a task goes through its patches."""

    def failing(name: str) -> Agent:
        @agent(name=name, description="Writes a report from text.")
        async def write(text: str) -> str:
            raise RuntimeError(f"{name} fails")

        return write

    team = [failing("alpha"), failing("beta")]
    put = {
        "id": "report",
        "agent": "beta",
        "objective": "",
        "inputs": [{"name": "text", "value": "stuff"}],
        "needs": [],
    }
    model = ScriptedModel([json.dumps({"put": [put], "drop": [], "answer": None}), "no patch", "none", "none"])
    async with Orchestrator(team, policy=Policy(attempts=1), model=model) as orchestrator:
        await orchestrator.run(one("report", team[0], inputs={"text": "stuff"}))

    shown = [re.findall(r'"report": (\[[^]]*\])', request.messages[0].content) for request in model.requests[:2]]
    assert [[json.loads(names) for names in lists] for lists in shown] == [[["alpha"]], [["alpha", "beta"]]]


async def test_a_patch_that_changes_nothing_goes_back_to_the_model() -> None:
    """The same task once more is refused in words that the model can mend from; its second patch works."""

    @agent(description="Finds facts about a topic.")
    async def finder(topic: str) -> str:
        if topic == "nothing":
            raise RuntimeError("no facts")
        return f"facts on {topic}"

    def put(topic: str) -> str:
        inputs = [{"name": "topic", "value": topic}]
        task = {"id": "facts", "agent": "finder", "objective": "", "inputs": inputs, "needs": []}
        return json.dumps({"put": [task], "drop": [], "answer": None})

    model = ScriptedModel([put("nothing"), put("buses")])
    async with Orchestrator([finder], policy=Policy(attempts=1), model=model) as orchestrator:
        run = await orchestrator.submit(one("facts", finder, inputs={"topic": "nothing"}))
        outcome, events = await watched(run)

    refused = [event.problems[0].code for event in events if isinstance(event, PlanRejected)]
    assert (outcome.answer, refused) == ("facts on buses", ["E_PATCH"])
    assert "a plan that this run has had before" in model.requests[1].messages[0].content
    assert rungs(events) == ["TaskGaveUp", "ReplanRequested", "PlanPatched"]


async def test_the_next_model_is_tried_before_another_agent() -> None:
    """A model that refuses is not asked again: the next one is."""
    refusing = ScriptedModel([f"I cannot do that: {number}." for number in range(9)])
    refusing.name = "first"
    helpful = ScriptedModel(['{"total": 3}'])
    helpful.name = "second"
    counter = Agent(
        "counter",
        description="Counts.",
        prompt="Count the words.",
        output={"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
    )
    models = [refusing, helpful]
    async with Orchestrator([counter], model=models, planner="rules") as orchestrator:
        run = await orchestrator.submit(one("count", counter, inputs={"text": "a b c"}))
        outcome, events = await watched(run)

    assert outcome.answer == {"total": 3}
    assert rungs(events) == ["repair", "repair", "retry", "model"]
    assert (len(refusing.requests), len(helpful.requests)) == (4, 1)


async def test_a_repair_shows_the_output_its_schema_and_the_problems_and_no_history() -> None:
    """The request of a repair holds the rejected output and the problems; not the inputs, not the first prompt."""
    model = ScriptedModel(['{"total": "three"}', '{"total": 3}'])
    counter = Agent(
        "counter",
        description="Counts.",
        prompt="Count the words of the text.",
        output={"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
    )
    async with Orchestrator([counter], model=model, planner="rules") as orchestrator:
        outcome = await orchestrator.run(one("count", counter, inputs={"text": "zebra yak xerus"}))

    first, repair = ("\n".join(m.content for m in request.messages) for request in model.requests)
    assert outcome.answer == {"total": 3}
    assert "zebra yak xerus" in first
    assert '"three"' in repair
    assert "integer" in repair
    assert "zebra" not in repair
    assert "Count the words of the text" not in repair


@pytest.mark.parametrize("kind", ["crash", "permanent"])
async def test_nothing_helps(kind: str) -> None:
    """Everything used up: the run fails, and says so in words; a permanent failure is not retried."""
    calls: list[int] = []

    @agent(description="Never works.")
    async def broken() -> str:
        calls.append(1)
        from agentorch.errors import PermanentError

        raise PermanentError("gone") if kind == "permanent" else RuntimeError("no luck")

    async with Orchestrator([broken], policy=Policy(replans=0)) as orchestrator:
        outcome, events = await watched(await orchestrator.submit(one("only", broken)))

    assert outcome.status is OutcomeStatus.FAILED
    assert rungs(events) == (["TaskFailed"] if kind == "permanent" else ["retry", "TaskFailed"])
    assert len(calls) == (1 if kind == "permanent" else 2)
    assert outcome.problems[0].code == kind
