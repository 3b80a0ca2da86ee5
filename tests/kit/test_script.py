"""A miss says which rule was nearest, which of its conditions failed, and what was there instead."""

from typing import Any

import pytest

from agentorch import Agent, Orchestrator, Plan
from agentorch.errors import ConfigurationError, FailureKind, ModelError
from agentorch.ports.model import Message, ModelRequest, ToolCall, ToolSpec
from agentorch.testing import ScriptedModel, ScriptMiss
from agentorch.testing.script_rule import difference, nearest_text

poet = Agent("poet", description="Writes odes.", prompt="Write an ode to the topic.")


def ask(text: str = "Hello?", **labels: str) -> ModelRequest:
    return ModelRequest((Message("user", text),), (ToolSpec("search", "Find it.", {}),), labels=labels)


def is_long(request: ModelRequest) -> bool:
    return len(request.messages[0].content) > 100


async def miss_of(model: ScriptedModel, request: ModelRequest) -> str:
    with pytest.raises(ScriptMiss) as raised:
        await model.complete(request)
    assert model.misses[-1] == str(raised.value)
    return str(raised.value)


async def test_each_condition_says_what_was_there() -> None:
    """Labels, texts, texts of several lines, and a function of the test's own."""
    model = ScriptedModel().on("x", agent="poet", task="ode", purpose="work", containing="message busses", when=is_long)
    said = await miss_of(model, ask("An ode to\nmessage buses please", agent="poets", task="ode"))
    assert said.splitlines()[:5] == [
        "the script has no answer for request 1 (agent 'poets', task 'ode'):",
        "    [user] An ode to",
        "    message buses please",
        "    [tool] search: Find it.",
        "the nearest rule is agent 'poet', task 'ode', purpose 'work', containing 'message busses', when is_long, but:",
    ]
    assert said.splitlines()[5:] == [
        "    agent 'poet': it is 'poets'",
        "    purpose 'work': the request names no purpose",
        "    containing 'message busses': the nearest text is 'message buses please'",
        "    when is_long: it said no",
    ]


async def test_several_lines_are_shown_by_their_difference() -> None:
    """As `diff` shows them."""
    model = ScriptedModel().on("x", containing="First.\nSecond.\nThird.")
    said = await miss_of(model, ask("First.\nSecnd.\nThird."))
    assert "    containing 'First.' and so on: the nearest text differs:\n    --- wanted\n    +++ found" in said
    assert "\n    -Second.\n    +Secnd.\n" in said


async def test_the_nearest_rule_fails_in_the_fewest_conditions() -> None:
    """And then is the most alike; the others are named."""
    model = ScriptedModel({"criticism": "x"}).on("y", agent="poet", containing="lorries").on("z", when=lambda _: False)
    said = await miss_of(model, ask("An ode", agent="poet"))
    assert "the nearest rule is agent 'poet', containing 'lorries', but:\n    containing" in said
    assert said.endswith("the other rules are: 'criticism'; a condition of your own")
    said = await miss_of(model, ask("A crtiicism", agent="critic"))
    assert "    'criticism': it is no label of the request and not in its text; the nearest is 'crtiicism'" in said


async def test_a_rule_that_has_answered_shows_what_has_changed() -> None:
    """The request that it was scripted for, against this one."""
    model = ScriptedModel().on(["one"], agent="poet")
    await model.complete(ask("An ode to buses", agent="poet"))
    said = await miss_of(model, ask("An ode to queues", agent="poet"))
    assert "    its 1 answer are used up: give it another" not in said
    assert "    its 1 answer is used up: give it another" in said
    assert "    --- the request that it answered last\n    +++ this request" in said
    assert "\n    -[user] An ode to buses\n    +[user] An ode to queues" in said
    assert "differ" not in (await miss_of(model, ask("An ode to buses", agent="poet"))).splitlines()[-1]


async def test_a_script_without_rules_says_how_to_write_one() -> None:
    """The first thing that a test meets."""
    assert "it has no rules; give it one: model.on('...', agent='...')" in await miss_of(ScriptedModel(), ask())


async def test_a_miss_in_a_run_stops_it_at_once() -> None:
    """One request, no other try, no other plan; the run can be taken up, and its problem is the miss."""
    model = ScriptedModel().on("x", agent="critic")
    plan = Plan("An ode")
    plan.add("ode", agent=poet, inputs={"topic": "buses"})
    async with Orchestrator([poet], model=model) as orchestrator:
        outcome = await orchestrator.run(plan)
    assert (len(model.requests), outcome.status, outcome.problems[0].code) == (1, "waiting", "unconfigured")
    assert outcome.problems[0].message == model.misses[0]
    with pytest.raises(AssertionError, match=r"never asked for: agent 'critic'(.|\n)*has no answer for request 1"):
        model.assert_all_used()


def test_a_miss_is_a_failure_of_the_model_and_of_the_test() -> None:
    """Whoever catches either sees it."""
    miss = ScriptMiss("no")
    assert isinstance(miss, AssertionError)
    assert isinstance(miss, ModelError)
    assert miss.kind is FailureKind.UNCONFIGURED


def test_the_nearest_text_is_of_whole_words_and_of_one_line() -> None:
    """Unless several lines are wanted; and a long difference is cut."""
    assert nearest_text("buzes", "An ode\nto the buses\nof today") == "buses"
    assert nearest_text("ode to\nthe", "An ode\nto the buses") == "ode\nto the"
    assert nearest_text("anything", "") == ""
    assert difference("\n".join(map(str, range(99))), "")[-1] == "... 42 lines more"


async def test_calls_in_the_conversation_can_be_looked_for() -> None:
    """What the model has asked for before is part of the text."""
    asked = ModelRequest((Message("assistant", "", (ToolCall("1", "search", '{"q": 1}'),)),))
    assert (await ScriptedModel().on("x", containing='[asks] search({"q": 1})').complete(asked)).text == "x"


async def test_a_label_wins_over_a_text_that_names_another() -> None:
    """Whatever stands first in the mapping; a key that is no label is still looked for in the text."""
    model = ScriptedModel({"writer": "W", "critic": "C"})
    said = "Judge what the writer wrote."
    answers = [await model.complete(ask(said, agent=name)) for name in ("critic", "writer", "editor")]
    assert [answer.text for answer in answers] == ["C", "W", "W"]


async def test_a_function_that_breaks_fails_the_test() -> None:
    """A mistake in the script is none of the model; what the model shall raise is a ModelError, and is no miss."""

    def broken(request: ModelRequest) -> str:
        return {"a": "b"}[request.labels["agent"]]

    def nothing(request: ModelRequest) -> str:
        return next(message.content for message in request.messages if message.content == "nowhere")

    def refusing(request: ModelRequest) -> str:
        raise ModelError("the provider is down", kind=FailureKind.TRANSIENT)

    said = await miss_of(ScriptedModel(broken), ask(agent="poet"))
    remedy = "raise a ModelError for what the model shall fail with"
    assert said == f"the script of any request has failed: KeyError: 'poet'; {remedy}"
    assert "any request has failed: StopIteration; raise" in await miss_of(ScriptedModel(nothing), ask(agent="poet"))
    model = ScriptedModel(refusing)
    with pytest.raises(ModelError, match="the provider is down"):
        await model.complete(ask(agent="poet"))
    assert model.misses == []


async def test_a_function_that_asserts_fails_the_test() -> None:
    """Its words are those of a miss; one that is async is refused before anything is asked."""

    def check(request: ModelRequest) -> str:
        assert not request.labels, "it has labels"
        return "x"

    async def later(request: ModelRequest) -> str:
        return check(request)

    assert "the script of any request asserts what is not so: it has labels" in await miss_of(
        ScriptedModel(check), ask(agent="poet")
    )
    script: Any = later
    for make in (ScriptedModel, ScriptedModel().on):
        with pytest.raises(ConfigurationError, match="later is async; a script is a plain function"):
            make(script)
        with pytest.raises(ConfigurationError, match="later is async; a script is a plain function"):
            make([script])


async def test_what_is_no_answer_fails_the_test() -> None:
    """In one line: what a function gives that only looks like a plain one, and what JSON does not have."""

    async def later(request: ModelRequest) -> str:
        return "x"

    def of(request: ModelRequest) -> Any:
        return later(request)

    def one_of(request: ModelRequest) -> Any:
        return {"x"}

    scripts: dict[str, Any] = {"coroutine": of, "set": one_of, "object": [object()]}
    said = {
        kind: await miss_of(ScriptedModel().on(script, agent="poet"), ask(agent="poet"))
        for kind, script in scripts.items()
    }
    waits = "a script is a plain function, and Reply(..., delay=) is what waits"
    gives = "an answer is a text, a value that JSON has, a ToolCall, a ModelError or a Reply"
    assert said == {
        kind: f"the script of agent 'poet' gives a {kind}, which is no answer; {remedy}"
        for kind, remedy in {"coroutine": waits, "set": gives, "object": gives}.items()
    }


async def test_a_miss_of_the_answer_writer_stops_the_run() -> None:
    """It writes no answer with the words of the miss in it."""
    plan = Plan("Two odes")
    for topic in ("buses", "queues"):
        plan.add(topic, agent=poet, inputs={"topic": topic})
    model = ScriptedModel().on("Ode!", agent="poet")
    async with Orchestrator([poet], model=model) as orchestrator:
        outcome = await orchestrator.run(plan)
    assert (outcome.status, outcome.problems[0].message) == ("waiting", model.misses[0])
    assert len(model.misses) == 1
