"""Promise 6, once: a plan that was checked is not checked again for the same team, and always when it has changed."""

from typing import Any

import pytest

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.errors import PlanError
from agentorch.plans import plan as plans


@agent(description="Doubles.")
async def double(number: int) -> int:
    return 2 * number


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was verified, by the ids of the tasks."""
    seen: list[str] = []
    verify = plans.verify

    def counted(graph: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(",".join(task.id for task in graph.tasks))
        return verify(graph, *args, **kwargs)

    monkeypatch.setattr(plans, "verify", counted)
    return seen


def doubled() -> Plan:
    """Return a plan that doubles an input."""
    plan = Plan("twice")
    plan.add("a", agent=double, inputs={"number": "$inputs.n"})
    return plan


async def test_a_plan_that_is_run_again_is_checked_once(checks: list[str]) -> None:
    """By `verify`, or by the first run."""
    plan = doubled()
    async with Orchestrator([double]) as orchestrator:
        verified = orchestrator.verify(plan, inputs={"n": 2})
        answers = [(await orchestrator.run(plan, inputs={"n": 2})).answer for _ in range(3)]
    assert (verified.errors, answers, checks) == ((), [4, 4, 4], ["a"])


async def test_whatever_has_changed_is_checked(checks: list[str]) -> None:
    """Another input, another policy, another task, another team."""
    plan = doubled()
    async with Orchestrator([double]) as orchestrator, Orchestrator([double]) as other:
        await orchestrator.run(plan, inputs={"n": 1})
        await orchestrator.run(plan, inputs={"n": 2})
        await orchestrator.run(plan, inputs={"n": 2}, policy=Policy(join="any"))
        await orchestrator.run(plan, inputs={"n": 2})
        plan.add("b", agent=double, inputs={"number": "$a"})
        outcome = await orchestrator.run(plan, inputs={"n": 2})
        await other.run(plan, inputs={"n": 2})
    assert (outcome.answer, checks) == (8, ["a", "a", "a", "a", "a,b", "a,b"])


async def test_a_plan_with_errors_is_never_taken_for_checked(checks: list[str]) -> None:
    """It is refused each time, in the words of `verify`."""
    plan = Plan("twice")
    plan.add("a", agent=double)
    orchestrator = Orchestrator([double])
    (problem,) = orchestrator.verify(plan).errors
    for _ in range(2):
        with pytest.raises(PlanError, match="input 'number' of agent 'double' is missing"):
            await orchestrator.run(plan)
    assert (problem.code, len(checks)) == ("E_ARGS", 3)
