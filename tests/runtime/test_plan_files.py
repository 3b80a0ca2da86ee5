"""One plan, three spellings, and a planner's: they all go the same road and make the same run."""

import json
from pathlib import Path
from typing import Any

import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.errors import PlanFileError
from agentorch.events import Event
from agentorch.testing.clock import LoopClock
from agentorch.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.looptime

FILE = """\
# A plan as a person writes it.
goal: How do message buses rank?
answer: $report
tasks:
  - id: facts
    agent: finder
    objective: Find facts for ${goal}
    inputs: {topic: message buses, limit: 2}
  - id: prices
    agent: finder
    inputs:
      topic: $inputs.topic
      limit: 1
    timeout: 30
  - id: report
    agent: reporter
    inputs:
      facts: $facts
      first: $prices.0
    needs: [prices]
    repairs: 1
"""


@agent(description="Finds facts about a topic.")
async def finder(topic: str, limit: int) -> list[str]:
    return [f"{topic} fact {number}" for number in range(limit)]


@agent(description="Reports on facts.")
async def reporter(facts: list[str], first: str) -> str:
    return f"{first}: {', '.join(facts)}"


def by_hand() -> Plan:
    """Return the plan of the file, written in Python."""
    plan = Plan("How do message buses rank?")
    inputs = {"topic": "message buses", "limit": 2}
    facts = plan.add("facts", agent=finder, objective="Find facts for ${goal}", inputs=inputs)
    prices = plan.add("prices", agent=finder, inputs={"topic": "$inputs.topic", "limit": 1}, timeout=30)
    report_inputs = {"facts": facts, "first": prices["0"]}
    plan.answer = plan.add("report", agent=reporter, inputs=report_inputs, needs=[prices], repairs=1)
    return plan


def spelt(how: str, folder: Path) -> Plan:
    """Return the plan in one of its spellings."""
    if how == "Python":
        return by_hand()
    path = folder / f"plan.{how}"
    path.write_text(FILE if how == "yaml" else json.dumps(by_hand().to_dict()), encoding="utf-8")
    return Plan.from_file(path)


async def carried_out(plan: str | Plan, **settings: Any) -> tuple[Any, list[Event]]:
    """Return the answer and the events of a run."""
    async with Orchestrator([finder, reporter], clock=LoopClock(), **settings) as orchestrator:
        run = await orchestrator.submit(plan, inputs={"topic": "prices"})
        events = [event async for event in run]
        return (await run.outcome()).answer, events


def told(events: list[Event]) -> list[dict[str, Any]]:
    """Return what the events say, without what is another in every run: its id, its owner and its time."""
    run_id = events[0].run_id
    told: list[dict[str, Any]] = []
    for event in events:
        text = event.model_dump_json(exclude={"at", "run_id", "owner"}).replace(run_id, "RUN")
        told.append(json.loads(text))
    return told


async def test_python_yaml_and_json_make_the_same_run(tmp_path: Path) -> None:
    """Three spellings: the same plan, the same answer, and event by event the same journal."""
    plans = [spelt(how, tmp_path) for how in ("Python", "yaml", "json")]

    runs = [await carried_out(plan) for plan in plans]

    assert plans[0] == plans[1] == plans[2]
    assert {answer for answer, _ in runs} == {"prices fact 0: message buses fact 0, message buses fact 1"}
    assert told(runs[0][1]) == told(runs[1][1]) == told(runs[2][1])


async def test_a_plan_of_a_planner_goes_the_same_road() -> None:
    """The model writes the very plan: but for who planned and what it used, the events are of the same types."""
    written = by_hand().to_dict()
    tasks = [
        {"id": task["id"], "agent": task["agent"], "objective": task.get("objective", ""), "inputs": task["inputs"]}
        for task in written["tasks"]
    ]
    model = ScriptedModel([json.dumps({"tasks": tasks, "answer": "$report"})])

    answer, planned = await carried_out("How do message buses rank?", model=model)
    expected, by_a_person = await carried_out(by_hand())

    def types(events: list[Event]) -> list[str]:
        """Return the types: a plan may come in pieces, and planning uses a model."""
        kinds = [event.type for event in events if event.type not in {"UsageAdded", "PlanNoted"}]
        accepted = [kind for kind in kinds if kind in {"TasksAccepted", "PlanCompleted"}]
        rest = [kind for kind in kinds if kind not in {"TasksAccepted", "PlanCompleted"}]
        return [*sorted(set(accepted)), *sorted(rest)]

    assert answer == expected
    assert types(planned) == types(by_a_person)
    assert {event.source for event in planned if event.type in {"TasksAccepted", "PlanCompleted"}} == {"model"}  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert {event.source for event in by_a_person if event.type in {"TasksAccepted", "PlanCompleted"}} == {"user"}  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def test_a_plan_of_a_planner_can_be_kept_and_run_again(tmp_path: Path) -> None:
    """`plan()` makes it, a file keeps it, `run` carries it out as a hand-made one."""

    @agent(description="Finds facts about a topic.")
    async def researcher(topic: str) -> list[str]:
        return [f"{topic} carry envelopes."]

    @agent(description="Writes a short poem from facts.")
    async def poet(facts: list[str]) -> str:
        return "Ode: " + " ".join(facts)

    async with Orchestrator([researcher, poet]) as orchestrator:
        plan = await orchestrator.plan("An ode to message buses")
        (tmp_path / "plan.json").write_text(json.dumps(plan.to_dict()), encoding="utf-8")
        kept = Plan.from_file(tmp_path / "plan.json")
        direct = await orchestrator.run("An ode to message buses")
        again = await orchestrator.run(kept)

    assert kept == plan
    assert again.answer == direct.answer
    assert dict(again.outputs) == dict(direct.outputs)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tasks: [", "plan.yaml"),
        ("tasks:\n  - {id: a, agent: finder, neds: []}", "did you mean 'needs'"),
        ("goal: nothing", "tasks"),
    ],
)
async def test_a_file_that_is_no_plan_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    """The message begins with the file, and says what is wrong in it."""
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanFileError) as caught:
        Plan.from_file(path)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
