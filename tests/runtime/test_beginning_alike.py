"""Runs of one plan begin alike, and leave nothing behind."""

import asyncio
import gc

import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.core.events import Event, TasksAccepted
from agentorch.core.state import RunState
from agentorch.errors import AgentorchError, ConfigurationError
from agentorch.journal.codec import encode
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.beginnings import KNOWN
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.turn import Turn


@agent(description="Doubles.")
async def double(number: int) -> int:
    return 2 * number


def doubled(number: int = 1) -> Plan:
    """Return a plan that doubles a number twice."""
    plan = Plan("twice", answer="$b")
    plan.add("a", agent=double, inputs={"number": number})
    plan.add("b", agent=double, inputs={"number": "$a"})
    return plan


async def journaled(orchestrator: Orchestrator, run_id: str) -> list[Event]:
    """Return the events of a run."""
    return await orchestrator._open_launch("").engine.journal.read(run_id)


async def test_the_journal_says_the_same_of_runs_of_one_plan() -> None:
    """Whether they began as another one did, or by themselves; each under its own id, in bytes that say it all."""
    plan = doubled()
    async with Orchestrator([double]) as orchestrator:
        alike = [await orchestrator.run(plan) for _ in range(2)]
        alone = await orchestrator.run(plan, tags={})
        said = [await journaled(orchestrator, one.run_id) for one in (*alike, alone)]
    begun = [[event.model_copy(update={"run_id": "", "at": 0.0}) for event in events[:3]] for events in said]
    assert [one.answer for one in (*alike, alone)] == [4, 4, 4]
    assert begun[0] == begun[1] == begun[2]
    assert [{event.run_id for event in events} for events in said] == [{one.run_id} for one in (*alike, alone)]


async def test_a_plan_that_has_changed_begins_anew() -> None:
    """Its goal, its tasks, and what somebody has put into the inputs of a task."""
    plan = doubled()
    async with Orchestrator([double]) as orchestrator:
        await orchestrator.run(plan)
        plan.goal = "four times"
        (started, *_) = await journaled(orchestrator, (await orchestrator.run(plan)).run_id)
        plan.tasks[0].inputs["number"] = 5
        changed = await orchestrator.run(plan)
        (_, accepted, *_) = await journaled(orchestrator, changed.run_id)
        plan.add("c", agent=double, inputs={"number": "$b"})
        plan.answer = "$c"
        longer = await orchestrator.run(plan)
    assert (started.model_dump()["goal"], changed.answer, longer.answer) == ("four times", 20, 40)
    assert isinstance(accepted, TasksAccepted)
    assert accepted.tasks[0].inputs == {"number": 5}


async def test_few_plans_are_known() -> None:
    """However many there are, so much is kept and no more; each run has its own plan's answer."""
    async with Orchestrator([double]) as orchestrator:
        plans = [doubled(number) for number in range(KNOWN + 5)]
        answers = [(await orchestrator.run(plan)).answer for plan in (*plans, plans[0])]
        kept = len(orchestrator._open_launch("").beginnings._known)
    assert answers == [*(4 * number for number in range(KNOWN + 5)), 0]
    assert kept == KNOWN


async def test_runs_that_are_over_leave_no_garbage() -> None:
    """Nothing of them waits for the collector: they hold on to nothing that holds on to them."""
    plan = doubled()
    async with Orchestrator([double]) as orchestrator:
        await asyncio.gather(*(orchestrator.run(plan) for _ in range(3)))
        gc.collect()
        gc.disable()
        try:
            await asyncio.gather(*(orchestrator.run(plan) for _ in range(20)))
            await asyncio.sleep(0)
            left = gc.collect()
        finally:
            gc.enable()
    assert left < 20


async def test_what_goes_wrong_at_the_end_of_a_turn_is_of_one_run() -> None:
    """The others commit what they have decided."""
    journal, turn = MemoryJournal(), Turn()
    await journal.open()
    broken, whole = (HostedRun(RunState(name), journal) for name in ("broken", "whole"))

    def fail() -> None:
        raise ValueError("no")

    for run in (broken, whole):
        (event,) = [TasksAccepted(seq=1, at=0.0, run_id=run.state.run_id, tasks=(), source="user")]
        run.decided.append(event)
        turn.commit(run)
    broken.when_durable(fail)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert isinstance(broken.lost, AgentorchError)
    assert (whole.lost, whole.decided) == (None, [])
    assert encode(event) == encode((await journal.read("whole"))[0])


@pytest.mark.parametrize("goal", ["", 3])
async def test_the_goal_of_a_plan_is_words(goal: object) -> None:
    """An empty one may be; what is no text is refused in one line."""
    plan = doubled()
    plan.goal = goal  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    async with Orchestrator([double]) as orchestrator:
        if goal == "":
            assert (await orchestrator.run(plan)).answer == 4
        else:
            with pytest.raises(AgentorchError, match="the goal is 3: give words, or a Plan"):
                await orchestrator.run(plan)


async def test_a_plan_that_was_verified_has_its_beginning_ready() -> None:
    """Its first run makes nothing anew."""
    plan = doubled()
    async with Orchestrator([double]) as orchestrator:
        known = orchestrator._open_launch("").beginnings._known
        orchestrator.verify(plan)
        (ready,) = known.values()
        outcome = await orchestrator.run(plan)
        assert [*known.values()] == [ready]
    assert outcome.answer == 4


async def test_a_plan_whose_run_would_be_refused_is_verified_all_the_same() -> None:
    """What is wrong with more than the plan, the run says."""

    @agent(description="Says it.")
    async def say(text: str) -> str:
        return text

    plan = Plan("secret")
    plan.add("a", agent=say, inputs={"text": "secret:nobody"})
    async with Orchestrator([say]) as orchestrator:
        assert orchestrator.verify(plan).errors == ()
        with pytest.raises(ConfigurationError, match="no secret 'nobody' is known"):
            await orchestrator.run(plan)
