"""A planner that returns rubbish: repaired, or the rules take over, with events that say so. Never a traceback."""

import asyncio
import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import pytest

from agentorch import Orchestrator, Plan, Policy, Task, agent
from agentorch.core.task import Graph
from agentorch.events import PlanCompleted, PlanNoted, PlanRejected
from agentorch.ports.planner import Offer, Patch, PlanReport, PlanRequest, Ruling
from agentorch.runtime.outcome import Outcome, OutcomeStatus
from agentorch.testing.clock import LoopClock
from agentorch.testing.scripted_model import ScriptedModel


@agent(description="Finds facts about a topic.")
async def researcher(topic: str) -> list[str]:
    return [f"{topic} carry envelopes."]


@agent(description="Writes a short poem from facts.")
async def poet(facts: list[str]) -> str:
    return "Ode: " + " ".join(facts)


def plan(*tasks: dict[str, Any]) -> str:
    """Return a plan as a model writes it."""
    return json.dumps({"tasks": tasks})


GOOD = (
    {"id": "facts", "agent": "researcher", "objective": "", "inputs": {"topic": "buses"}},
    {"id": "poem", "agent": "poet", "objective": "", "inputs": {"facts": "$facts"}},
)
CYCLE = (
    {"id": "a", "agent": "poet", "objective": "", "inputs": {"facts": ["x"]}, "needs": ["b"]},
    {"id": "b", "agent": "poet", "objective": "", "inputs": {"facts": ["x"]}, "needs": ["a"]},
)
MANY = [{"id": f"t{n}", "agent": "researcher", "objective": "", "inputs": {"topic": "x"}} for n in range(10_000)]

HALF_GOOD: tuple[dict[str, Any], ...] = (
    {"id": "poet", "agent": "researcher", "objective": "", "inputs": {"topic": "another thing"}},
    {"id": "x", "agent": "quantum", "objective": "", "inputs": {}},
)
RULES_ANSWER = "Ode: An ode to message buses carry envelopes."

CASES = {
    "fenced": (["Sure! Here it is:\n```json\n" + plan(*GOOD) + "\n```\nGood luck."], "model"),
    "prose, then a plan": (["I would ask the researcher, then the poet.", plan(*GOOD)], "model"),
    "prose for ever": (["I would ask the researcher, then the poet."] * 9, "rules"),
    "truncated, then whole": ([plan(*GOOD)[:-40], plan(*GOOD)], "model"),
    "unknown agent": ([plan({"id": "a", "agent": "quantum", "objective": "", "inputs": {}})] * 9, "rules"),
    "near miss": ([plan({**GOOD[0], "agent": "Researcher"}, {**GOOD[1], "agent": "poets"})], "model"),
    "a cycle": ([plan(*CYCLE)] * 9, "rules"),
    "an empty plan": ([plan()] * 9, "rules"),
    "nothing": ([""] * 9, "rules"),
    "ten thousand tasks": ([plan(*MANY)] * 9, "rules"),
    "good tasks, then an unknown agent": ([plan(*HALF_GOOD)] * 9, "rules"),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_bad_plan_is_repaired_or_replaced(name: str) -> None:
    """Whatever the planner writes, the run ends with an answer, and the events say how it came to its plan."""
    replies, source = CASES[name]
    model = ScriptedModel(replies)
    async with Orchestrator([researcher, poet], model=model) as orchestrator:
        run = await orchestrator.submit("An ode to message buses")
        events = [event async for event in run]
        outcome = await run.outcome()

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert [event.source for event in events if isinstance(event, PlanCompleted)] == [source]
    assert outcome.answer == RULES_ANSWER if source == "rules" else outcome.answer is not None
    told = [event for event in events if isinstance(event, PlanRejected | PlanNoted)]
    assert told or name == "fenced"
    assert len(model.requests) <= 3
    if source == "rules":  # each refused answer is told of once
        assert [event.source for event in told if isinstance(event, PlanRejected)] == ["model"] * len(model.requests)


@pytest.mark.looptime
async def test_of_ten_thousand_tasks_only_those_are_paid_for_that_had_begun() -> None:
    """What had not begun when the rules took over is taken back; of the rest, and of the model, little was asked."""
    calls: list[str] = []

    @agent(name="researcher", description="Finds facts about a topic.")
    async def counting(topic: str) -> list[str]:
        calls.append(topic)
        await asyncio.sleep(1)
        return [f"{topic} carry envelopes."]

    model = ScriptedModel([plan(*MANY)] * 9)
    policy = Policy(parallel=4)
    async with Orchestrator([counting, poet], model=model, policy=policy, clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit("An ode to message buses")
        events = [event async for event in run]
        outcome = await run.outcome()

    assert (outcome.status, outcome.answer, outcome.problems) == (OutcomeStatus.SUCCEEDED, RULES_ANSWER, ())
    assert sorted(outcome.outputs) == ["poet", "researcher"]
    assert len(calls) == policy.parallel + 1
    assert len(model.requests) == 1
    rejected = [(event.source, event.problems[0].code) for event in events if isinstance(event, PlanRejected)]
    assert rejected == [("model", "E_LIMIT")]


class Odd:
    """A planner of the user's own that does what it is told to, for a plan and for a patch."""

    name = "odd"

    def __init__(self, act: Callable[[Offer | None], Any]) -> None:
        self.act = act

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        return await self._acted(offer)

    async def patch(self, request: PlanRequest) -> PlanReport:
        return await self._acted(None)

    async def _acted(self, offer: Offer | None) -> Any:
        result = self.act(offer)
        return await result if inspect.isawaitable(result) else result


def crashed(offer: Offer | None) -> None:
    raise KeyError("tasks")


def ended(offer: Offer | None) -> None:
    raise SystemExit(3)


async def cancelled(offer: Offer | None) -> None:
    raise asyncio.CancelledError


async def silent(offer: Offer | None) -> None:
    await asyncio.get_running_loop().create_future()


async def deaf(offer: Offer | None) -> None:
    """Wait for ever, whatever one does."""
    while not over.is_set():
        with suppress(asyncio.CancelledError):
            await over.wait()


over = asyncio.Event()


def told(task: Any, answer: Any = None) -> Callable[[Offer | None], PlanReport]:
    return lambda _: PlanReport(graph=Graph((task,), answer), patch=Patch((task,), (), answer))


def untyped(**fields: Any) -> Any:
    """Return a task as a planner without a type checker makes it."""
    written: dict[str, Any] = {"id": "a", "agent": "researcher", "inputs": {"topic": "x"}, **fields}
    return Task(**written)


JUNK: dict[str, Callable[[Offer | None], Any]] = {
    "nothing": lambda _: None,
    "prose": lambda _: "I would ask the researcher, then the poet.",
    "a dict": lambda _: {"tasks": []},
    "a hand-made plan": lambda _: Plan("An ode"),
    "a list for a graph": lambda _: PlanReport(graph=cast("Any", [untyped()]), patch=cast("Any", [untyped()])),
    "a task that is a dict": told({"id": "a", "agent": "researcher"}),
    "an id that is a number": told(untyped(id=5)),
    "no agent": told(untyped(agent=None)),
    "inputs that are no mapping": told(untyped(inputs="x")),
    "inputs that no journal can hold": told(untyped(inputs={"topic": "\ud800"})),
    "needs that are one word": told(untyped(needs="ab")),
    "needs that are numbers": told(untyped(needs=(1,))),
    "a policy that is a dict": told(untyped(policy={"attempts": 1})),
    "an answer that is a number": told(untyped(), 5),
    "notes that are one word": lambda _: PlanReport(notes=cast("Any", "a note")),
    "problems that are words": lambda _: PlanReport(rejected=cast("Any", [("bad",)])),
    "a use that is a number": lambda _: PlanReport(usage=cast("Any", 3)),
    "a crash": crashed,
    "an exit": ended,
    "cancelled by itself": cancelled,
    "silent for ever": silent,
    "not to be cancelled": deaf,
}


@agent(description="Writes a short poem from facts, but cannot.")
async def mute(facts: list[str]) -> str:
    raise RuntimeError("nothing comes to mind")


@pytest.mark.looptime
@pytest.mark.parametrize("name", JUNK)
async def test_whatever_a_planner_does_the_rules_take_over(name: str) -> None:
    """Junk, a crash, a cancellation, silence: a rejected plan that names the planner, then the rules' plan or patch."""
    over.clear()
    hand_made = Plan("An ode")
    facts = hand_made.add("facts", agent=researcher, inputs={"topic": "buses"})
    hand_made.add("poem", agent=mute, inputs={"facts": facts})
    runs: list[tuple[Outcome, list[str]]] = []
    for goal, team in (("An ode to message buses", [researcher, poet]), (hand_made, [researcher, poet, mute])):
        async with Orchestrator(team, planner=Odd(JUNK[name]), clock=LoopClock()) as orchestrator:
            run = await orchestrator.submit(goal)
            events = [event async for event in run]
            refused = [event.source for event in events if isinstance(event, PlanRejected)]
            runs.append((await run.outcome(), refused))
    over.set()

    assert [outcome.status for outcome, _ in runs] == [OutcomeStatus.SUCCEEDED] * 2
    assert [outcome.answer for outcome, _ in runs] == [
        RULES_ANSWER,
        "Ode: buses carry envelopes.",
    ]
    assert [refused for _, refused in runs] == [["odd"], ["odd"]]


@pytest.mark.looptime
async def test_a_planner_that_goes_on_may_take_its_time() -> None:
    """Its time begins anew with each task of it that is accepted; what is offered after its turn is not heard."""
    late: list[Ruling] = []
    offers: list[Offer] = []

    async def slow(offer: Offer | None) -> PlanReport:
        tasks = [Task(f"t{n}", "researcher", inputs={"topic": "x"}) for n in range(4)]
        assert offer is not None
        offers.append(offer)
        for task in tasks:
            await asyncio.sleep(50)
            offer((task,))
        return PlanReport(graph=Graph(tuple(tasks), "$t3"))

    policy = Policy(timeout=60)
    async with Orchestrator([researcher, poet], planner=Odd(slow), policy=policy, clock=LoopClock()) as orchestrator:
        outcome = await orchestrator.run("An ode to message buses")
        late.append(offers[0]((Task("t9", "researcher", inputs={"topic": "x"}),)))

    assert outcome.answer == ["x carry envelopes."]
    assert [(ruling.accepted, len(ruling.problems)) for ruling in late] == [((), 1)]


async def test_an_offer_that_is_junk_is_answered_in_words() -> None:
    """The planner is told, and goes on."""
    rulings: list[Ruling] = []

    def junk(offer: Offer | None) -> PlanReport:
        assert offer is not None
        rulings.append(offer(cast("Any", "prose")))
        return PlanReport(graph=Graph((untyped(),)))

    async with Orchestrator([researcher, poet], planner=Odd(junk)) as orchestrator:
        outcome = await orchestrator.run("An ode to message buses")

    assert outcome.answer == ["x carry envelopes."]
    assert [problem.code for problem in rulings[0].problems] == ["E_SCHEMA"]


@pytest.mark.looptime
@pytest.mark.parametrize("name", ["nothing", "a hand-made plan", "cancelled by itself", "silent for ever"])
async def test_a_plan_to_look_at_comes_from_the_rules_then_too(name: str) -> None:
    """`orchestrator.plan` takes nothing else from a planner than a run does."""
    over.clear()
    async with Orchestrator([researcher, poet], planner=Odd(JUNK[name]), clock=LoopClock()) as orchestrator:
        planned = await orchestrator.plan("An ode to message buses")
    over.set()

    assert [task.agent for task in planned.tasks] == ["researcher", "poet"]
