"""A fork of a run whose plan a person signs off: it asks, or it has what was said, and nothing in between."""

import anyio
import pytest

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.core.state import Request
from agentorch.errors import ConfigurationError


@agent(description="Counts on.")
async def count(number: int) -> int:
    return number + 1


def counting(*, twice: bool) -> Plan:
    """Return a plan of one step, or of two."""
    plan = Plan("count")
    one = plan.add("one", agent=count, inputs={"number": 1})
    if twice:
        plan.add("two", agent=count, inputs={"number": one})
    return plan


@pytest.mark.parametrize("said", [True, False, counting(twice=False)], ids=["yes", "no", "edited"])
async def test_at_each_place_it_asks_about_the_plan_or_has_what_was_said(said: bool | Plan) -> None:
    """Never does it wait for what nobody asks, nor carries out what was refused."""

    def answer(request: Request) -> bool | Plan:
        assert request.kind == "plan"
        return said

    async with Orchestrator([count], policy=Policy(approval="plan"), on_request=answer) as orchestrator:
        run = await orchestrator.submit(counting(twice=True))
        places = [event.seq async for event in run]
        parent = await run.outcome()
        whole = 0
        for at in places:
            try:
                with anyio.fail_after(20):
                    outcome = await orchestrator.fork(run.id, at=at)
            except ConfigurationError as error:
                assert "in the middle of a decision" in str(error)  # noqa: PT017
                continue
            whole += 1
            assert (outcome.status, dict(outcome.outputs)) == (parent.status, dict(parent.outputs)), at
    assert whole > 0
