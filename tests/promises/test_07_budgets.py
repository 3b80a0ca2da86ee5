"""Promise 7: budgets are reservations, in tokens, money, calls, wall time and depth, inherited by what is called."""

import asyncio
from pathlib import Path
from typing import Any

import anyio
import pytest

from agentorch import Agent, Budget, Context, Orchestrator, Plan, Policy, agent
from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError, FailureKind, ModelError, PermanentError, PlanError
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.testing.clock import LoopClock
from agentorch.testing.fake_openai import Fail, FakeOpenAI, Say
from agentorch.testing.scripted_model import Reply, ScriptedModel
from tests.faults.overshoot import tried


async def test_three_calls_are_exactly_three() -> None:
    """`max_calls=3` with five tasks that each call once: three calls are made, and the outcome says why not more."""
    model = ScriptedModel(["one", "two", "three", "four", "five"])

    @agent(description="Asks the model once.", needs_model=True)
    async def asking(context: Context) -> str:
        return str(await context.model("say something"))

    plan = Plan("five questions")
    for number in range(5):
        plan.add(f"q{number}", agent=asking)
    policy = Policy(attempts=1, replans=0)
    async with Orchestrator([asking], model=model, planner="rules", policy=policy) as orchestrator:
        outcome = await orchestrator.run(plan, budget=Budget(max_calls=3))

    assert len(model.requests) == 3
    assert outcome.usage.calls == 3
    assert outcome.status is OutcomeStatus.PARTIAL
    assert any("max_calls=3" in problem.message for problem in outcome.problems)
    assert {problem.remedy for problem in outcome.problems if problem.code == "budget"} == {
        "raise the budget and start again"
    }


async def test_a_request_that_the_server_turned_away_is_the_same_call() -> None:
    """It did nothing: a parameter is left out and the call made again, within a budget of one."""

    @agent(description="Asks the model once.", needs_model=True)
    async def asking(context: Context) -> str:
        return await context.model("say something")

    plan = Plan("one question")
    plan.add("one", agent=asking)
    refusal = Fail(400, "Unsupported parameter: 'stream_options' is not supported")
    policy = Policy(attempts=1, replans=0)
    async with (
        FakeOpenAI(refusal, Say("said")) as server,
        Orchestrator([asking], model=server.model(), policy=policy) as orchestrator,
    ):
        outcome = await orchestrator.run(plan, budget=Budget(max_calls=1))

    assert (outcome.answer, outcome.usage.calls, len(server.requests)) == ("said", 1, 2)


@pytest.mark.parametrize("troubled", [Reply("{", finish_reason="stop"), ModelError("gone", kind=FailureKind.TRANSIENT)])
@pytest.mark.looptime
async def test_whatever_goes_wrong_three_calls_are_three(troubled: Reply | ModelError) -> None:
    """Planning, repairs, retries, broken streams and delegation: each counts, and a fourth call is never made."""
    model = ScriptedModel(lambda _: troubled)
    writer = Agent("writer", description="Writes.", prompt="Write.", output=list[str])

    @agent(description="Lets the writer write twice.")
    async def editor(context: Context) -> list[Any]:
        return [await context.call("writer") for _ in range(2)]

    plan = Plan("write", answer="edited")
    plan.add("edited", agent=editor)
    async with Orchestrator([editor, writer], model=model, clock=LoopClock()) as orchestrator:
        planned = await orchestrator.run("Write something", budget=Budget(max_calls=3))
        after_planning = len(model.requests)
        await orchestrator.run(plan, budget=Budget(max_calls=3))

    assert (after_planning, len(model.requests)) == (3, 6)
    assert planned.usage.calls == 3


async def test_a_call_made_before_a_crash_and_not_answered_counts(tmp_path: Path) -> None:
    """Of three calls two are answered and one is under way when the process ends: after it there is none left."""
    hanging = ScriptedModel(["one", "two", Reply("never", delay=1000)])

    @agent(description="Asks the model once.", needs_model=True)
    async def asking(number: int, context: Context) -> str:
        return str(await context.model(f"say {number}"))

    plan = Plan("four questions", answer="q3")
    for number in range(4):
        plan.add(f"q{number}", agent=asking, inputs={"number": number}, needs=[f"q{number - 1}"] if number else [])
    async with Orchestrator([asking], model=hanging, journal=tmp_path / "runs.db") as first:
        run = await first.submit(plan, budget=Budget(max_calls=3))
        async for event in run:
            if event.type == "ModelCalled" and len(hanging.requests) == 2:
                break
        while len(hanging.requests) < 3:  # noqa: ASYNC110 - the model tells nobody that it was asked
            await asyncio.sleep(0.01)
    again = ScriptedModel(lambda _: "too many")
    async with Orchestrator([asking], model=again, journal=tmp_path / "runs.db") as second:
        outcome = await second.resume(run.id)

    assert (len(hanging.requests), len(again.requests)) == (3, 0)
    assert (outcome.usage.calls, dict(outcome.outputs)["q1"]) == (3, "two")
    assert outcome.status is OutcomeStatus.PARTIAL


@pytest.mark.parametrize(("limit", "allowed"), [("max_tokens", 30_000), ("max_money", 0.06), ("max_calls", 50)])
async def test_calls_at_once_pass_a_limit_by_at_most_one_estimate_s_error(limit: str, allowed: float) -> None:
    """Forty tasks, three calls each, counts off by a half either way; calls are not passed at all."""
    for counted in (1 / 1.5, 1.5):
        figure = await tried(limit, allowed, counted, seed=1)
        assert figure.holds, figure
        assert figure.used > 0.85 * allowed, figure


async def test_a_task_that_finds_no_room_waits_for_what_others_give_back() -> None:
    """Visibly, without polling: it starts when the first has settled, and the run succeeds."""
    model = ScriptedModel(lambda _: Reply("said", delay=0.01, usage=Usage(90, 10, calls=1)))
    writer = Agent("writer", description="Writes.", prompt="Write.", input={"n": "integer"})
    plan = Plan("write", answer="joined")
    for number in range(3):
        plan.add(f"t{number}", agent=writer, inputs={"n": number})

    @agent(description="Joins.")
    def joiner(parts: list[str]) -> str:
        return " ".join(parts)

    plan.add("joined", agent=joiner, inputs={"parts": ["$t0", "$t1", "$t2"]})
    async with Orchestrator([writer, joiner], model=model) as orchestrator:
        run = await orchestrator.submit(plan, budget=Budget(max_tokens=2_500))
        outcome = await run.outcome()
        queued = [event.task async for event in run if event.type == "TaskQueued"]

    assert (outcome.status, outcome.answer) == (OutcomeStatus.SUCCEEDED, "said said said")
    assert queued[:2] == ["t1", "t2"]


async def test_what_a_task_may_spend_holds_for_what_it_delegates() -> None:
    """A task with a budget of two calls makes two, its own and its child's; the run's other tasks have the rest."""
    model = ScriptedModel(lambda _: "said")
    left: list[int | None] = []

    @agent(description="Asks.", needs_model=True, attempts=1)
    async def helper(context: Context) -> str:
        left.append(context.budget.max_calls)
        return str(await context.model("help"))

    @agent(description="Delegates.", attempts=1)
    async def boss(context: Context) -> list[str]:
        left.append(context.budget.max_calls)
        said = [str(await context.model("begin")), await context.call("helper")]
        left.append(context.budget.max_calls)
        return [*said, await context.call("helper")]

    plan = Plan("work", answer="free")
    plan.add("bound", agent=boss, budget=Budget(max_calls=2))
    plan.add("free", agent=helper, needs=["bound"], join="settled")
    async with Orchestrator([boss, helper], model=model, policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(plan, budget=Budget(max_calls=10))

    assert left == [2, 1, 0, 8]
    assert (len(model.requests), outcome.answer) == (3, "said")
    assert any("max_calls=2 model calls of 'bound' are used" in problem.message for problem in outcome.problems)


async def test_the_provider_is_told_how_much_may_be_said() -> None:
    """A request may say no more than is left; one whose own input does not fit is not made, in words."""
    model = ScriptedModel(lambda _: Reply("said", usage=Usage(300, 100, calls=1)))

    @agent(description="Asks.", needs_model=True, attempts=1)
    async def asking(size: int, context: Context) -> str:
        return str(await context.model("word " * size))

    plan = Plan("ask", answer="small")
    plan.add("small", agent=asking, inputs={"size": 100})
    plan.add("large", agent=asking, inputs={"size": 5_000}, needs=["small"])
    async with Orchestrator([asking], model=model, policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(plan, budget=Budget(max_tokens=2_000))

    (request,) = model.requests
    assert request.max_output_tokens is not None
    assert 1_000 < request.max_output_tokens < 2_000
    assert any("does not fit into what is left" in problem.message for problem in outcome.problems)


async def test_what_needs_no_model_goes_on_when_the_budget_is_used_up() -> None:
    """The rules plan, a stand-in without a model does the work, and the answer's call is kept free from the start."""
    model = ScriptedModel(lambda _: "written")
    poet = Agent("poet", description="Writes poems.", prompt="Write.", input={"topic": "string"}, fallback=["rhymer"])

    @agent(description="Rhymes.")
    def rhymer(topic: str) -> str:
        return f"{topic} rhymes"

    plan = Plan("poems")
    for number in range(3):
        plan.add(f"p{number}", agent=poet, inputs={"topic": f"bus {number}"})
    async with Orchestrator([poet, rhymer], model=model) as orchestrator:
        outcome = await orchestrator.run(plan, budget=Budget(max_calls=2))
        planless = await orchestrator.run("a poem on buses", budget=Budget(max_calls=1))

    assert sorted(str(outcome.outputs[f"p{number}"]) for number in range(3))[:2] == ["bus 1 rhymes", "bus 2 rhymes"]
    assert (outcome.status, outcome.answer, outcome.usage.calls) == (OutcomeStatus.SUCCEEDED, "written", 2)
    assert (planless.answer, planless.usage.calls) == ("written", 1)


async def test_delegation_is_bounded_by_depth() -> None:
    """An agent that calls itself ends at `max_depth`, with a reason."""
    depths: list[int] = []

    @agent(description="Calls itself.", attempts=1)
    async def deeper(level: int, context: Context) -> int:
        depths.append(level)
        return await context.call("deeper", level=level + 1)

    plan = Plan("fall")
    plan.add("first", agent=deeper, inputs={"level": 0})
    async with Orchestrator([deeper], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(plan, budget=Budget(max_depth=3))

    assert depths == [0, 1, 2, 3]
    assert outcome.status is OutcomeStatus.FAILED
    assert any("max_depth=3" in problem.message for problem in outcome.problems)


@pytest.mark.looptime
async def test_the_wall_time_of_a_run_is_bounded() -> None:
    """`timeout=` ends the run with what is done, and says that the time was up."""

    @agent(description="Sleeps.")
    async def sleeper(seconds: float) -> float:
        await anyio.sleep(seconds)
        return seconds

    plan = Plan("too long")
    plan.add("short", agent=sleeper, inputs={"seconds": 1})
    plan.add("long", agent=sleeper, inputs={"seconds": 1000})
    async with Orchestrator([sleeper], clock=LoopClock()) as orchestrator:
        before = anyio.current_time()
        outcome = await orchestrator.run(plan, timeout=10)
        took = anyio.current_time() - before

    assert round(took, 3) == 10.0
    assert outcome.status is OutcomeStatus.PARTIAL
    assert outcome.outputs["short"] == 1.0
    assert set(outcome.outputs) == {"short", "partial-answer"}
    assert outcome.answer.startswith("1.0\n\nMissing: the run's 10 seconds are up; 'long' was cancelled")
    assert any("10 seconds" in problem.message for problem in outcome.problems)


async def test_a_limit_of_money_needs_known_prices() -> None:
    """A model whose price nobody knows is refused under `max_money` before anything is spent: E_BUDGET."""

    class Unpriced(ScriptedModel):
        priced = False

    model = Unpriced(["hello"])
    greeter = Agent("greeter", description="Greets.", prompt="Greet.")
    plan = Plan("greet")
    plan.add("greet", agent=greeter)
    async with Orchestrator([greeter], model=model, planner="rules") as orchestrator:
        with pytest.raises(PlanError, match=r"E_BUDGET.*'scripted' is unknown"):
            await orchestrator.run(plan, budget=Budget(max_money=1.0))
        planned = await orchestrator.run("greet", budget=Budget(max_money=1.0))
        free = await orchestrator.run(plan)

    async with Orchestrator([greeter], model=model) as orchestrator:
        for goal in ("greet", plan):
            with pytest.raises(ConfigurationError, match=r"price of model 'scripted' is unknown.*prices="):
                await orchestrator.run(goal, budget=Budget(max_money=1.0))

    assert planned.status is OutcomeStatus.FAILED
    assert {problem.code for problem in planned.problems} >= {"E_BUDGET"}
    assert (free.answer, len(model.requests)) == ("hello", 1)


async def test_what_outlives_its_task_is_charged_and_then_refused() -> None:
    """A model call that is answered after its task's end is charged to the run; a new one is not made."""
    kept: list[Context] = []
    left_behind: list[asyncio.Task[Any]] = []
    refused: list[str] = []

    @agent(description="Leaves a call behind.")
    async def careless(context: Context) -> str:
        kept.append(context)
        left_behind.append(asyncio.ensure_future(context.model("What?")))
        await asyncio.sleep(0.01)
        return "done"

    @agent(description="Uses the context of another.")
    async def thief(before: str) -> str:
        await left_behind[0]
        try:
            await kept[0].model("And now?")
        except PermanentError as error:
            refused.append(str(error))
        return before

    plan = Plan("steal", answer="second")
    plan.add("first", agent=careless)
    plan.add("second", agent=thief, inputs={"before": "$first"})
    model = ScriptedModel(Reply("late", delay=0.05))
    async with Orchestrator([careless, thief], model=model) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert (outcome.answer, outcome.usage.calls, len(model.requests)) == ("done", 1, 1)
    assert "has ended: its context cannot be used any more" in refused[0]


@pytest.mark.looptime
@pytest.mark.parametrize(
    "answer",
    [Say(pieces=["word " * 800, "end"], break_after=1), Say(pieces=["word " * 800, "end"], stall_after=1)],
    ids=["broken off", "stalled"],
)
async def test_what_lost_calls_used_counts(answer: Say) -> None:
    """Each answer is lost behind its 800 words, and asked for again: the limit of tokens stops that."""
    async with FakeOpenAI(otherwise=answer) as server:
        writer = Agent("writer", description="Writes.", prompt="Write.")
        plan = Plan("write")
        plan.add("write", agent=writer)
        async with Orchestrator([writer], model=server.model(), policy=Policy(replans=0)) as orchestrator:
            outcome = await orchestrator.run(plan, budget=Budget(max_tokens=2500))
        calls = len(server.requests)

    assert calls == outcome.usage.calls
    assert 2 <= calls <= 3
    assert 2400 < outcome.usage.tokens < 2500 + 1400, "by no more than the one answer, of a server without limits"
    assert "max_tokens" in str(outcome.problems)
