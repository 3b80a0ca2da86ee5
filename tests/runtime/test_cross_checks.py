"""Checks across tasks in runs: the function sees typed outputs, and the rejected task hears of it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agentorch import Orchestrator, Outcome, Plan, Policy, across, agent
from agentorch.agents import FunctionAgent
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError, PermanentError, PlanError
from agentorch.events import CheckStarted, PlanPatched
from agentorch.journal.memory import MemoryJournal
from agentorch.ports.planner import Offer, Patch, PlanReport, PlanRequest
from agentorch.runtime.run import Run
from agentorch.runtime.why import explain
from agentorch.validation import Across


@agent(description="Finds facts.")
async def finder(topic: str) -> set[str]:
    return {f"{topic} hum"}


def poet_that(says: list[str]) -> FunctionAgent[Any, Any]:
    @agent(description="Writes a poem.")
    async def poet(facts: set[str], problems: list[str]) -> str:
        says.append("; ".join(problems))
        return "Bees hum" if problems else "Bees bark"

    return poet


@across("facts", "poem")
def agree(facts: set[str], poem: str) -> str | None:
    return None if poem.lower() in {fact.lower() for fact in facts} else f"'{poem}' is none of the facts"


def plan(poet: Any) -> Plan:
    made = Plan("A poem")
    facts = made.add("facts", agent=finder, inputs={"topic": "bees"})
    made.add("poem", agent=poet, inputs={"facts": facts})
    return made


async def carried_out(check: Across, poet: Any, **options: Any) -> Outcome:
    async with Orchestrator([finder, poet], validators=[check], **options) as orchestrator:
        return await orchestrator.run(plan(poet))


async def test_a_rejected_output_is_mended_before_the_answer_is_accepted():
    """The task that the check names gets the problems; events and `why` say who rejected what."""
    says: list[str] = []
    poet = poet_that(says)
    async with Orchestrator([finder, poet], validators=[agree]) as orchestrator:
        run = await orchestrator.submit(plan(poet))
        events = [event async for event in run]
        outcome = await run.outcome()
    told = [line.text for line in explain(events, "poem")]
    assert (outcome.status, outcome.answer, says) == ("succeeded", "Bees hum", ["", "'Bees bark' is none of the facts"])
    assert "check 'agree' rejected it, and it is done again: 'Bees bark' is none of the facts" in told
    assert "check 'agree' accepted it" in told
    assert "check 'agree' rejected 'poem' beside it: 'Bees bark' is none of the facts" in [
        line.text for line in explain(events, "facts")
    ]


async def test_another_task_than_the_last_can_be_the_one_to_blame():
    """By `redo=`; async functions and errors that reject are fine."""

    @across("facts", "poem", redo="facts")
    async def known(facts: set[str], poem: str) -> None:
        await asyncio.sleep(0)
        if len(facts) < 2:
            raise ValueError("too few facts")

    outcome = await carried_out(known, poet_that([]), policy=Policy(attempts=1, replans=0))
    assert (outcome.states, outcome.problems[0].message) == ({"facts": "failed", "poem": "skipped"}, "too few facts")


async def test_a_check_that_raises_or_hangs_accepts_nothing():
    """The run is partial, and says why."""

    @across("facts", "poem")
    def broken(facts: set[str], poem: str) -> bool:
        return True

    @across("facts", "poem")
    async def endless(facts: set[str], poem: str) -> None:
        await asyncio.Event().wait()

    outcomes = [await carried_out(one, poet_that([]), policy=Policy(timeout=0.2)) for one in (broken, endless)]
    assert [outcome.status for outcome in outcomes] == ["partial", "partial"]
    assert (
        outcomes[0]
        .problems[0]
        .message.startswith("check 'broken' could not judge 'facts', 'poem': TypeError: check 'broken' returned True")
    )
    assert (
        outcomes[1].problems[0].message == "check 'endless' could not judge 'facts', 'poem': it took longer than 0.2 s"
    )


async def test_a_check_under_way_is_asked_again_by_the_next_owner(tmp_path: Path):
    """And nobody takes the run up who does not have it."""
    poet, asked = poet_that([]), asyncio.Event()
    journal = tmp_path / "runs.db"

    @across("facts", "poem")
    async def patient(facts: set[str], poem: str) -> None:
        if not asked.is_set():
            asked.set()
            await asyncio.Event().wait()

    async with Orchestrator([finder, poet], validators=[patient], journal=journal) as orchestrator:
        run: Run = await orchestrator.submit(plan(poet))
        await asked.wait()
    async with Orchestrator([finder, poet], journal=journal) as orchestrator:
        with pytest.raises(ConfigurationError, match="is held to check 'patient', which is not here"):
            await orchestrator.resume(run.id)
    async with Orchestrator([finder, poet], validators=[patient], journal=journal) as orchestrator:
        outcome = await orchestrator.resume(run.id)
        events = [event async for event in await orchestrator.attach(run.id)]
    assert (outcome.status, outcome.answer) == ("succeeded", "Bees bark")
    assert len([event for event in events if isinstance(event, CheckStarted)]) == 1


async def test_a_cancelled_run_does_not_wait_for_its_check():
    """The check is given up with it."""
    poet, asked, ended = poet_that([]), asyncio.Event(), asyncio.Event()

    @across("facts", "poem")
    async def endless(facts: set[str], poem: str) -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Orchestrator([finder, poet], validators=[endless]) as orchestrator:
        run = await orchestrator.submit(plan(poet))
        await asked.wait()
        await run.cancel()
        outcome = await run.outcome()
        await ended.wait()
    assert outcome.status == "cancelled"


@pytest.mark.parametrize("error", [asyncio.CancelledError("stray"), SystemExit(3)])
async def test_a_check_that_cancels_itself_or_would_end_the_program_has_not_judged(error: BaseException):
    """The run comes to its end, and says that the check did not hold it to anything."""

    @across("facts", "poem")
    async def wild(facts: set[str], poem: str) -> None:
        raise error

    async with asyncio.timeout(20):
        outcome = await carried_out(wild, poet_that([]))
    assert outcome.answer == "Bees bark"
    assert [type(error).__name__ in problem.message for problem in outcome.problems] == [True]


async def test_a_fork_is_held_to_the_checks_of_its_run():
    """An output that is put in another's place is held against the others anew."""
    poet, journal = poet_that([]), MemoryJournal()
    async with Orchestrator([finder, poet], validators=[agree], journal=journal) as orchestrator:
        run = await orchestrator.submit(plan(poet))
        end = [event async for event in run][-1].seq
        forked = await orchestrator.fork(run.id, at=end, outputs={"poem": "Bees moo"})
    assert (forked.status, forked.answer) == ("succeeded", "Bees hum")
    async with Orchestrator([finder, poet], journal=journal) as orchestrator:
        with pytest.raises(ConfigurationError, match="is held to check 'agree', which is not here"):
            await orchestrator.fork(run.id, at=end)


class _Patcher:
    """Puts a second poem into the plan when another task fails."""

    name = "patcher"

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        """Make no plan."""
        raise PlanError("no plan")

    async def patch(self, request: PlanRequest) -> PlanReport:
        """Replace the failed task."""
        facts = {"facts": "$facts"}
        put = (Task("x", "finder", inputs={"topic": "wasps"}), Task("again", "poet", inputs=facts))
        return PlanReport(patch=Patch(put=put, answer="$again"))


async def test_a_patch_may_change_what_a_check_under_way_is_about():
    """Its verdict changes nothing any more; the run ends, and says that it was not checked."""
    made, asked, failed = plan(poet_that([])), asyncio.Event(), asyncio.Event()

    @agent(description="Fails.")
    async def flaky() -> str:
        await asked.wait()
        raise PermanentError("no")

    @across("facts", "poet")
    async def slow(facts: set[str], poem: str) -> str:
        asked.set()
        await failed.wait()
        return "bees do not bark"

    async def watch(run: Run) -> None:
        async for event in run:
            if isinstance(event, PlanPatched):
                failed.set()

    made.add("x", agent=flaky)
    options: dict[str, Any] = {"planner": _Patcher(), "policy": Policy(attempts=1)}
    async with Orchestrator([finder, poet_that([]), flaky], validators=[slow], **options) as orchestrator:
        run = await orchestrator.submit(made)
        await asyncio.wait_for(asyncio.gather(watch(run), run.rest()), 5)
        outcome = await run.outcome()
    assert (outcome.status, outcome.answer) == ("succeeded", "Bees bark")
    assert "check 'slow' was not asked again" in " ".join(problem.message for problem in outcome.problems)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (across, "name the tasks or agents"),
        (lambda: across("a", "a"), "a name is there twice"),
        (lambda: across("a", "b", redo="c"), "redo='c' is none of them"),
        (lambda: Orchestrator([finder], validators={"finder": agree}).registry, "a check across tasks is no agent's"),
        (
            lambda: Orchestrator([finder], validators=[agree, agree]).registry,
            "two checks across tasks are called 'agree'",
        ),
    ],
)
def test_a_check_that_makes_no_sense_is_refused_at_once(make: Any, said: str):
    """In words."""
    with pytest.raises(ConfigurationError, match=said):
        make()


def test_a_check_across_tasks_is_still_its_function():
    """Calling it calls it."""
    assert agree({"bees hum"}, "Bees hum") is None
