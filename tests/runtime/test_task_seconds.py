"""`Budget(max_seconds=)` of a task, carried out: people, rate limits and restarts."""

import anyio
import pytest

from agentorch import Budget, Context, Plan, agent
from agentorch.journal.memory import MemoryJournal
from agentorch.models import GovernedModel, Governor, Limits
from agentorch.runtime.run import Run
from agentorch.testing import MakeOrchestrator, ScriptedModel

pytestmark = pytest.mark.usefixtures("virtual_clock")


def limited(name: str, seconds: float) -> Plan:
    """Return a plan of one task with seconds of its own."""
    plan = Plan(name)
    plan.add("one", agent=name, budget=Budget(max_seconds=seconds))
    return plan


async def problems(run: Run) -> list[str]:
    """Return what the run says of its end."""
    return [problem.message for problem in (await run.outcome()).problems]


async def test_a_task_that_waits_for_a_person_keeps_its_seconds(make_orchestrator: MakeOrchestrator) -> None:
    """The answer of an hour later is used; what is then left of the two seconds is a limit still."""

    @agent(description="Asks, then works.")
    async def asks(context: Context, works: float) -> str:
        await anyio.sleep(1)
        answer: str = await context.ask("Sure?")
        await anyio.sleep(works)
        return answer

    plan = Plan("ask")
    plan.add("quick", agent=asks, inputs={"works": 0.5}, budget=Budget(max_seconds=2))
    plan.add("slow", agent=asks, inputs={"works": 60}, budget=Budget(max_seconds=2))
    async with make_orchestrator([asks]) as orchestrator:
        run = await orchestrator.submit(plan)
        await anyio.sleep(3600)
        before = anyio.current_time()
        for request in run.waiting:
            await run.answer(request.request_id, "yes")
        outcome = await run.outcome()
        took = anyio.current_time() - before

    assert outcome.outputs["quick"] == "yes"
    assert [(one.task, one.message) for one in outcome.problems if one.code == "budget"] == [
        ("slow", "the 2 seconds of 'slow' are up")
    ]
    assert took == pytest.approx(1, abs=0.01)


async def test_waiting_for_a_rate_limit_is_the_budgets_time(make_orchestrator: MakeOrchestrator) -> None:
    """A call a minute: the second one is not waited for beyond the task's seconds."""
    times: list[float] = []

    @agent(description="Calls a model, again and again.")
    async def calling(context: Context) -> str:
        for number in range(3):
            await context.model(f"hello {number}")
            times.append(anyio.current_time())
        return "done"

    model = GovernedModel(ScriptedModel(lambda _: "ok"), Governor("g", Limits(requests_per_minute=1)))
    async with make_orchestrator([calling], model=model) as orchestrator:
        before = anyio.current_time()
        run = await orchestrator.submit(limited("calling", 2))
        said = await problems(run)
        took = anyio.current_time() - before

    assert "the 2 seconds of 'one' are up" in said
    assert (len(times), took) == (1, pytest.approx(2, abs=0.01))


async def test_a_resumed_task_has_what_is_left_of_its_seconds(make_orchestrator: MakeOrchestrator) -> None:
    """Nine of ten are used when its process lets it go; the day in between does not count."""

    @agent(description="Works for nine seconds and a half.")
    async def works() -> str:
        await anyio.sleep(9.5)
        return "done"

    journal = MemoryJournal()
    await journal.open()  # held open over both orchestrators
    async with make_orchestrator([works], journal=journal) as orchestrator:
        first = await orchestrator.submit(limited("works", 10))
        await anyio.sleep(9)
    await anyio.sleep(86_400)
    async with make_orchestrator([works], journal=journal) as orchestrator:
        before = anyio.current_time()
        again = await orchestrator.take_up(first.id)
        said = await problems(again)
        took = anyio.current_time() - before

    assert "the 10 seconds of 'one' are up" in said
    assert took == pytest.approx(1, abs=0.01)
