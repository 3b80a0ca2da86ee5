"""Equal calls of a body of which some bring nothing: what brought something is never made again."""

import asyncio
from pathlib import Path
from typing import Any

from agentorch import Agent, Budget, Context, Orchestrator, Plan, agent, tool
from agentorch.core.state import Request
from agentorch.errors import FailureKind, ModelError, TransientError
from agentorch.events import RequestOpened, StepFinished, TaskDelegated
from agentorch.testing import Reply, ScriptedModel


def one(doer: Agent) -> Plan:
    """Return a plan of one task."""
    plan = Plan("one task")
    plan.add("only", agent=doer)
    return plan


class Cut:
    """Where a body is cut off in its first dispatch."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._dispatches = 0

    async def here(self) -> None:
        """Stand still for ever, the first time."""
        self._dispatches += 1
        if self._dispatches == 1:
            self.reached.set()
            await asyncio.Event().wait()

    async def resumed(self, doer: Agent, journal: Path, **given: Any) -> Any:
        """Begin the task, end the orchestrator at the cut, and return what comes of it in the next one."""
        async with Orchestrator([doer], journal=journal, **given) as before:
            run = await before.submit(one(doer))
            await self.reached.wait()
        async with Orchestrator([doer], journal=journal, **given) as after:
            return await after.resume(run.id)


async def test_calls_that_a_body_has_repeated_are_read_back() -> None:
    """The first model call and the first step fail, their repetitions do not: a continued attempt makes none."""
    asked: list[str] = []
    fetched: list[str] = []
    dispatches: list[int] = []

    def model(request: Any) -> Any:
        asked.append("")
        return ModelError("busy", kind=FailureKind.TRANSIENT) if len(asked) == 1 else Reply(f"answer {len(asked)}")

    def fetch(url: str) -> str:
        fetched.append(url)
        if len(fetched) == 1:
            raise OSError("no net")
        return f"page {len(fetched)}"

    async def again(call: Any) -> Any:
        try:
            return await call()
        except (OSError, ModelError):
            return await call()

    @agent(description="Is stubborn.", needs_model=True)
    async def stubborn(context: Context) -> str:
        page = await again(lambda: context.step("fetch", fetch, "url"))
        said = await again(lambda: context.model("hello"))
        dispatches.append(1)
        if len(dispatches) == 1:
            raise TransientError("cut off", retry_after=0.01)
        return f"{page}, {said}"

    async with Orchestrator([stubborn], model=ScriptedModel(model)) as orchestrator:
        run = await orchestrator.submit(one(stubborn))
        outcome = await run.outcome()
        steps = [event.step.rpartition(":")[2] async for event in run if isinstance(event, StepFinished)]

    assert outcome.answer == "page 2, answer 2"
    assert (len(asked), len(fetched), steps) == (2, 2, ["1", "1"])


async def test_a_call_that_was_given_up_and_repeated_fits_into_the_budget_of_a_resumed_run(tmp_path: Path) -> None:
    """Two calls are allowed and two were made: the answer to the second is in the journal."""
    cut = Cut()
    model = ScriptedModel([Reply("too late", delay=5), Reply("in time")])

    @agent(description="Has no patience.", needs_model=True)
    async def hasty(context: Context) -> str:
        try:
            said = await asyncio.wait_for(context.model("hello"), 0.05)
        except TimeoutError:
            said = await context.model("hello")
        await cut.here()
        return said

    outcome = await cut.resumed(hasty, tmp_path / "runs.db", model=model, budget=Budget(max_calls=2))

    assert (outcome.status, outcome.answer, len(model.requests)) == ("succeeded", "in time", 2)


async def test_of_two_calls_side_by_side_the_second_may_be_answered_alone(tmp_path: Path) -> None:
    """The body asks again beside a slow call and gives that one up; continued, its first call has the answer."""
    cut = Cut()
    model = ScriptedModel([Reply("slow", delay=5), Reply("quick")])

    @agent(description="Asks once more when it takes long.", needs_model=True)
    async def hedging(context: Context) -> str:
        first = asyncio.ensure_future(context.model("hello"))
        await asyncio.wait({first}, timeout=0.2)
        said = first.result() if first.done() else await context.model("hello")
        first.cancel()
        await asyncio.wait({first})
        await cut.here()
        return said

    outcome = await cut.resumed(hedging, tmp_path / "runs.db", model=model)

    assert (outcome.answer, len(model.requests)) == ("quick", 2)


async def test_a_third_call_takes_the_number_of_one_that_failed_beside_another(tmp_path: Path) -> None:
    """First fails while the second goes on: the third and the second are the two that are read back."""
    cut, calls, second_begun, go_on = Cut(), list[int](), asyncio.Event(), asyncio.Event()

    async def fetch(url: str) -> int:
        calls.append(number := len(calls) + 1)
        if number == 1:
            await second_begun.wait()
            raise OSError("no net")
        if number == 2:
            second_begun.set()
            await go_on.wait()
        return number

    @agent(description="Fetches twice.")
    async def fetching(context: Context) -> list[int]:
        async def again() -> int:
            try:
                return await context.step("fetch", fetch, "url")
            except OSError:
                third = await context.step("fetch", fetch, "url")
                go_on.set()
                return third

        pages = await asyncio.gather(again(), context.step("fetch", fetch, "url"))
        await cut.here()
        return list(pages)

    outcome = await cut.resumed(fetching, tmp_path / "runs.db")

    assert (outcome.answer, calls) == ([3, 2], [1, 2, 3])


async def test_an_agent_whose_caller_has_lost_patience_is_not_called_twice() -> None:
    """Called again with the same inputs, the task that goes on is waited for."""
    go_on = asyncio.Event()

    @agent(description="Takes its time.")
    async def slow(word: str) -> str:
        await go_on.wait()
        return f"about {word}"

    @agent(description="Calls.")
    async def calling(context: Context) -> str:
        try:
            return await asyncio.wait_for(context.call(slow, word="bees"), 0.05)
        except TimeoutError:
            go_on.set()
            return await context.call(slow, word="bees")

    async with Orchestrator([slow, calling]) as orchestrator:
        run = await orchestrator.submit(one(calling))
        outcome = await run.outcome()
        added = [event.task async for event in run if isinstance(event, TaskDelegated)]

    assert outcome.answer == "about bees"
    assert len(added) == 1


async def test_a_question_that_was_given_up_and_asked_again_is_one() -> None:
    """The person sees it once."""

    @agent(description="Asks.")
    async def asking(context: Context) -> str:
        try:
            return await asyncio.wait_for(context.ask("Which colour?"), 0.05)
        except TimeoutError:
            return await context.ask("Which colour?")

    async with Orchestrator([asking]) as orchestrator:
        run = await orchestrator.submit(one(asking))
        await run.outcome()
        await asyncio.sleep(0.1)
        (request,) = run.waiting
        await run.answer(request.request_id, "blue", by="ann")
        outcome = await run.outcome()

    assert outcome.answer == "blue"


async def test_a_person_is_asked_before_each_time_that_a_call_is_made() -> None:
    """Also where the call before has failed and the next one is the same step."""
    used: list[int] = []
    asked: list[str] = []

    @tool(approval=True)
    async def order(number: int) -> str:
        """Order."""
        used.append(number)
        if len(used) == 1:
            raise OSError("no net")
        return f"ordered {number}"

    @agent(description="Orders.", tools=[order])
    async def ordering(context: Context) -> str:
        try:
            return str(await context.tool(order, number=1))
        except OSError:
            return str(await context.tool(order, number=1))

    def agreed(request: Request) -> bool:
        asked.append(request.request_id)
        return True

    async with Orchestrator([ordering], on_request=agreed) as orchestrator:
        run = await orchestrator.submit(one(ordering))
        outcome = await run.outcome()
        opened = [event.request_id async for event in run if isinstance(event, RequestOpened)]

    assert (outcome.answer, used) == ("ordered 1", [1, 1])
    assert asked == opened
    assert len(set(asked)) == 2


async def test_steps_that_begin_in_the_same_order_keep_their_results(tmp_path: Path) -> None:
    """Side by side, and the second was finished alone: the first, which is made again, is not given its result."""
    cut = Cut()
    other = asyncio.Event()

    @agent(description="Fetches.")
    async def fetching(context: Context) -> list[str]:
        async def page_of(url: str) -> str:
            async def fetch() -> str:
                if url == "a":
                    await other.wait()
                    await cut.here()
                return f"page of {url}"

            page = await context.step("fetch", fetch)
            other.set()
            return page

        return list(await asyncio.gather(page_of("a"), page_of("b")))

    outcome = await cut.resumed(fetching, tmp_path / "runs.db")

    assert outcome.answer == ["page of a", "page of b"]
