"""What a provider does wrong, at the HTTP level through the real client, in virtual time."""

import asyncio
import json

import pytest

from agentorch import Agent, Orchestrator, Plan, Policy, agent
from agentorch.events import AttemptFailed, PlanNoted, PlanRejected, TaskRetried
from agentorch.models import GovernedModel, Governor
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.testing.clock import LoopClock
from agentorch.testing.fake_openai import Fail, FakeOpenAI, Say

pytestmark = pytest.mark.looptime

GREETER = Agent("greeter", description="Greets.", prompt="Greet the person.")


def greeting() -> Plan:
    """Return a plan of one greeting."""
    plan = Plan("greet")
    plan.add("greet", agent=GREETER, inputs={"name": "Ann"})
    return plan


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        ([Fail(429, retry_after=20), Fail(429, retry_after=20), Say("hello")], 40.0),
        ([Fail(500), Say("hello")], None),
        ([Say("hel", break_after=1), Say("hello")], None),
        ([Say(pieces=["hel", "lo"], stall_after=1), Say("hello")], None),
    ],
    ids=["429 with Retry-After", "500", "broken stream", "stalled connection"],
)
async def test_transient_failures_are_met_by_the_next_dispatch(
    answers: list[Fail | Say], seconds: float | None
) -> None:
    """The same attempt is dispatched again after a wait that obeys Retry-After; nothing of it reaches the user."""
    async with FakeOpenAI(*answers) as server:
        policy = Policy(silence=30)
        async with Orchestrator([GREETER], model=server.model(), policy=policy, clock=LoopClock()) as orchestrator:
            before = asyncio.get_running_loop().time()
            run = await orchestrator.submit(greeting())
            events = [event async for event in run]
            outcome = await run.outcome()
            took = asyncio.get_running_loop().time() - before
        server.assert_all_used()

    retried = [event for event in events if isinstance(event, TaskRetried)]
    assert outcome.answer == "hello"
    assert [event.rung for event in retried] == ["redispatch"] * (len(answers) - 1)
    assert {event.attempt for event in retried} == {1}
    assert {event.kind for event in events if isinstance(event, AttemptFailed)} == {"transient"}
    assert seconds is None or took == pytest.approx(seconds, abs=1)


async def test_a_refusal_is_not_asked_again() -> None:
    """The model refuses: no retry, the run says why."""
    async with FakeOpenAI(Say(refusal="I will not.")) as server:
        policy = Policy(replans=0)
        async with Orchestrator([GREETER], model=server.model(), policy=policy, clock=LoopClock()) as orchestrator:
            outcome = await orchestrator.run(greeting())
        server.assert_all_used()

    assert outcome.status is OutcomeStatus.FAILED
    assert outcome.problems[0].code == "refused"


async def test_a_wrong_key_stops_the_run_resumably() -> None:
    """401: one problem with the remedy, nothing retried; with the key mended the run goes on from there."""
    async with FakeOpenAI(Fail(401), Say("hello")) as server:
        async with Orchestrator([GREETER], model=server.model(), clock=LoopClock()) as orchestrator:
            stopped = await orchestrator.run(greeting())
            outcome = await orchestrator.resume(stopped.run_id)
        server.assert_all_used()

    assert stopped.status is OutcomeStatus.WAITING
    assert stopped.problems[0].code == "unconfigured"
    assert outcome.answer == "hello"


async def test_a_provider_that_stays_away_ends_the_task_within_bounds() -> None:
    """At most six dispatches, then the ladder goes on, and ends."""
    async with FakeOpenAI(otherwise=Fail(503)) as server:
        policy = Policy(replans=0)
        async with Orchestrator([GREETER], model=server.model(), policy=policy, clock=LoopClock()) as orchestrator:
            outcome = await orchestrator.run(greeting())
        calls = len(server.requests)

    assert calls == 6
    assert outcome.problems[0].code == "transient"


@agent(description="Finds facts about a topic.")
async def researcher(topic: str) -> list[str]:
    return [f"{topic} carry envelopes."]


@agent(description="Writes a short poem from facts.")
async def poet(facts: list[str]) -> str:
    return "Ode: " + " ".join(facts)


FIRST = '{"tasks": [{"id": "facts", "agent": "researcher", "objective": "", "inputs": {"topic": "buses"}, "needs": []},'
REST = (
    ' {"id": "ode", "agent": "poet", "objective": "", "inputs": {"facts": "$facts"}, "needs": []}], "answer": "$ode"}'
)


async def test_the_first_task_runs_while_the_model_still_writes_the_plan() -> None:
    """Over HTTP: the first task is dispatched when its object has come, seconds before the plan is whole."""
    async with (
        FakeOpenAI(Say(pieces=[FIRST, REST], delay=5)) as server,
        Orchestrator([researcher, poet], model=server.model(), clock=LoopClock()) as orchestrator,
    ):
        run = await orchestrator.submit("An ode to message buses")
        events = [event async for event in run]
        outcome = await run.outcome()

    at = {(event.type, event.task): round(event.at - events[0].at) for event in events}
    assert outcome.answer == "Ode: buses carry envelopes."
    assert (at["TaskStarted", "facts"], at["PlanCompleted", None]) == (5, 10)


@pytest.mark.parametrize(
    "cut",
    [Say(pieces=[FIRST, REST], stall_after=1), Say(pieces=[FIRST, REST], break_after=1)],
    ids=["stalled", "broken"],
)
async def test_a_planner_that_falls_silent_is_asked_to_go_on(cut: Say) -> None:
    """The accepted task stands; the rest of the plan comes from the next call, within the policy's silence."""
    async with FakeOpenAI(cut, Say(FIRST + REST)) as server:
        policy = Policy(silence=30)
        async with Orchestrator(
            [researcher, poet], model=server.model(), policy=policy, clock=LoopClock()
        ) as orchestrator:
            before = asyncio.get_running_loop().time()
            outcome = await orchestrator.run("An ode to message buses")
            took = asyncio.get_running_loop().time() - before
        server.assert_all_used()

    assert outcome.answer == "Ode: buses carry envelopes."
    assert took < 60


async def test_a_planner_that_is_told_to_wait_for_a_day_is_replaced_at_once() -> None:
    """The rules plan instead, within seconds, and the events say why."""
    async with FakeOpenAI(otherwise=Fail(429, retry_after=86_400)) as server:
        async with Orchestrator([researcher, poet], model=server.model(), clock=LoopClock()) as orchestrator:
            before = asyncio.get_running_loop().time()
            run = await orchestrator.submit("An ode to message buses")
            events = [event async for event in run]
            outcome = await run.outcome()
            took = asyncio.get_running_loop().time() - before
        asked = len(server.requests)

    refused = [(event.source, event.problems[0].code) for event in events if isinstance(event, PlanRejected)]
    assert outcome.answer == "Ode: An ode to message buses carry envelopes."
    assert (refused, asked) == ([("model", "transient")], 1)
    assert took < 5


async def test_a_planner_that_waits_for_the_providers_limit_says_so_and_not_for_ever() -> None:
    """Where another run was told to wait, the wait is an event when it begins; it ends with the planner's time."""
    async with FakeOpenAI(Fail(429, retry_after=500), otherwise=Say(FIRST + REST)) as server:
        governor = Governor("a provider")
        model = GovernedModel(server.model(traffic=governor), governor)
        policy = Policy(timeout=300)
        async with Orchestrator([researcher, poet], model=model, policy=policy, clock=LoopClock()) as orchestrator:
            await orchestrator.run("An ode to nothing")
            run = await orchestrator.submit("An ode to message buses")
            events = [event async for event in run]
            outcome = await run.outcome()

    told = [(round(event.at - events[0].at), event.type) for event in events if isinstance(event, PlanNoted)]
    refused = [(round(e.at - events[0].at), e.problems[0].code) for e in events if isinstance(e, PlanRejected)]
    assert outcome.answer == "Ode: An ode to message buses carry envelopes."
    assert told[0] == (0, "PlanNoted")
    assert refused == [(300, "timeout")]


async def test_a_repair_sends_no_history() -> None:
    """Over HTTP: one message with the output, its schema and the problems; nothing of the first request."""
    counter = Agent(
        "counter",
        description="Counts.",
        prompt="Count the words of the text.",
        output={"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
    )
    plan = Plan("count")
    plan.add("count", agent=counter, inputs={"text": "zebra yak xerus"})
    async with FakeOpenAI(Say('{"total": "three"}'), Say('{"total": 3}')) as server:
        async with Orchestrator([counter], model=server.model(), planner="rules", clock=LoopClock()) as orchestrator:
            outcome = await orchestrator.run(plan)
        server.assert_all_used()
        first, repair = (request["messages"] for request in server.requests)

    said = json.dumps(repair)
    assert outcome.answer == {"total": 3}
    assert "zebra yak xerus" in json.dumps(first)
    assert [message["role"] for message in repair if message["role"] != "system"] == ["user"]
    assert all(words in said for words in ("three", "integer"))
    assert not any(words in said for words in ("zebra", "Count the words of the text"))
