"""Judges in a run: who is asked what over HTTP, what is paid, and what comes of verdicts."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agentorch import Agent, Budget, Context, Judge, Orchestrator, Outcome, Plan, Policy, agent
from agentorch.errors import ConfigurationError
from agentorch.events import AttemptFailed, TaskRetried
from agentorch.loading import load_agents
from agentorch.ports.model import ModelRequest
from agentorch.testing import FakeOpenAI, ScriptedModel
from agentorch.testing.fake_openai import Fail, Say
from agentorch.testing.scripted_model import Reply
from agentorch.validation import Validators

GOOD: dict[str, Any] = {"accepted": True, "problems": []}
BAD: dict[str, Any] = {"accepted": False, "problems": ["Bees do not bark."]}
ONCE = Policy(attempts=1, repairs=0, replans=0)


def poet(**settings: Any) -> Agent:
    return Agent("poet", description="Writes poems.", prompt="You are the secret poet. Write one line.", **settings)


def poem(writer: Agent, **policy: Any) -> Plan:
    plan = Plan("A poem")
    plan.add("poem", agent=writer, objective="Write on the topic.", inputs={"topic": "bees"}, **policy)
    return plan


def words(request: dict[str, Any]) -> str:
    return "\n".join(str(message["content"]) for message in request["messages"])


async def run(writer: Agent, model: Any, validators: Validators = (), **options: Any) -> tuple[Outcome, list[Any]]:
    """Carry the poem out; return its outcome and the failed attempts and rungs."""
    async with Orchestrator([writer], model=model, validators=validators, planner="rules") as orchestrator:
        run = await orchestrator.submit(poem(writer), **options)
        events = [event async for event in run]
        return await run.outcome(), [event for event in events if isinstance(event, AttemptFailed | TaskRetried)]


async def test_a_judge_is_never_shown_what_the_author_said_or_was_told():
    """Over HTTP: criteria and output go in; none of the author's messages, no tools, no word of who it is."""

    def rhyme_of(word: str) -> str:
        """Finds a rhyme."""
        return word

    writer = poet(tools=[rhyme_of])
    async with FakeOpenAI(Say("Bees bark."), Say(json.dumps(GOOD))) as server:
        outcome, failed = await run(writer, server.model(), [Judge("It is true.")])
        author, judge = server.requests
    assert (outcome.answer, failed) == ("Bees bark.", [])
    assert [message["role"] for message in judge["messages"]] == ["system", "user"]
    assert not {"tools", "tool_choice"} & judge.keys()
    assert judge["response_format"]["type"] == "json_schema"
    shown = words(judge)
    assert "It is true." in shown
    assert "Bees bark." in shown
    assert not [told for told in ("secret", "poet", "topic", "Write", "rhyme") if told in shown]
    assert not {message["content"] for message in author["messages"]} & {m["content"] for m in judge["messages"]}
    assert (outcome.usage.calls, outcome.usage.tokens) == (2, 30)


async def test_a_rejected_output_is_repaired_and_judged_anew():
    """The author gets the problems; the events say who rejected which output."""
    model = ScriptedModel().on(["Bees bark.", "Bees hum."], agent="poet").on([BAD, GOOD], purpose="judge")
    outcome, (failed, retried) = await run(poet(), model, {"poet": Judge("It is true.", name="truth")})
    assert outcome.answer == "Bees hum."
    assert (failed.output, failed.rejected_by, failed.problems) == ("Bees bark.", ("truth",), ("Bees do not bark.",))
    assert retried.rung == "repair"
    assert "Bees do not bark." in model.requests[2].messages[0].content
    model.assert_all_used()


async def test_a_judge_that_cannot_be_read_fails_the_attempt():
    """The output is not accepted, and not repaired either: nothing is known to be wrong with it."""
    model = ScriptedModel().on(["Bees bark.", "Bees hum."], agent="poet").on(["Fine!", "Fine!", GOOD], purpose="judge")
    outcome, (failed, retried) = await run(poet(), model, [Judge("It is true.")])
    assert (outcome.answer, retried.rung) == ("Bees hum.", "retry")
    assert failed.problems[0].startswith("not checked: judge 'judge' gave no verdict, asked 2 times")
    assert (failed.kind, failed.output) == ("invalid", None)


async def test_a_judge_is_asked_only_about_what_the_functions_accept():
    """It costs money; all functions, and all judges, are heard."""

    def one_line(output: str) -> str | None:
        return "two lines" if "\n" in output else None

    model = ScriptedModel().on(["Bees\nbark.", "Bees bark."], agent="poet").on(BAD, purpose="judge")
    validators = [Judge("It is true.", name="truth"), one_line, Judge("It is mild.", name="tone")]
    _, (first, _, second) = await run(poet(), model, validators, policy=Policy(attempts=1, repairs=1, replans=0))
    assert [first.rejected_by, second.rejected_by] == [("one_line",), ("truth", "tone")]
    assert [request.labels["agent"] for request in model.requests] == ["poet", "poet", "truth", "tone"]


async def test_a_judge_may_have_a_model_of_its_own():
    """Its calls go there, and are charged to the task."""
    author = ScriptedModel("Bees hum.", name="one")
    judge = ScriptedModel([GOOD], name="two")
    outcome, _ = await run(poet(), author, [Judge("It is true.", model=judge)])
    assert (len(author.requests), len(judge.requests), outcome.usage.calls) == (1, 1, 2)


async def test_a_function_agent_can_be_judged_too():
    """By the run's model, or by one that the judge names."""

    @agent(description="Greets.")
    async def greeter(goal: str) -> str:
        return "Hello"

    greeter.check(Judge("It is polite.", name="manners", model=ScriptedModel([BAD])))
    async with Orchestrator([greeter], policy=ONCE) as orchestrator:
        outcome = await orchestrator.run("Greet")
    assert (outcome.problems[0].message, outcome.usage.calls) == ("Bees do not bark.", 1)


async def test_a_judges_call_counts_against_the_budget():
    """Two calls are the author's and the judge's; with one the output is not accepted."""
    model = ScriptedModel().on("Bees hum.", agent="poet").on(GOOD, purpose="judge")
    outcome, (failed,) = await run(poet(), model, [Judge("It is true.")], budget=Budget(max_calls=1))
    assert (outcome.status, failed.kind, len(model.requests)) == ("failed", "budget", 1)
    outcome, failed = await run(poet(), model, [Judge("It is true.")], budget=Budget(max_calls=2))
    assert (outcome.status, outcome.usage.calls) == ("succeeded", 2)


async def test_a_judge_that_cannot_be_reached_costs_the_author_nothing():
    """The attempt goes on: the author's answer is read back, and only the judge is asked again."""
    answers = (Say("Bees hum."), Fail(503, retry_after=0), Say(json.dumps(GOOD)))
    async with FakeOpenAI(*answers) as server:
        outcome, (failed, retried) = await run(poet(), server.model(), [Judge("It is true.")])
        server.assert_all_used()
    assert (outcome.answer, failed.kind, retried.rung) == ("Bees hum.", "transient", "redispatch")
    assert ["It is true." in words(request) for request in server.requests] == [False, True, True]


async def test_a_cancelled_run_leaves_no_judge_behind():
    """Its call is cancelled with the attempt."""
    asked = asyncio.Event()

    def slowly(request: ModelRequest) -> Reply:
        asked.set()
        return Reply(json.dumps(GOOD), delay=3_600)

    author, judge = ScriptedModel("Bees hum.", name="one"), ScriptedModel(slowly, name="two")
    async with Orchestrator([poet()], model=author, validators=[Judge("a", model=judge)], planner="rules") as one:
        run = await one.submit(poem(poet()))
        await asked.wait()
        await run.cancel()
        outcome = await run.outcome()
    assert outcome.status == "cancelled"


@agent(description="Greets.")
async def host(goal: str) -> str:
    return goal


@pytest.mark.parametrize(
    ("judges", "said"),
    [
        ([Judge("It is true.")], "judge 'judge' of agent 'host' needs a language model and none is set"),
        (
            [Judge("a", model=ScriptedModel(GOOD, name="m")), Judge("b", model=ScriptedModel(GOOD, name="m"))],
            "two models of judges are called 'm'",
        ),
    ],
)
async def test_a_judge_that_nobody_could_ask_is_refused_before_anything_runs(judges: list[Judge], said: str):
    """In words."""
    with pytest.raises(ConfigurationError, match=said):
        async with Orchestrator([host], validators=judges):
            pass


def written(folder: Path, judge: str) -> Path:
    path = folder / "poet.md"
    path.write_text(f"---\ndescription: Writes poems.\n{judge}\n---\nWrite one line.\n")
    return path


@pytest.mark.parametrize(
    ("judge", "judges"),
    [
        ("judge: It is true.", [Judge("It is true.")]),
        ("judge: [It is true., It rhymes.]", [Judge("It is true."), Judge("It rhymes.")]),
        (
            "judge:\n  criteria: It is true.\n  name: truth\n  model: m\n  sees-task: true\n  tokens: 900",
            [Judge("It is true.", name="truth", model="m", sees_task=True, tokens=900)],
        ),
    ],
)
def test_an_agent_file_names_its_judges(tmp_path: Path, judge: str, judges: list[Judge]):
    """In words, or with what `Judge` takes."""
    plain = Agent("poet", description="Writes poems.", prompt="Write one line.")
    (found,) = load_agents([written(tmp_path, judge)])
    assert found.checks == judges
    assert found.card.version != plain.card.version


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        ("judge: 3", "'judge' is criteria in words, or a mapping with 'criteria'; got 3"),
        ("judge: ''", "its criteria are ''; say what must hold"),
        ("judge: {name: truth}", "judge 'truth': its criteria are ''"),
        ("judge: {criterion: true}", "'judge': unknown key 'criterion'; did you mean 'criteria'?"),
        ("judge: {criteria: a, sees-task: 1}", "'judge': 'sees_task' is true or false; got 1"),
    ],
)
def test_a_judge_that_is_written_wrongly_is_refused(tmp_path: Path, judge: str, said: str):
    """With the file, the key and the remedy."""
    with pytest.raises(ConfigurationError) as caught:
        _ = Orchestrator([written(tmp_path, judge)]).registry
    assert str(caught.value).startswith(f"{tmp_path / 'poet.md'}: ")
    assert said in str(caught.value)


async def test_a_judge_of_unknown_price_is_refused_under_a_limit_of_money():
    """The limit could not be held."""

    class Unpriced(ScriptedModel):
        priced = False

    async with Orchestrator([host], validators=[Judge("a", model=Unpriced(GOOD, name="m"))]) as orchestrator:
        outcome = await orchestrator.run("Greet", budget=Budget(max_money=1))
    assert outcome.problems[0].message.startswith("the price of model 'm' is unknown")


async def test_an_agents_own_code_can_have_a_draft_judged():
    """By the model that it has; one that no judge of the team has is refused in words."""

    @agent(description="Greets.", repairs=0, attempts=1)
    async def careful(goal: str, context: Context) -> list[str]:
        verdict = await context.judge("It is true.", "Bees bark.")
        with pytest.raises(ConfigurationError, match="model 'two' of a judge was not opened"):
            await context.judge(Judge("a", model=ScriptedModel([GOOD], name="two")), "Bees bark.")
        return list(verdict.problems)

    async with Orchestrator([careful], model=ScriptedModel([BAD]), planner="rules") as orchestrator:
        outcome = await orchestrator.run("Greet")
    assert (outcome.answer, outcome.usage.calls) == (["Bees do not bark."], 1)
