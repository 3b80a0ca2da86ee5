"""What an agent sees: its declared inputs within the token budget, and nothing else of the run."""

import json
from pathlib import Path
from typing import Any

import pytest

from agentorch import Agent, Context, Orchestrator, Plan, Policy, Task, agent
from agentorch.core.values import BLOB_BYTES, is_blob_ref
from agentorch.events import InputTrimmed, TaskDelegated, TaskSucceeded
from agentorch.ports.model import ToolCall
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.runtime.prompted import INPUT_TOKENS
from agentorch.testing.fake_openai import FakeOpenAI, Say
from agentorch.testing.scripted_model import ScriptedModel
from agentorch.tokens import count, load

FACT = "The vault opens with the word heliotrope."
SECRET = "nobody-declared-this-output"


def prose(words: int) -> str:
    """Return text of about so many tokens."""
    return " ".join(f"word{number % 997}" for number in range(words // 2))


@agent(description="Brings much text.")
async def bringing(tokens: int, ending: str) -> str:
    return prose(tokens) + ending


@agent(description="Brings what is nobody's business.")
async def hidden() -> str:
    return SECRET


@agent(description="Brings many rows.")
async def rows(number: int) -> dict[str, Any]:
    return {"title": "rows", "rows": [{"id": row, "name": f"name {row}"} for row in range(number)]}


READER = Agent("reader", description="Answers out of material.", prompt="Answer out of the material.")


def counted(body: dict[str, Any]) -> int:
    """Return the tokens of a request."""
    load(body["model"])
    return count(in_words(body), body["model"]).tokens


def in_words(body: dict[str, Any]) -> str:
    """Return the text of a request's messages and tools: what a provider counts."""
    return json.dumps([body["messages"], body.get("tools", [])], ensure_ascii=False)


def reading_to_the_end(body: dict[str, Any]) -> Say:
    """Be a model that looks for the fact with the reading tool, and answers with what it found."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        found = "heliotrope" if "heliotrope" in last["content"] else "nothing"
        return Say(f"The word is {found}.")
    (tool,) = [tool["function"] for tool in body["tools"] if tool["function"]["name"] == "read_input"]
    assert "large" in tool["parameters"]["properties"]["name"]["enum"]
    return Say(tool_calls=[ToolCall("c1", "read_input", json.dumps({"name": "large", "search": "vault opens"}))])


async def test_outputs_of_ten_times_the_budget_are_previews_that_can_be_read_on() -> None:
    """Within the budget by count, each value trimmed named by an event, the end of the largest found by the tool."""
    plan = Plan("What is the word?")
    large = plan.add("large", agent=bringing, inputs={"tokens": 8 * INPUT_TOKENS, "ending": FACT})
    middle = plan.add("middle", agent=bringing, inputs={"tokens": 2 * INPUT_TOKENS, "ending": ""})
    small = plan.add("small", agent=bringing, inputs={"tokens": 20, "ending": "A small thing."})
    secret = plan.add("secret", agent=hidden)
    inputs = {"large": large, "middle": middle, "small": small}
    plan.add("read", agent=READER, objective="Find the word.", inputs=inputs, needs=[secret])
    async with FakeOpenAI(otherwise=reading_to_the_end) as server:
        team = [bringing, hidden, READER]
        async with Orchestrator(team, model=server.model(), planner="rules") as orchestrator:
            run = await orchestrator.submit(plan)
            events = [event async for event in run]
            outcome = await run.outcome()

    trimmed = {event.input: event for event in events if isinstance(event, InputTrimmed)}
    assert outcome.answer == "The word is heliotrope."
    assert len(server.requests) == 2
    assert all(counted(body) <= INPUT_TOKENS for body in server.requests)
    assert trimmed.keys() == {"large", "middle"}
    assert all(event.kept < event.tokens and len(event.blob) == 64 for event in trimmed.values())
    assert sum(event.tokens for event in trimmed.values()) > 9 * INPUT_TOKENS
    assert FACT not in in_words(server.requests[0])
    assert "A small thing." in in_words(server.requests[0])
    assert all(SECRET not in in_words(body) and "bringing" not in in_words(body) for body in server.requests)


async def test_outputs_that_a_task_did_not_declare_are_absent_from_its_request() -> None:
    """Twenty outputs before it: the last request holds the one that its task refers to, and is no longer for them."""
    plan = Plan("say")
    before: list[Task] = [plan.add("o0", agent=bringing, inputs={"tokens": 10, "ending": "output-0."})]
    for number in range(1, 20):
        needs = [before[-1]]
        inputs = {"tokens": 10, "ending": f"output-{number}."}
        before.append(plan.add(f"o{number}", agent=bringing, inputs=inputs, needs=needs))
    plan.add("early", agent=READER, inputs={"text": before[0]})
    plan.add("late", agent=READER, inputs={"text": before[0]}, needs=before)
    async with (
        FakeOpenAI(otherwise=Say("said")) as server,
        Orchestrator([bringing, READER], model=server.model(), planner="rules") as orchestrator,
    ):
        outcome = await orchestrator.run(plan)

    early, late = (body for body in server.requests if "Answer out of the material" in in_words(body))
    assert outcome.states["late"] == "succeeded"
    assert early["messages"] == late["messages"]
    assert "output-0." in in_words(late)
    assert not [number for number in range(1, 20) if f"output-{number}." in in_words(late)]


@pytest.mark.parametrize("place", ["memory", "sqlite"])
async def test_large_values_are_blobs_in_the_journal_and_whole_in_the_outputs(place: str, tmp_path: Path) -> None:
    """The journal holds a reference; agents, outputs and a later reader get the value; paths lead into it."""
    seen: list[Any] = []

    @agent(description="Counts rows.")
    async def counting(rows: list[dict[str, Any]], one: dict[str, Any], title: str) -> int:
        seen.append((one, title))
        return len(rows)

    plan = Plan("count the rows")
    load = plan.add("load", agent=rows, inputs={"number": 5000})
    plan.add("count", agent=counting, inputs={"rows": load["rows"], "one": load["rows.4999"], "title": load["title"]})
    journal = tmp_path / "runs.db" if place == "sqlite" else None
    async with Orchestrator([rows, counting], journal=journal) as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()
        again = await (await orchestrator.attach(run.id)).outcome()

    (loaded,) = [event for event in events if isinstance(event, TaskSucceeded) and event.task == "load"]
    assert is_blob_ref(loaded.output)
    assert all(len(event.model_dump_json()) < BLOB_BYTES for event in events)
    assert outcome.answer == 5000
    assert seen == [({"id": 4999, "name": "name 4999"}, "rows")]
    assert outcome.outputs["load"]["rows"][-1] == {"id": 4999, "name": "name 4999"}
    assert again.outputs["load"] == outcome.outputs["load"]


async def test_the_answer_may_be_a_part_of_a_large_value() -> None:
    """`answer: $load.rows.0.name` is read out of the blob."""
    plan = Plan("first name", answer="$load.rows.0.name")
    plan.add("load", agent=rows, inputs={"number": 5000})
    async with Orchestrator([rows]) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.answer == "name 0"


async def test_a_path_that_a_large_value_does_not_have_fails_its_task_in_words() -> None:
    """Only the worker can see it; nothing is retried, and the words are those for a small value."""

    @agent(description="Takes anything.")
    async def taking(value: Any) -> str:
        return "taken"

    plan = Plan("take")
    load = plan.add("load", agent=rows, inputs={"number": 5000})
    plan.add("take", agent=taking, inputs={"value": load["rows.9999"]})
    async with Orchestrator([rows, taking], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(plan)

    (problem,) = [problem for problem in outcome.problems if problem.task == "take"]
    assert outcome.states["take"] == "failed"
    assert "no item '9999'; the list has 5000 items" in problem.message


async def test_a_large_value_in_an_objective_is_its_text_for_a_function() -> None:
    """`${a}` is filled in whole; what is filled in is not looked at again."""
    seen: list[str] = []

    @agent(description="Reads its objective.")
    async def objective(task: Task) -> int:
        seen.append(task.objective)
        return len(task.objective)

    plan = Plan("read")
    plan.add("text", agent=bringing, inputs={"tokens": 60_000, "ending": "${small} $small"})
    plan.add("small", agent=bringing, inputs={"tokens": 0, "ending": "tiny"})
    plan.add("read", agent=objective, objective="Read ${small}, then ${text}!")
    async with Orchestrator([bringing, objective]) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert seen == ["Read tiny, then " + prose(60_000) + "${small} $small!"]


@pytest.mark.parametrize("tokens", [8 * INPUT_TOKENS, INPUT_TOKENS // 2], ids=["a blob", "no blob"])
async def test_a_large_value_in_an_objective_can_be_read_on_by_a_model(tokens: int) -> None:
    """It is shown in part, beside the objective or as the task itself; no raw reference, and within the budget."""

    def model(body: dict[str, Any]) -> Say:
        last = body["messages"][-1]
        if last["role"] == "tool":
            return Say("heliotrope" if "heliotrope" in last["content"] else "not found")
        (tool,) = [tool["function"] for tool in body["tools"] if tool["function"]["name"] == "read_input"]
        name = tool["parameters"]["properties"]["name"]["enum"][-1]
        return Say(tool_calls=[ToolCall("c1", "read_input", json.dumps({"name": name, "search": "vault opens"}))])

    plan = Plan("What is the word?")
    plan.add("text", agent=bringing, inputs={"tokens": tokens, "ending": FACT})
    plan.add("more", agent=bringing, inputs={"tokens": tokens, "ending": ""})
    plan.add("read", agent=READER, objective="Find the word in ${text} or ${more}, please.")
    async with (
        FakeOpenAI(otherwise=model) as server,
        Orchestrator([bringing, READER], model=server.model(), planner="rules") as orchestrator,
    ):
        outcome = await orchestrator.run(plan)

    assert outcome.answer == "heliotrope"
    assert all(counted(body) <= INPUT_TOKENS for body in server.requests)
    assert "$blob" not in in_words(server.requests[0])
    assert "Find the word in" in in_words(server.requests[0])


async def test_large_values_go_through_delegation() -> None:
    """What is given to another agent and what it gives back are blobs in the journal, and values for the agents."""

    @agent(description="Turns a text around.")
    async def turning(text: str) -> str:
        return text[::-1]

    @agent(description="Calls.")
    async def calling(context: Context) -> bool:
        text = prose(60_000)
        return await context.call(turning, text=text) == text[::-1]

    plan = Plan("turn")
    plan.add("turn", agent=calling)
    async with Orchestrator([turning, calling]) as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()

    (delegated,) = [event for event in events if isinstance(event, TaskDelegated)]
    assert outcome.answer is True
    assert is_blob_ref(delegated.spec.inputs["text"])


async def test_what_a_delegated_task_is_given_is_never_a_reference() -> None:
    """An agent cannot reach the output of a task that it was not given by writing its name."""

    @agent(description="Says the same.")
    async def echoing(text: str) -> str:
        return text

    @agent(description="Calls with what looks like a reference.")
    async def calling(context: Context) -> str:
        return str(await context.call(echoing, text="$secret"))

    plan = Plan("say")
    secret = plan.add("secret", agent=hidden)
    plan.add("say", agent=calling, needs=[secret])
    async with Orchestrator([hidden, echoing, calling]) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.answer == "$secret"


async def test_an_output_that_looks_like_a_blob_reference_is_itself() -> None:
    """No agent can make up a reference: what it gives is given on as it is."""
    forged = {"$blob": {"sha256": "0" * 64, "size": 1}}
    seen: list[Any] = []

    @agent(description="Forges.")
    async def forging() -> dict[str, Any]:
        return forged

    @agent(description="Takes.")
    async def taking(value: dict[str, Any]) -> str:
        seen.append(value)
        return "taken"

    plan = Plan("forge")
    made = plan.add("made", agent=forging)
    plan.add("take", agent=taking, inputs={"value": made})
    async with Orchestrator([forging, taking]) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert seen == [forged]
    assert outcome.outputs["made"] == forged


async def test_a_large_rejected_output_is_repaired_from_its_blob() -> None:
    """The journal keeps a reference, the repair sees the output."""
    long = json.dumps({"text": "x" * 70_000})
    model = ScriptedModel([long, json.dumps({"text": "short"})])
    schema = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 10}}, "required": ["text"]}
    writing = Agent("writing", description="Writes.", prompt="Write.", output=schema)

    def short(output: dict[str, Any]) -> str | None:
        return "too long" if len(output["text"]) > 10 else None

    plan = Plan("write")
    plan.add("write", agent=writing)
    async with Orchestrator([writing], model=model, planner="rules", validators={"writing": short}) as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()

    assert outcome.answer == {"text": "short"}
    assert all(len(event.model_dump_json()) < BLOB_BYTES for event in events)
    assert "x" * 70_000 in model.requests[1].messages[-1].content


async def test_a_blob_that_is_not_there_is_said_in_words() -> None:
    """An agent that asks for an unknown SHA-256 fails for good, with the name, not with a bare KeyError."""

    @agent(description="Reads what is not there.")
    async def reader(context: Context) -> str:
        return (await context.read("ab" * 32)).decode()

    plan = Plan("read")
    plan.add("read", agent=reader)
    outcome = await Orchestrator([reader], policy=Policy(replans=0)).run(plan)
    assert [problem.code for problem in outcome.problems] == ["permanent"]
    assert "there is no blob 'abab" in outcome.problems[0].message
