"""Tasks with budgets of their own: a model call waits only for calls that may leave more for it."""

import anyio
import pytest

from agentorch import Agent, Budget, Orchestrator, Plan, Policy
from agentorch.testing import LoopClock, Reply, ScriptedModel


@pytest.mark.looptime
@pytest.mark.parametrize("limit", [None, 100])
async def test_a_task_without_room_of_its_own_stops_no_other(limit: int | None) -> None:
    """It fails at once, and the one that has room does not stand behind it until an unrelated call has ended."""
    slow, quick = (Agent(name, description=name, prompt=name) for name in ("slow", "quick"))
    model = ScriptedModel(lambda request: Reply("ok", delay=1000 if "slow" in str(request) else 1))
    plan = Plan("work", answer="free")
    plan.add("hog", agent=slow, budget=Budget(max_calls=5))
    plan.add("empty", agent=quick, budget=Budget(max_tokens=10))
    plan.add("free", agent=quick, budget=Budget(max_calls=5))
    orchestrator = Orchestrator(
        [slow, quick],
        model=model,
        budget=Budget(max_calls=limit),
        policy=Policy(replans=0, silence=None, timeout=None),
        clock=LoopClock(),
    )
    async with orchestrator:
        run = await orchestrator.submit(plan)
        await anyio.sleep(10)
        early = {name: str(task.status) for name, task in run._hosted.state.tasks.items()}
        outcome = await run.outcome()

    assert early == {"hog": "running", "empty": "failed", "free": "succeeded"}
    assert (outcome.answer, [problem.task for problem in outcome.problems if problem.is_error]) == ("ok", ["empty"])
