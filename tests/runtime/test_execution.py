"""One dispatch, carried out: when its clock starts, and what is made of all that went wrong at once."""

import asyncio
import threading
from typing import Annotated, Any, Never

import pytest
from pydantic import AfterValidator

from agentorch import Agent, Budget, Context, Orchestrator, Plan, Policy, agent
from agentorch.blobs.memory import MemoryBlobs
from agentorch.core.failures import FailureKind
from agentorch.core.task import Task
from agentorch.errors import (
    BudgetExceeded,
    ConfigurationError,
    EffectUnknown,
    MalformedOutput,
    ModelError,
    ModelRefusal,
    PermanentError,
    TransientError,
)
from agentorch.messages.work import Result, Terms, Work
from agentorch.runtime.execution import MOST_TOLD, Execution, failed
from agentorch.runtime.isolated import Isolated
from agentorch.runtime.job import Job
from agentorch.runtime.services import DispatchServices


async def test_waiting_for_a_thread_is_not_the_tasks_time() -> None:
    """The one thread is taken: the clock of what waits for it starts only when it is free."""
    begun, gate = threading.Event(), threading.Event()
    watched: list[str] = []

    @agent(description="Keeps its thread.")
    def keeper() -> str:
        begun.set()
        gate.wait(20)
        return "kept"

    @agent(description="Is quick.")
    def quick() -> str:
        return "quick"

    def no_services(_: Job) -> Never:
        raise AssertionError("nothing asks for services")

    async def no_model(agent: Agent, work: Work, services: DispatchServices) -> Never:
        raise AssertionError("nothing asks for a model")

    execution = Execution(
        agents={"keeper": keeper, "quick": quick}, validators=(), services=no_services, prompted=no_model,
        blobs=MemoryBlobs(), isolated=Isolated({}), threads=1,
    )  # fmt: skip

    async def carry_out(name: str) -> Any:
        slot = asyncio.current_task()
        assert slot is not None
        work = Work(name, Terms("run", timeout=5), Task(id=name, agent=name), name, {}, "")
        begun = execution(Job(work, slot, lambda job, _: watched.append(job.work.key)))
        assert not isinstance(begun, Result), "a thread does not end at once"
        return (await begun).output

    keeping = asyncio.create_task(carry_out("keeper"))
    await asyncio.to_thread(begun.wait, 20)
    waiting = asyncio.create_task(carry_out("quick"))
    for _ in range(10):
        await asyncio.sleep(0)
    before = list(watched)
    gate.set()
    outputs = await asyncio.gather(keeping, waiting)

    assert (before, watched) == (["keeper"], ["keeper", "quick"])
    assert outputs == ["kept", "quick"]


LATER = TransientError("later", retry_after=1)
BUSY = ModelError("busy", kind=FailureKind.TRANSIENT, retry_after=3)
UNKNOWN = EffectUnknown("who knows", effect="run/one/pay/1")
OVER = BudgetExceeded("all is used")
CRASH = ValueError("no")


def of(*errors: BaseException) -> Result:
    """Return what comes of a body in which all of these were raised at once."""
    work = Work("key", Terms("run"), Task(id="one", agent="one"), "one", {}, "")
    return failed(work, BaseExceptionGroup("unhandled errors in a TaskGroup", errors))


@pytest.mark.parametrize(
    ("errors", "result"),
    [
        ([LATER, BUSY], Result("key", None, FailureKind.TRANSIENT, ("later", "busy"), retry_after=3)),
        ([LATER, CRASH], Result("key", None, FailureKind.CRASH, ("ValueError: no", "later"))),
        ([CRASH, LATER, PermanentError("never")], Result(
            "key", None, FailureKind.PERMANENT, ("never", "ValueError: no", "later"),
        )),
        ([ModelRefusal("no"), PermanentError("no")], Result("key", None, FailureKind.PERMANENT, ("no",))),
        ([PermanentError("never"), ConfigurationError("no such model")], Result(
            "key", None, FailureKind.UNCONFIGURED, ("no such model", "never"),
        )),
        ([ConfigurationError("no such model"), OVER], Result(
            "key", None, FailureKind.BUDGET, ("all is used", "no such model"), called=True,
        )),
        ([ModelError("used up", kind=FailureKind.BUDGET), OVER], Result(
            "key", None, FailureKind.BUDGET, ("used up", "all is used"), called=True,
        )),
        ([OVER, LATER, UNKNOWN], Result(
            "key", None, FailureKind.UNKNOWN, ("who knows", "all is used", "later"), effect=UNKNOWN.effect, called=True,
        )),
        ([MalformedOutput("no JSON", text="{"), LATER], Result("key", "{", FailureKind.INVALID, ("no JSON", "later"))),
        ([ExceptionGroup("within", [OVER])], Result("key", None, FailureKind.BUDGET, ("all is used",), called=True)),
        ([asyncio.CancelledError("so")], Result("key", None, FailureKind.CRASH, ("CancelledError: so",))),
    ],
)  # fmt: skip
def test_of_what_went_wrong_at_once_the_worst_counts(errors: list[BaseException], result: Result) -> None:
    """In one order, whatever came first; all of it is named, the worst first."""
    assert of(*errors) == result


def test_not_all_of_a_thousand_problems_are_told() -> None:
    """The first ones, and how many more there are."""
    problems = of(*[ValueError(number) for number in range(1_000)]).problems
    assert problems == (*(f"ValueError: {number}" for number in range(MOST_TOLD)), f"and {1_000 - MOST_TOLD} more")


async def test_a_limit_that_is_reached_in_a_task_group_is_one_of_the_budget() -> None:
    """As it is with `asyncio.gather`: the body is not called a crash, nor begun again."""
    begun = list[int]()

    @agent(description="Is called.")
    async def callee(number: int) -> int:
        return number

    @agent(description="Calls.")
    async def caller(context: Context) -> None:
        begun.append(1)
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(context.call(callee, number=number))

    plan = Plan("limited")
    plan.add("one", agent=caller)
    async with Orchestrator([caller, callee]) as orchestrator:
        outcome = await orchestrator.run(plan, budget=Budget(max_tasks=2))

    assert [problem.code for problem in outcome.problems] == ["budget"]
    assert begun == [1]


async def test_an_input_that_raises_stop_iteration_is_a_failure() -> None:
    """It is not taken for the end of a body that was never called."""
    known = ("red", "green")
    called: list[str] = []

    def known_only(value: str) -> str:
        return next(one for one in known if one == value)

    @agent(description="Paints.")
    async def painter(colour: Annotated[str, AfterValidator(known_only)]) -> str | None:
        called.append(colour)
        return colour

    plan = Plan("paint")
    plan.add("paint", agent=painter, inputs={"colour": "blue"})
    outcome = await Orchestrator([painter], policy=Policy(attempts=1, replans=0)).run(plan)

    assert (outcome.status, called) == ("failed", [])
    assert any("StopIteration" in problem.message for problem in outcome.problems)
