"""Agents that repeat themselves, in runs: what was seen is said in the problem and in `why`."""

import itertools

from agentorch import Agent, Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.ports.model import ToolCall
from agentorch.runtime.why import explain
from agentorch.testing import ScriptedModel
from agentorch.testing.scripted_model import Reply


def look(number: int) -> Reply:
    return Reply(tool_calls=[ToolCall(f"c{number}", "look", "{}")])


async def test_a_model_that_only_repeats_its_calls_is_stopped() -> None:
    """Long before its turns are used up, and the fresh start may do better."""

    @tool
    def looking() -> str:
        """Looks."""
        return "nothing"

    looking.name = "look"
    watcher = Agent("watcher", description="Watches.", prompt="Watch.", tools=[looking])
    plan = Plan("watch")
    plan.add("watch", agent=watcher, repeats=2)
    model = ScriptedModel([*(look(number) for number in range(3)), "All is quiet."])
    async with Orchestrator([watcher], model=model, planner="rules") as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()
    assert outcome.answer == "All is quiet."
    assert (
        "attempt 1 failed (invalid): stalled: 2 turns in a row the model only repeated calls that had been answered "
        "alike, the last look({})"
    ) in [line.text for line in explain(events, "watch")]


async def test_attempts_that_bring_the_same_go_on_to_the_next_rung() -> None:
    """The outcome and `why` say which attempt was repeated."""

    @agent(description="Says the same.", attempts=9, repairs=9)
    async def stubborn(problems: list[str]) -> str:
        return "no"

    @stubborn.check
    def content(output: str) -> str | None:
        return "it says no" if output == "no" else None

    plan = Plan("ask")
    plan.add("ask", agent=stubborn)
    async with Orchestrator([stubborn], policy=Policy(replans=0)) as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()
    told = [line.text for line in explain(events, "ask")]
    assert outcome.problems[0].message == "it says no (stalled: output and problems are those of attempt 1)"
    assert "attempt 1 failed (invalid), rejected by 'content': it says no" in told
    assert "retry: 'stubborn' starts afresh (stalled: it brought what attempt 1 had brought)" in told
    assert len([text for text in told if text.startswith("started")]) == 3


async def test_a_circle_of_calls_ends_before_the_depth_does() -> None:
    """The call is refused in words; calls with other inputs, and calls one after the other, are not."""
    calls: list[str] = []
    answers = itertools.count()

    @agent(description="Asks right.")
    async def left(level: int, context: Context) -> str:
        calls.append("left")
        return str(await context.call("right", level=level))

    @agent(description="Asks left.")
    async def right(level: int, context: Context) -> str:
        calls.append("right")
        return str(await context.call("left", level=level))

    @agent(description="Is asked again and again.")
    async def clock() -> int:
        return next(answers)

    @agent(description="Waits.")
    async def patient(context: Context) -> int:
        while (seen := await context.call(clock)) < 9:
            pass
        return int(seen)

    async with Orchestrator([left, right, clock, patient], policy=Policy(replans=0)) as orchestrator:
        plan = Plan("go round")
        plan.add("round", agent=left, inputs={"level": 1})
        outcome = await orchestrator.run(plan)
        waiting = Plan("wait")
        waiting.add("wait", agent=patient)
        waited = await orchestrator.run(waiting)
    assert calls == ["left", "right"]
    assert (
        "'left' is being called with the same inputs already: 'left' -> 'right' -> 'left'"
        in outcome.problems[0].message
    )
    assert waited.answer == 9
