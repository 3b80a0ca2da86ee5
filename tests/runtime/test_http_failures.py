"""What a provider does wrong, at the HTTP level through the real client, in virtual time."""

import json

import pytest

from agentorch import Agent, Plan, Policy, agent
from agentorch.events import AttemptFailed, PlanNoted, PlanRejected, TaskRetried
from agentorch.models import GovernedModel, Governor
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.testing import Fail, FakeOpenAI, MakeOrchestrator, Say, VirtualClock

pytestmark = pytest.mark.usefixtures("virtual_clock")

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
    make_orchestrator: MakeOrchestrator,
    fake_openai: FakeOpenAI,
    virtual_clock: VirtualClock,
    answers: list[Fail | Say],
    seconds: float | None,
) -> None:
    """The same attempt is dispatched again after a wait that obeys Retry-After; nothing of it reaches the user."""
    fake_openai.then(*answers)
    async with make_orchestrator([GREETER], policy=Policy(silence=30)) as orchestrator:
        run = await orchestrator.submit(greeting())
        events = [event async for event in run]
        outcome = await run.outcome()

    retried = [event for event in events if isinstance(event, TaskRetried)]
    assert outcome.answer == "hello"
    assert [event.rung for event in retried] == ["redispatch"] * (len(answers) - 1)
    assert {event.attempt for event in retried} == {1}
    assert {event.kind for event in events if isinstance(event, AttemptFailed)} == {"transient"}
    assert seconds is None or virtual_clock.elapsed == pytest.approx(seconds, abs=1)


async def test_a_refusal_is_not_asked_again(make_orchestrator: MakeOrchestrator, fake_openai: FakeOpenAI) -> None:
    """The model refuses: no retry, the run says why."""
    fake_openai.then(Say(refusal="I will not."))
    async with make_orchestrator([GREETER], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(greeting())

    assert outcome.status is OutcomeStatus.FAILED
    assert outcome.problems[0].code == "refused"


async def test_a_wrong_key_stops_the_run_resumably(
    make_orchestrator: MakeOrchestrator, fake_openai: FakeOpenAI
) -> None:
    """401: one problem with the remedy, nothing retried; with the key mended the run goes on from there."""
    fake_openai.then(Fail(401), Say("hello"))
    async with make_orchestrator([GREETER]) as orchestrator:
        stopped = await orchestrator.run(greeting())
        outcome = await orchestrator.resume(stopped.run_id)

    assert stopped.status is OutcomeStatus.WAITING
    assert stopped.problems[0].code == "unconfigured"
    assert outcome.answer == "hello"


async def test_a_provider_that_stays_away_ends_the_task_within_bounds(
    make_orchestrator: MakeOrchestrator, fake_openai: FakeOpenAI
) -> None:
    """At most six dispatches, then the ladder goes on, and ends."""
    fake_openai.otherwise = Fail(503)
    async with make_orchestrator([GREETER], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(greeting())

    assert len(fake_openai.requests) == 6
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


async def test_the_first_task_runs_while_the_model_still_writes_the_plan(
    make_orchestrator: MakeOrchestrator, fake_openai: FakeOpenAI
) -> None:
    """Over HTTP: the first task is dispatched when its object has come, seconds before the plan is whole."""
    fake_openai.then(Say(pieces=[FIRST, REST], delay=5))
    async with make_orchestrator([researcher, poet], planner="model") as orchestrator:
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
async def test_a_planner_that_falls_silent_is_asked_to_go_on(
    make_orchestrator: MakeOrchestrator, fake_openai: FakeOpenAI, virtual_clock: VirtualClock, cut: Say
) -> None:
    """The accepted task stands; the rest of the plan comes from the next call, within the policy's silence."""
    fake_openai.then(cut, Say(FIRST + REST))
    async with make_orchestrator([researcher, poet], planner="model", policy=Policy(silence=30)) as orchestrator:
        outcome = await orchestrator.run("An ode to message buses")

    assert outcome.answer == "Ode: buses carry envelopes."
    assert virtual_clock.elapsed < 60


async def test_a_planner_that_is_told_to_wait_for_a_day_is_replaced_at_once(
    make_orchestrator: MakeOrchestrator, fake_openai: FakeOpenAI, virtual_clock: VirtualClock
) -> None:
    """The rules plan instead, within seconds, and the events say why."""
    fake_openai.otherwise = Fail(429, retry_after=86_400)
    async with make_orchestrator([researcher, poet], planner="model") as orchestrator:
        run = await orchestrator.submit("An ode to message buses")
        events = [event async for event in run]
        outcome = await run.outcome()

    refused = [(event.source, event.problems[0].code) for event in events if isinstance(event, PlanRejected)]
    assert outcome.answer == "Ode: An ode to message buses carry envelopes."
    assert (refused, len(fake_openai.requests)) == ([("model", "transient")], 1)
    assert virtual_clock.elapsed < 5


async def test_a_planner_that_waits_for_the_providers_limit_says_so_and_not_for_ever(
    make_orchestrator: MakeOrchestrator, fake_openai: FakeOpenAI
) -> None:
    """Where another run was told to wait, the wait is an event when it begins; it ends with the planner's time."""
    fake_openai.then(Fail(429, retry_after=500)).otherwise = Say(FIRST + REST)
    governor = Governor("a provider")
    model = GovernedModel(fake_openai.model(traffic=governor), governor)
    policy = Policy(timeout=300)
    async with make_orchestrator([researcher, poet], model=model, planner="model", policy=policy) as orchestrator:
        await orchestrator.run("An ode to nothing")
        run = await orchestrator.submit("An ode to message buses")
        events = [event async for event in run]
        outcome = await run.outcome()

    told = [(round(event.at - events[0].at), event.type) for event in events if isinstance(event, PlanNoted)]
    refused = [(round(e.at - events[0].at), e.problems[0].code) for e in events if isinstance(e, PlanRejected)]
    assert outcome.answer == "Ode: An ode to message buses carry envelopes."
    assert told[0] == (0, "PlanNoted")
    assert refused == [(300, "timeout")]


async def test_a_repair_sends_no_history(make_orchestrator: MakeOrchestrator, fake_openai: FakeOpenAI) -> None:
    """Over HTTP: one message with the output, its schema and the problems; nothing of the first request."""
    counter = Agent(
        "counter",
        description="Counts.",
        prompt="Count the words of the text.",
        output={"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
    )
    plan = Plan("count")
    plan.add("count", agent=counter, inputs={"text": "zebra yak xerus"})
    fake_openai.then(Say('{"total": "three"}'), Say('{"total": 3}'))
    async with make_orchestrator([counter]) as orchestrator:
        outcome = await orchestrator.run(plan)
    first, repair = (request["messages"] for request in fake_openai.requests)

    said = json.dumps(repair)
    assert outcome.answer == {"total": 3}
    assert "zebra yak xerus" in json.dumps(first)
    assert [message["role"] for message in repair if message["role"] != "system"] == ["user"]
    assert all(words in said for words in ("three", "integer"))
    assert not any(words in said for words in ("zebra", "Count the words of the text"))
