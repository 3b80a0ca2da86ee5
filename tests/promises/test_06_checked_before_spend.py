"""Promise 6: a plan is checked before it spends; each problem has a code to repair from."""

import anyio
import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.core.failures import Problem
from agentorch.core.task import Graph, Task
from agentorch.errors import PlanError
from agentorch.events import PlanRejected, TaskStarted
from agentorch.ports.planner import Offer, PlanReport, PlanRequest, Ruling
from agentorch.testing import LoopClock


class Counter:
    """Counts the calls of an agent."""

    def __init__(self) -> None:
        self.calls = 0


@pytest.mark.parametrize(
    ("code", "tasks"),
    [
        ("E_UNKNOWN_AGENT", {"a": {"agent": "nobody"}}),
        ("E_CYCLE", {"a": {"agent": "number", "needs": ["b"]}, "b": {"agent": "number", "needs": ["a"]}}),
        ("E_SELF_DEP", {"a": {"agent": "number", "needs": ["a"]}}),
        ("E_UNKNOWN_DEP", {"a": {"agent": "number", "needs": ["ghost"]}}),
        ("E_ARGS", {"a": {"agent": "number", "inputs": {"nonsense": 1}}}),
        ("E_TYPE", {"a": {"agent": "number"}, "b": {"agent": "shout", "inputs": {"text": "$a"}}}),
        ("E_REF_PATH", {"a": {"agent": "number"}, "b": {"agent": "shout", "inputs": {"text": "$a.title"}}}),
    ],
)
async def test_a_hand_made_plan_with_an_error_never_starts(code: str, tasks: dict[str, dict[str, object]]) -> None:
    """The error is raised before a run exists, and no agent was called."""
    counter = Counter()

    @agent(description="Gives a number.")
    async def number() -> int:
        counter.calls += 1
        return 1

    @agent(description="Shouts.")
    async def shout(text: str) -> str:
        counter.calls += 1
        return text.upper()

    plan = Plan.from_dict({"goal": "wrong", "tasks": [{"id": name, **task} for name, task in tasks.items()]})
    async with Orchestrator([number, shout]) as orchestrator:
        with pytest.raises(PlanError, match=code):
            await orchestrator.run(plan)
        runs = [record async for record in orchestrator.runs()]

    assert (counter.calls, runs) == (0, [])


class Reckless:
    """Offers a task that cannot be, then one that can."""

    name = "reckless"

    def __init__(self) -> None:
        self.rulings: list[Ruling] = []

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        good = Task("good", "number")
        assert offer is not None
        self.rulings = [offer([Task("bad", "nobody")]), offer([good])]
        return PlanReport(Graph((good,)))

    async def patch(self, request: PlanRequest) -> PlanReport:
        return PlanReport()


async def test_a_streamed_task_is_checked_before_it_is_dispatched() -> None:
    """What a planner offers too early is refused with its code; what is right runs."""

    @agent(description="Gives a number.")
    async def number() -> int:
        return 1

    planner = Reckless()
    async with Orchestrator([number], planner=planner) as orchestrator:
        run = await orchestrator.submit("whatever")
        events = [event async for event in run]

    problems: list[Problem] = [p for event in events if isinstance(event, PlanRejected) for p in event.problems]
    assert [problem.code for problem in problems] == ["E_UNKNOWN_AGENT"]
    assert [ruling.accepted for ruling in planner.rulings] == [(), ("good",)]
    assert [event.task for event in events if isinstance(event, TaskStarted)] == ["good"]


class Unfinished:
    """Offers two tasks, then takes its time before it says that the plan is whole."""

    name = "unfinished"

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        tasks = (Task("look", "looking"), Task("pay", "paying"))
        assert offer is not None
        offer(tasks)
        await anyio.sleep(1)
        return PlanReport(Graph(tasks))

    async def patch(self, request: PlanRequest) -> PlanReport:
        return PlanReport()


@pytest.mark.looptime
async def test_what_has_effects_waits_for_the_whole_plan() -> None:
    """While the plan is being written, only tasks without effects start."""

    @agent(description="Looks.")
    async def looking() -> str:
        return "seen"

    @agent(description="Pays.", effects="once")
    async def paying() -> str:
        return "paid"

    async with Orchestrator([looking, paying], planner=Unfinished(), clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit("look and pay")
        events = [event async for event in run]

    began = {event.task: round(event.at - events[0].at, 2) for event in events if isinstance(event, TaskStarted)}
    assert (began["look"], began["pay"]) == (0.0, 1.0)
