"""`context.call`: an agent runs another as a task of its own."""

import asyncio

import anyio
import pytest

from agentorch import Budget, Context, Orchestrator, Outcome, Plan, Policy, agent
from agentorch.bus import MemoryBus
from agentorch.core.state import Request
from agentorch.core.task import Task
from agentorch.errors import BudgetExceeded, PermanentError, TransientError
from agentorch.events import TaskDelegated, TaskStarted, TaskSucceeded
from agentorch.ports.model import ModelRequest
from agentorch.ports.planner import Offer, Patch, PlanReport, PlanRequest
from agentorch.testing import LoopClock, ScriptedModel


@agent(description="Doubles.")
async def double(number: int) -> int:
    return 2 * number


async def test_a_delegated_task_has_its_own_entry_in_the_journal() -> None:
    """The call is journaled with its caller, and its output comes back in the agent's type."""

    @agent(description="Calls twice.")
    async def calling(context: Context) -> int:
        one, two = await asyncio.gather(context.call(double, number=3), context.call(double, number=4))
        return int(one + two)

    plan = Plan("sum")
    plan.add("sum", agent=calling)
    async with Orchestrator([calling, double]) as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()

    delegated = [event for event in events if isinstance(event, TaskDelegated)]
    assert outcome.answer == 14
    assert [event.spec.inputs for event in delegated] == [{"number": 3}, {"number": 4}]
    assert {event.caller for event in delegated} == {f"{run.id}/sum/1/1/1"}
    children = {event.task for event in delegated}
    assert {event.task for event in events if isinstance(event, TaskStarted)} == {"sum", *children}
    assert {event.task for event in events if isinstance(event, TaskSucceeded)} == {"sum", *children}


async def test_waiting_callers_take_no_slot() -> None:
    """With one slot, a caller three levels deep still ends: who waits for a call does not run."""

    @agent(description="Calls itself until it is deep enough.")
    async def deeper(level: int, context: Context) -> int:
        return level if level == 3 else await context.call("deeper", level=level + 1)

    plan = Plan("deep")
    plan.add("deep", agent=deeper, inputs={"level": 0})
    async with Orchestrator([deeper], policy=Policy(parallel=1)) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.answer == 3


async def test_an_agent_that_may_run_once_at_a_time_may_call_itself() -> None:
    """Who waits for a call takes no slot of its agent either."""

    @agent(description="Calls itself until it is deep enough.", parallel=1, timeout=5, attempts=1)
    async def deeper(level: int, context: Context) -> int:
        return level if level == 3 else await context.call("deeper", level=level + 1)

    plan = Plan("deep")
    plan.add("deep", agent=deeper, inputs={"level": 0})
    async with Orchestrator([deeper]) as orchestrator:
        outcome = await asyncio.wait_for(orchestrator.run(plan), 2)

    assert outcome.answer == 3


async def test_a_failed_call_raises_in_the_caller_with_its_problem() -> None:
    """The caller may catch it and go on."""

    @agent(description="Never works.", attempts=1)
    async def broken() -> int:
        raise RuntimeError("no luck")

    @agent(description="Makes do.")
    async def careful(context: Context) -> str:
        with pytest.raises(PermanentError, match="no luck"):
            await context.call("broken")
        with pytest.raises(PermanentError, match="nobody"):
            await context.call("nobody")
        return "made do"

    plan = Plan("care")
    plan.add("care", agent=careful)
    async with Orchestrator([broken, careful]) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.answer == "made do"


async def test_a_cancelled_caller_takes_its_calls_along() -> None:
    """Cancelling the run ends the delegated task too."""
    ended: list[str] = []
    begun = asyncio.Event()

    @agent(description="Waits for ever.")
    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    @agent(description="Calls.")
    async def calling(context: Context) -> None:
        try:
            await context.call(endless)
        finally:
            ended.append("calling")

    plan = Plan("wait")
    plan.add("wait", agent=calling)
    async with Orchestrator([endless, calling]) as orchestrator:
        run = await orchestrator.submit(plan)
        await begun.wait()
        await run.cancel(reason="enough")
        outcome = await run.outcome()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert outcome.status == "cancelled"
    assert sorted(ended) == ["calling", "endless"]


class Far(MemoryBus):
    """A bus to workers on other machines."""

    local = False


class Patcher:
    """Gives what failed, and whoever is at work, to other agents."""

    name = "patcher"

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        raise NotImplementedError

    async def patch(self, request: PlanRequest) -> PlanReport:
        return PlanReport(patch=Patch(put=(Task("work", "quick"), Task("break", "quick"))))


@pytest.mark.timeout(10)
async def test_a_patch_withdraws_a_caller_and_what_it_called_from_other_machines() -> None:
    """Both leave the plan while they run; what takes their place is dispatched in the same turn."""
    begun = asyncio.Event()

    @agent(description="Waits for ever.")
    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    @agent(description="Calls.")
    async def calling(context: Context) -> None:
        await context.call(endless)

    @agent(description="Breaks.", attempts=1)
    async def breaking() -> None:
        await begun.wait()
        raise RuntimeError("broken")

    @agent(description="Quick.")
    async def quick() -> str:
        return "done"

    plan = Plan("work")
    plan.add("work", agent=calling)
    plan.add("break", agent=breaking)
    plan.answer = "$work"
    async with Orchestrator([endless, calling, breaking, quick], planner=Patcher(), bus=Far()) as orchestrator:
        outcome = await orchestrator.run(plan)
    assert (outcome.status, outcome.answer) == ("succeeded", "done")


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(max_calls=0), "'asking' failed: all of max_calls=0 model calls are used"),
        (Budget(max_depth=0), "'asking' failed: delegation is 1 levels deep, max_depth=0"),
        (Budget(max_tasks=1), "'asking' failed: the run has 2 tasks, max_tasks=1"),
    ],
    ids=["calls", "depth", "tasks"],
)
async def test_a_limit_stays_a_limit_over_a_call(budget: Budget, words: str) -> None:
    """The caller fails as the called agent does: neither another plan nor a person is asked; one that makes do may."""

    @agent(description="Asks a model.", needs_model=True)
    async def asking(context: Context) -> str:
        return await context.model("say something")

    @agent(description="Calls.")
    async def calling(context: Context) -> str:
        return await context.call(asking)

    @agent(description="Makes do.")
    async def careful(context: Context) -> str:
        try:
            return await context.call(asking)
        except BudgetExceeded as error:
            return str(error)

    asked: list[str] = []

    def ask(request: Request) -> None:
        asked.append(request.question)

    model = ScriptedModel("said")
    team = [asking, calling, careful]
    outcomes: dict[str, Outcome] = {}
    async with Orchestrator(team, model=model, on_request=ask) as orchestrator:
        for doer in (calling, careful):
            plan = Plan("call")
            plan.add("only", agent=doer)
            outcomes[doer.name] = await orchestrator.run(plan, budget=budget)

    (problem,) = outcomes["calling"].problems
    assert (problem.code, problem.message, problem.remedy) == ("budget", words, "raise the budget and start again")
    assert outcomes["careful"].answer == words
    assert (asked, model.requests) == ([], [])


async def _breaks() -> None:
    await anyio.sleep(5)
    raise TransientError("it is busy")


@pytest.mark.looptime
@pytest.mark.parametrize("how", ["a transient error", "its time is up"])
async def test_what_a_caller_had_called_when_it_was_cut_off_goes_on(how: str) -> None:
    """The same attempt calls again: two levels down, what was finished is read back, and nothing is asked twice."""
    asked: list[str] = []
    questions: list[str] = []
    tries: list[int] = []

    @agent(description="Asks a model and a person, and then stands still, twice.", needs_model=True)
    async def child(name: str, context: Context) -> str:
        said = await context.model(f"well, {name}")
        agreed = await context.ask("Well?", bool)
        await anyio.sleep(20 if len(tries) < 3 else 0)
        return f"{said} {agreed}"

    @agent(description="Calls it, after a question of its own.", needs_model=True)
    async def between(name: str, context: Context) -> str:
        await context.model(f"first {name}")
        return str(await context.call(child, name=name))

    @agent(description="Is cut off while it waits.", timeout=10)
    async def caller(context: Context) -> str:
        tries.append(1)
        others = [_breaks()] if (how, len(tries)) == ("a transient error", 1) else []
        return str((await asyncio.gather(context.call(between, name="ann"), *others))[0])

    def model(request: ModelRequest) -> str:
        asked.append(str(request.messages[-1].content)[-5:])
        return "said"

    def agree(request: Request) -> bool:
        questions.append(request.question)
        return True

    plan = Plan("call")
    plan.add("one", agent=caller)
    team = [caller, between, child]
    async with Orchestrator(team, model=ScriptedModel(model), clock=LoopClock(), on_request=agree) as orchestrator:
        run = await orchestrator.submit(plan, policy=Policy(replans=0))
        outcome = await run.outcome()
        delegated = [event.continues async for event in run if isinstance(event, TaskDelegated)]

    assert (outcome.answer, asked, questions) == ("said True", ["t ann", ", ann"], ["Well?"])
    assert delegated == [False, False, True, True, True, True]
