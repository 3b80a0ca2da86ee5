"""Promise 1: a task starts when its own inputs are ready, even while the planner is still writing."""

import anyio
import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.core.task import Graph, Task
from agentorch.events import TaskStarted
from agentorch.ports.planner import Offer, PlanReport, PlanRequest
from agentorch.testing.clock import LoopClock

pytestmark = pytest.mark.looptime


@agent(description="Sleeps.")
async def sleeper(seconds: float) -> float:
    await anyio.sleep(seconds)
    return seconds


async def test_a_task_starts_when_its_own_needs_are_done_and_not_when_the_level_is() -> None:
    """Start -> {a (0.1 s) -> a2, b (1.0 s)}: a2 starts at 0.10 s."""
    plan = Plan("no waves")
    start = plan.add("start", agent=sleeper, inputs={"seconds": 0})
    a = plan.add("a", agent=sleeper, inputs={"seconds": 0.1}, needs=[start])
    plan.add("a2", agent=sleeper, inputs={"seconds": 0.1}, needs=[a])
    plan.add("b", agent=sleeper, inputs={"seconds": 1.0}, needs=[start])

    started = await starts(plan)

    assert started == {"start": 0.0, "a": 0.0, "b": 0.0, "a2": 0.1, "answer": 1.0}


class HesitantPlanner:
    """Writes two tasks, then is silent for a second."""

    name = "hesitant"

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        tasks = (
            Task("first", "sleeper", inputs={"seconds": 0.1}),
            Task("second", "sleeper", inputs={"seconds": 0.1}, needs=("first",)),
        )
        assert offer is not None
        assert offer(tasks).accepted == ("first", "second")
        await anyio.sleep(1.0)
        return PlanReport(Graph(tasks))

    async def patch(self, request: PlanRequest) -> PlanReport:
        return PlanReport()


async def test_tasks_run_while_the_planner_is_still_writing() -> None:
    """A planner that writes two tasks and then stays silent: the second, which needs the first, starts at once."""
    started = await starts("hesitate", planner=HesitantPlanner())

    assert started == {"first": 0.0, "second": 0.1}


async def starts(goal: str | Plan, planner: HesitantPlanner | None = None) -> dict[str, float]:
    """Return when each task started, in seconds from the run's start."""
    async with Orchestrator([sleeper], planner=planner, clock=LoopClock()) as orchestrator:
        run = await orchestrator.submit(goal)
        events = [event async for event in run]
        (await run.outcome()).raise_for_problems()
    origin = events[0].at
    return {event.task: round(event.at - origin, 2) for event in events if isinstance(event, TaskStarted)}
