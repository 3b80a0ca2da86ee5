"""A run's large inputs: once in the journal, whole for planners and agents."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agentorch import Agent, Orchestrator, Plan, agent
from agentorch.core.values import BLOB_BYTES, is_blob_ref
from agentorch.errors import ConfigurationError, PlanError
from agentorch.events import RunStarted
from agentorch.ports.planner import Offer, PlanReport, PlanRequest
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


async def test_an_interrupted_run_takes_its_large_inputs_up_again(tmp_path: Path) -> None:
    """What the run was given is read out of the journal by the process that goes on."""
    begun = asyncio.Event()

    @agent(description="Stands still the first time.")
    async def slow(rows: list[dict[str, Any]]) -> int:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        return len(rows)

    plan = Plan("count")
    plan.add("count", agent=slow, inputs={"rows": "$inputs.rows"})
    async with Orchestrator([slow], journal=tmp_path / "runs.db") as orchestrator:
        run = await orchestrator.submit(plan, inputs={"rows": ROWS})
        await begun.wait()
    async with Orchestrator([slow], journal=tmp_path / "runs.db") as orchestrator:
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


async def test_a_large_input_of_the_wrong_type_is_found_before_the_run() -> None:
    """The plan is held to the value, not to the reference that takes its place."""
    async with Orchestrator([counting]) as orchestrator:
        with pytest.raises(PlanError, match=r"E_TYPE.*rows"):
            await orchestrator.run(counted(), inputs={"rows": LONG})


async def test_an_input_that_looks_like_a_blob_reference_is_itself() -> None:
    """What a caller gives is a value, and is never followed."""
    forged = {"$blob": {"sha256": "0" * 64, "size": 1}}

    @agent(description="Echoes.")
    async def echo(value: dict[str, Any]) -> str:
        return json.dumps(value)

    plan = Plan("echo")
    plan.add("echo", agent=echo, inputs={"value": "$inputs.value"})
    async with Orchestrator([echo]) as orchestrator:
        assert (await orchestrator.run(plan, inputs={"value": forged})).answer == json.dumps(forged)
        with pytest.raises(ConfigurationError, match=r"no input can have the name '\$blob'"):
            await orchestrator.run(plan, inputs={"$blob": 1})
