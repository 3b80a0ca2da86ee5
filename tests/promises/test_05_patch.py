"""Promise 5: re-planning is a patch; no succeeded task whose spec and input values are unchanged runs again."""

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.core.task import Task
from agentorch.events import PlanPatched, ReplanRequested, TaskGaveUp, TaskKept
from agentorch.ports.planner import Offer, Patch, PlanReport, PlanRequest
from agentorch.runtime.outcome import OutcomeStatus


class Patcher:
    """Answers every re-plan with one patch."""

    name = "patcher"

    def __init__(self, *put: Task) -> None:
        self._put = put

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        raise NotImplementedError

    async def patch(self, request: PlanRequest) -> PlanReport:
        return PlanReport(patch=Patch(put=self._put))


async def test_accepted_outputs_are_not_computed_again_after_a_patch() -> None:
    """A fails for good; its replacement runs; B, which had succeeded, does not run again."""
    calls: list[str] = []

    @agent(description="Fails.")
    async def failing() -> str:
        calls.append("failing")
        raise RuntimeError("never works")

    @agent(description="Works.")
    async def working(name: str) -> str:
        calls.append(name)
        return name

    @agent(description="Joins.")
    async def joining(left: str, right: str) -> str:
        calls.append("joining")
        return f"{left} and {right}"

    plan = Plan("join two")
    left = plan.add("left", agent=failing)
    right = plan.add("right", agent=working, inputs={"name": "right"})
    plan.add("both", agent=joining, inputs={"left": left, "right": right})
    planner = Patcher(Task("left", "working", inputs={"name": "new left"}))
    policy = Policy(attempts=1)
    async with Orchestrator([failing, working, joining], planner=planner, policy=policy) as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert outcome.answer == "new left and right"
    assert sorted(calls) == ["failing", "joining", "new left", "right"]
    kinds = [type(event) for event in events]
    assert kinds.index(TaskGaveUp) < kinds.index(ReplanRequested) < kinds.index(PlanPatched)


async def test_an_output_stands_when_its_inputs_come_out_equal() -> None:
    """The patch replaces a succeeded need by another that gives the same value: what is below is kept, not run."""
    calls: list[str] = []

    @agent(description="Gives seven.")
    async def seven() -> int:
        calls.append("seven")
        return 7

    @agent(description="Gives seven in another way.")
    async def also_seven() -> int:
        calls.append("also seven")
        return 7

    @agent(description="Doubles.")
    async def double(number: int) -> int:
        calls.append("double")
        return 2 * number

    @agent(description="Fails at first sight.")
    async def failing(number: int) -> str:
        raise RuntimeError("never works")

    @agent(description="Says a number.")
    async def saying(number: int) -> str:
        calls.append("saying")
        return str(number)

    plan = Plan("say twice seven")
    number = plan.add("number", agent=seven)
    doubled = plan.add("doubled", agent=double, inputs={"number": number})
    plan.add("said", agent=failing, inputs={"number": doubled})
    planner = Patcher(Task("number", "also_seven"), Task("said", "saying", inputs={"number": "$doubled"}))
    policy = Policy(attempts=1)
    team = [seven, also_seven, double, failing, saying]
    async with Orchestrator(team, planner=planner, policy=policy) as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()

    assert outcome.answer == "14"
    assert calls == ["seven", "double", "also seven", "saying"]
    assert [event.task for event in events if isinstance(event, TaskKept)] == ["doubled"]
