"""Promise 2: a failing branch never takes its siblings down."""

import anyio
import pytest

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.testing.clock import LoopClock

pytestmark = pytest.mark.looptime


@agent(description="Raises after a moment.")
async def broken() -> str:
    await anyio.sleep(0.1)
    raise RuntimeError("no luck")


@agent(description="Takes a second.")
async def steady() -> str:
    await anyio.sleep(1.0)
    return "done"


def two_branches() -> Plan:
    """Return a failing and a healthy branch, each with a dependent."""
    plan = Plan("two branches")
    left = plan.add("left", agent=broken)
    right = plan.add("right", agent=steady)
    plan.add("after-left", agent=steady, needs=[left])
    plan.add("after-right", agent=steady, needs=[right])
    return plan


async def test_the_healthy_branch_finishes_and_the_outcome_says_what_is_missing() -> None:
    """One of two parallel tasks raises: the other's output is there, the run is partial and names what is missing."""
    policy = Policy(attempts=1, replans=0)
    async with Orchestrator([broken, steady], policy=policy, clock=LoopClock()) as orchestrator:
        outcome = await orchestrator.run(two_branches())

    assert outcome.status is OutcomeStatus.PARTIAL
    assert dict(outcome.outputs).keys() >= {"right", "after-right"}
    assert outcome.states["left"] == "failed"
    assert outcome.states["after-left"] == "skipped"
    assert {problem.task for problem in outcome.problems} >= {"left", "after-left"}
    assert "no luck" in " ".join(problem.message for problem in outcome.problems)


async def test_fail_run_is_there_for_those_who_want_it() -> None:
    """`on_failure="fail_run"` stops the others, and says so."""
    policy = Policy(attempts=1, replans=0, on_failure="fail_run")
    async with Orchestrator([broken, steady], policy=policy, clock=LoopClock()) as orchestrator:
        outcome = await orchestrator.run(two_branches())

    assert outcome.status is OutcomeStatus.FAILED
    assert outcome.states == {
        "left": "failed",
        "right": "cancelled",
        "after-left": "skipped",
        "after-right": "cancelled",
        "answer": "cancelled",
    }
