"""A run's large inputs: once in the journal, whole for planners and agents."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agentorch import Agent, Context, Orchestrator, Plan, Task, agent
from agentorch.core.task import Graph
from agentorch.core.values import BLOB_BYTES, is_blob_ref
from agentorch.errors import ConfigurationError, PlanError
from agentorch.events import PlanRejected, RunStarted
from agentorch.journal.memory import MemoryJournal
from agentorch.ports.planner import Offer, Patch, PlanReport, PlanRequest
from agentorch.testing.scripted_model import ScriptedModel

LONG = "A long report. " * 10_000
ROWS = [{"id": number, "name": f"name {number}"} for number in range(5000)]


@agent(description="Counts the rows of a table.")
async def counting(rows: list[dict[str, Any]], name: str) -> str:
    return f"{len(rows)} rows, the last is {name}"


def counted() -> Plan:
    """Return a plan that takes a large input whole, and a part of it."""
    plan = Plan("count the rows")
    plan.add("count", agent=counting, inputs={"rows": "$inputs.rows", "name": "$inputs.rows.4999.name"})
    return plan


@pytest.mark.parametrize("place", ["memory", "sqlite"])
async def test_a_large_input_is_a_blob_in_the_journal_and_whole_for_its_agents(place: str, tmp_path: Path) -> None:
    """Events stay small; whole values and parts of them arrive; a run is resumed out of the blob."""
    journal = tmp_path / "runs.db" if place == "sqlite" else None
    async with Orchestrator([counting], journal=journal) as orchestrator:
        run = await orchestrator.submit(counted(), inputs={"rows": ROWS, "small": 1})
        events = [event async for event in run]
        outcome = await run.outcome()

    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert is_blob_ref(started.inputs["rows"])
    assert started.inputs["small"] == 1
    assert all(len(event.model_dump_json()) < BLOB_BYTES for event in events)
    assert outcome.answer == "5000 rows, the last is name 4999"


@pytest.mark.parametrize("place", ["memory", "sqlite"])
async def test_an_interrupted_run_takes_its_large_inputs_up_again(place: str, tmp_path: Path) -> None:
    """What the run was given is read out of the journal by whoever goes on: another process, or one that shares it."""
    journal = tmp_path / "runs.db" if place == "sqlite" else MemoryJournal()
    begun = asyncio.Event()

    @agent(description="Stands still the first time.")
    async def slow(rows: list[dict[str, Any]]) -> int:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        return len(rows)

    plan = Plan("count")
    plan.add("count", agent=slow, inputs={"rows": "$inputs.rows"})
    async with Orchestrator([slow], journal=journal) as orchestrator:
        run = await orchestrator.submit(plan, inputs={"rows": ROWS})
        await begun.wait()
    async with Orchestrator([slow], journal=journal) as orchestrator:
        outcome = await orchestrator.resume(run.id)
    assert outcome.answer == 5000


async def test_a_large_input_stands_whole_in_an_objective() -> None:
    """By itself, and within `${inputs}`; the model reads the value, not the name of a blob."""
    model = ScriptedModel(["one", "two"])
    reader = Agent("reader", description="Reads.", prompt="Read.")
    plan = Plan("read")
    plan.add("one", agent=reader, objective="Read: ${inputs.report}")
    plan.add("two", agent=reader, objective="Read: ${inputs}", needs=["one"])
    async with Orchestrator([reader], model=model, planner="rules") as orchestrator:
        outcome = await orchestrator.run(plan, inputs={"report": "The bee. " + LONG})
    assert outcome.answer == "two"
    for request in model.requests:
        assert "The bee." in request.messages[-1].content
        assert "$blob" not in request.messages[-1].content


async def test_planners_see_large_inputs_as_they_are() -> None:
    """A planner of one's own gets the values; the rules wire them by what they are."""
    seen: list[Any] = []

    class Looking:
        name = "looking"

        async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
            seen.append(request.inputs)
            raise PlanError("the next one, please")

        async def patch(self, request: PlanRequest) -> Any:
            raise NotImplementedError

    @agent(description="Counts the words of a report.")
    async def words(report: str) -> int:
        return len(report.split())

    for planner in (Looking(), "rules"):
        async with Orchestrator([words], planner=planner) as orchestrator:
            outcome = await orchestrator.run("count the words of the report", inputs={"report": LONG})
        assert outcome.answer == 30_000
    assert seen == [{"report": LONG}]


class Mistaken:
    """Plans, and mends, with a reference that does not fit."""

    name = "mistaken"

    def __init__(self, reference: str, *, in_patch: bool) -> None:
        self.task = Task("a", "words", inputs={"text": reference})
        self.in_patch = in_patch
        self.checked: list[str] = []

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        if self.in_patch:
            return PlanReport(Graph((Task("a", "broken"),), "$a"))
        self.checked += [problem.code for problem in request.check(Graph((self.task,), "$a"))]
        return PlanReport(Graph((self.task,), "$a"))

    async def patch(self, request: PlanRequest) -> PlanReport:
        patch = Patch((self.task,), ())
        self.checked += [problem.code for problem in request.check(patch)]
        return PlanReport(patch=patch)


@pytest.mark.parametrize("in_patch", [False, True])
@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("$inputs.rows", "E_TYPE"),
        ("$inputs.rows.0.id", "E_TYPE"),
        ("$inputs.rows.9999999.name", "E_REF_PATH"),
        ("$inputs.rows.0.name", None),
    ],
)
async def test_a_planner_is_held_to_what_large_inputs_are(reference: str, code: str | None, in_patch: bool) -> None:
    """Its plan and its patch are refused, and what it asked beforehand is answered so; the next planner is asked."""

    @agent(description="Counts the words of a text.")
    async def words(text: str) -> int:
        return len(text.split())

    @agent(description="Counts the rows of a table.")
    async def rows_of(rows: list[dict[str, Any]]) -> int:
        return len(rows)

    @agent(description="Is broken.", attempts=1)
    async def broken() -> int:
        raise RuntimeError("broken")

    planner = Mistaken(reference, in_patch=in_patch)
    async with Orchestrator([words, rows_of, broken], planner=planner) as orchestrator:
        run = await orchestrator.submit("count the rows of the table", inputs={"rows": ROWS})
        events = [event async for event in run]
        outcome = await run.outcome()
    refused = {problem.code for event in events if isinstance(event, PlanRejected) for problem in event.problems}
    assert planner.checked == ([] if code is None else [code])
    assert refused == (set() if code is None else {code})
    assert outcome.answer == (2 if code is None else 6 if in_patch else 5000)


async def test_a_delegated_task_shows_its_large_inputs() -> None:
    """`Task.inputs` of a call are the values, not references to blobs."""

    @agent(description="Counts.")
    async def child(rows: list[dict[str, Any]], task: Task) -> bool:
        return task.inputs == {"rows": rows}

    @agent(description="Calls.")
    async def parent(rows: list[dict[str, Any]], context: Context) -> bool:
        return await context.call("child", rows=rows)

    plan = Plan("call")
    plan.add("call", agent=parent, inputs={"rows": "$inputs.rows"})
    assert (await Orchestrator([child, parent]).run(plan, inputs={"rows": ROWS})).answer is True


async def test_an_input_without_a_json_that_can_be_read_back_is_refused() -> None:
    """In one line, before the run."""
    for given in (10**5000, [{"name": 10**5000}] * 5000):
        with pytest.raises(ConfigurationError, match="inputs: 'more' cannot be stored as JSON"):
            await Orchestrator([counting]).run(counted(), inputs={"rows": ROWS, "more": given})
    long = [*ROWS[:-1], {"id": 1, "name": 10**5000}]
    with pytest.raises(PlanError, match=r"a number of thousands of digits is not string"):
        await Orchestrator([counting]).run(counted(), inputs={"rows": long})


async def test_a_large_input_of_the_wrong_type_is_found_before_the_run() -> None:
    """The plan is held to the value, not to the reference that takes its place."""
    async with Orchestrator([counting]) as orchestrator:
        with pytest.raises(PlanError, match=r"E_TYPE.*rows"):
            await orchestrator.run(counted(), inputs={"rows": LONG})


async def test_an_input_that_looks_like_a_blob_reference_is_itself() -> None:
    """What a caller gives is a value, and is never followed."""
    forged = {"$blob": {"sha256": "0" * 64, "size": 1}}
    model = ScriptedModel(["read"])
    reader = Agent("reader", description="Reads.", prompt="Read.")

    @agent(description="Takes words.")
    async def words(text: str) -> str:
        return text

    @agent(description="Echoes.")
    async def echo(value: dict[str, Any]) -> str:
        return json.dumps(value)

    plan = Plan("echo")
    plan.add("echo", agent=echo, inputs={"value": "$inputs.value"})
    reading = Plan("read")
    reading.add("read", agent=reader, inputs={"value": "$inputs.value"})
    wrong = Plan("words")
    wrong.add("words", agent=words, inputs={"text": "$inputs.value"})
    missing = Plan("words")
    missing.add("words", agent=words, inputs={"text": "$inputs.value.name"})
    async with Orchestrator([echo, reader, words], model=model, planner="rules") as orchestrator:
        with pytest.raises(PlanError, match="E_TYPE"):
            await orchestrator.run(wrong, inputs={"value": {"$blob": "x"}})
        with pytest.raises(PlanError, match="E_REF_PATH"):
            await orchestrator.run(missing, inputs={"value": {"$blob": "x"}})
        assert (await orchestrator.run(reading, inputs={"value": forged})).answer == "read"
        assert "0" * 64 in model.requests[0].messages[-1].content
        assert (await orchestrator.run(plan, inputs={"value": forged})).answer == json.dumps(forged)
        with pytest.raises(ConfigurationError, match=r"no input can have the name '\$blob'"):
            await orchestrator.run(plan, inputs={"$blob": 1})
