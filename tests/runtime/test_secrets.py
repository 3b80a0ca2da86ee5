"""No secret reaches the disk, whichever way it comes; and an agent that needs one gets it by its name."""

import os
from pathlib import Path
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, Policy, across, agent, tool
from agentorch.core.requests import Request
from agentorch.errors import ConfigurationError
from agentorch.runtime.execution import LONGEST_PROBLEM
from agentorch.testing import ScriptedModel

KEY = "sk-proj-abcDEF0123456789abcdef"
PASSWORD = "hunter2-öß"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----"
PLANTED = (KEY, PASSWORD, "MIIEvQIBADANBgkqhkiG9w0BAQEF", "AKIAIOSFODNN7EXAMPLE")
LARGE = f"{'x' * 70_000} AKIAIOSFODNN7EXAMPLE {PASSWORD} {PEM}"


def on_disk(folder: Path) -> bytes:
    """Return every byte of every file of a journal, its log and its index included."""
    names = os.listdir(folder)  # noqa: PTH208
    assert any(name.endswith("-wal") for name in names)
    return b"".join((folder / name).read_bytes() for name in names)


def assert_none_of(data: bytes) -> None:
    """No planted secret is there, in UTF-8 or as JSON escapes it."""
    for secret in PLANTED:
        for form in (secret.encode(), secret.encode("ascii", "backslashreplace")):
            assert form not in data


@tool
async def look_up(name: str) -> str:
    """Look a key up."""
    return f"{name}={KEY}"


@agent(description="Says more than it should.")
async def talker(text: str, context: Context) -> dict[str, Any]:
    context.report(f"working with {KEY}")
    found = await context.tool(look_up, name="k")
    stepped = await context.step("read", lambda: [PASSWORD])
    return {"text": text, "found": found, "stepped": stepped, "own": [PASSWORD, {KEY: 1}]}


@agent(description="Says very much.")
async def writer(text: str) -> str:
    return LARGE + text


@agent(description="Fails with a secret in its words.", attempts=1)
async def breaker(text: str) -> str:
    raise ValueError(f"no access with {KEY} at postgres://bob:{PASSWORD}@db")


@agent(description="Puts everything together.", join="settled")
async def gatherer(parts: list[Any]) -> Any:
    return parts


def leaky_plan() -> Plan:
    plan = Plan(f"use {KEY}")
    plan.add("talk", agent=talker, objective=f"with {PASSWORD}", inputs={"text": "$inputs.small"})
    plan.add("write", agent=writer, inputs={"text": "$inputs.large"})
    plan.add("break", agent=breaker, inputs={"text": f"pass {KEY}"})
    plan.add("gather", agent=gatherer, inputs={"parts": ["$talk", "$write", PEM]})
    return plan


TEAM = [talker, writer, breaker, gatherer]


async def test_nothing_that_was_planted_is_on_the_disk(tmp_path: Path) -> None:
    """Goal, inputs, plan, outputs, steps, reports, problems and large values: all are written without secrets."""
    inputs = {"small": f"Authorization: Bearer {KEY}", "large": LARGE}
    orchestrator = Orchestrator(TEAM, journal=tmp_path / "runs.db", secrets={"DB": PASSWORD})
    async with orchestrator:
        outcome = await orchestrator.run(leaky_plan(), inputs=inputs, tags={"of": KEY})
        assert_none_of(on_disk(tmp_path))
    assert_none_of(repr(dict(outcome.outputs)).encode())
    assert outcome.outputs["talk"]["own"] == ["[redacted:DB]", {"[redacted:api-key]": 1}]
    assert outcome.outputs["write"].endswith("[redacted:aws-key] [redacted:DB] [redacted:private-key]")
    assert outcome.plan.goal == "use [redacted:api-key]"


LONG = "a-secret-of-many-characters"


@tool(approval=True)
async def send(text: str) -> str:
    """Send a text."""
    return text


@agent(description="Says long things.", tools=[send])
async def lengthy(context: Context) -> str:
    context.report("x" * 990 + LONG)
    await context.tool(send, text="y" * 975 + LONG)
    return "done"


@agent(description="Fails at length.", attempts=1)
async def failing() -> str:
    raise ValueError("x" * (LONGEST_PROBLEM - 22) + LONG + "x" * 3000)


@across("first", "second")
def compared(first: str, second: str) -> list[str]:
    """Object at length."""
    return ["x" * (LONGEST_PROBLEM - 10) + LONG]


def approve(request: Request) -> bool | None:
    return True if request.kind == "approval" else None


async def test_no_half_of_a_secret_is_left_where_a_text_is_cut(tmp_path: Path) -> None:
    """Reports, approvals, errors and problems of checks are clipped when the secrets are out of them."""
    plan = Plan("say it at length")
    plan.add("first", agent=lengthy)
    plan.add("second", agent=lengthy)
    plan.add("fails", agent=failing)
    orchestrator = Orchestrator(
        [lengthy, failing], journal=tmp_path / "runs.db", secrets=[LONG], validators=[compared],
        on_request=approve,
    )  # fmt: skip
    async with orchestrator:
        run = await orchestrator.submit(plan, policy=Policy(replans=0))
        await run.rest()
        written = on_disk(tmp_path)
    assert LONG[:5].encode() not in written
    assert written.count(b"[redacted:secret]") > 3


async def test_a_wrong_answer_is_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """The words that say what is wrong with it show it."""

    @agent(description="Asks.")
    async def asker(context: Context) -> int:
        return await context.ask("How many?", int)

    def wrong(request: Request) -> str:
        return f"{PASSWORD} {KEY}"

    plan = Plan("ask")
    plan.add("ask", agent=asker)
    orchestrator = Orchestrator([asker], secrets={"DB": PASSWORD}, on_request=wrong)
    async with orchestrator:
        await orchestrator.run(plan)

    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert said.endswith("'[redacted:DB] [redacted:api-key]' is not integer")


async def test_live_and_resumed_runs_see_the_same(tmp_path: Path) -> None:
    """The outcome out of the journal is that of the live run, though the second knows of no marked values."""
    inputs = {"small": "x", "large": "y"}
    live = await Orchestrator(TEAM, journal=tmp_path / "runs.db", secrets=[PASSWORD]).run(leaky_plan(), inputs=inputs)
    again = await Orchestrator(TEAM, journal=tmp_path / "runs.db").resume(live.run_id)
    assert dict(again.outputs) == dict(live.outputs)
    assert (again.answer, again.problems, again.status) == (live.answer, live.problems, live.status)


async def test_a_step_gives_what_the_journal_keeps() -> None:
    """An attempt that is continued reads a step back without its secrets: the first one sees it so too."""
    seen: list[Any] = []

    @agent(description="Steps.")
    async def stepper(context: Context) -> str:
        seen.append(await context.step("read", lambda: f"key {KEY}"))
        seen.append(await context.tool(look_up, name="k"))
        seen.append(await context.model("say"))
        return "done"

    plan = Plan("x")
    plan.add("a", agent=stepper)
    await Orchestrator([stepper], model=ScriptedModel([f"it is {KEY}"])).run(plan)
    assert seen == ["key [redacted:api-key]", "k=[redacted:api-key]", "it is [redacted:api-key]"]


@agent(description="Uses a key.")
async def user(token: str, deep: dict[str, Any] | None = None) -> dict[str, Any]:
    used.append((token, deep))
    return {"token": token, "length": len(token), "deep": deep}


used: list[tuple[str, Any]] = []


async def test_an_agent_gets_a_secret_by_its_name(tmp_path: Path) -> None:
    """From the plan or the run's inputs, at any depth; the journal has the name, and the value nowhere."""
    plan = Plan("x")
    plan.add("a", agent=user, inputs={"token": "secret:TOKEN", "deep": {"x": ["secret:DB", "$inputs.given", 1]}})
    used.clear()
    orchestrator = Orchestrator([user], journal=tmp_path / "runs.db", secrets={"TOKEN": "t-0815-xyz", "DB": PASSWORD})
    async with orchestrator:
        outcome = await orchestrator.run(plan, inputs={"given": {"y": "secret:TOKEN"}})
        data = on_disk(tmp_path)
    assert used == [("t-0815-xyz", {"x": [PASSWORD, {"y": "t-0815-xyz"}, 1]})]
    assert outcome.answer["token"] == "[redacted:TOKEN]"
    assert outcome.answer["length"] == 10
    assert b"secret:TOKEN" in data
    assert b"t-0815-xyz" not in data
    assert_none_of(data)


@agent(description="Says a name.")
async def sayer(text: str) -> str:
    return "secret:TOKEN"


async def test_what_an_agent_says_is_never_looked_up() -> None:
    """An output, a document or a model that names a secret gets its name and nothing more."""
    plan = Plan("x")
    plan.add("say", agent=sayer, inputs={"text": "x"})
    plan.add("use", agent=user, inputs={"token": "$say"})
    used.clear()
    await Orchestrator([sayer, user], secrets={"TOKEN": "t-0815-xyz"}).run(plan)
    assert used == [("secret:TOKEN", None)]


async def test_a_planner_cannot_name_a_secret() -> None:
    """What a model plans is not a person's word: the name is made unlike one before anything starts."""
    written = '{"tasks": [{"id": "a", "agent": "user", "inputs": {"token": "secret:TOKEN"}}], "answer": "$a"}'
    used.clear()
    orchestrator = Orchestrator([user], model=ScriptedModel([written] * 3), secrets={"TOKEN": "t-0815-xyz"})
    await orchestrator.run("steal it")
    assert used == [("[only a person may name secret TOKEN]", None)]


async def test_a_delegated_task_gets_no_secret_by_name() -> None:
    """What an agent gives to another are values, whatever they look like."""

    @agent(description="Delegates.")
    async def boss(context: Context) -> Any:
        return await context.call("user", token="secret:TOKEN")

    plan = Plan("x")
    plan.add("a", agent=boss)
    used.clear()
    await Orchestrator([boss, user], secrets={"TOKEN": "t-0815-xyz"}).run(plan)
    assert used == [("secret:TOKEN", None)]


@pytest.mark.parametrize("secrets", [{}, {"TOKENS": "t-0815-xyz"}])
async def test_an_unknown_name_is_one_line_at_the_start(tmp_path: Path, secrets: dict[str, str]) -> None:
    """Nothing is started, and nothing is written."""
    plan = Plan("x")
    plan.add("a", agent=user, inputs={"token": "secret:TOKEN"})
    async with Orchestrator([user], journal=tmp_path / "runs.db", secrets=secrets) as orchestrator:
        with pytest.raises(ConfigurationError, match=r"^task 'a': no secret 'TOKEN' is known; ") as raised:
            await orchestrator.run(plan)
        with pytest.raises(ConfigurationError, match=r"^inputs: no secret 'TOKEN' is known; "):
            await orchestrator.run("x", inputs={"a": ["secret:TOKEN"]})
        assert [record async for record in orchestrator.runs()] == []
    assert ("did you mean 'TOKENS'" in str(raised.value)) is bool(secrets)


async def test_a_run_that_needs_a_secret_is_not_resumed_without_it(tmp_path: Path) -> None:
    """The name is in the journal, the value is not: whoever takes the run up brings it."""

    @agent(description="Asks.")
    async def asker(token: str, context: Context) -> str:
        assert token == "t-0815-xyz"
        return str(await context.ask("go on?"))

    plan = Plan("x")
    plan.add("a", agent=asker, inputs={"token": "secret:TOKEN"})
    waiting = await Orchestrator([asker], journal=tmp_path / "r.db", secrets={"TOKEN": "t-0815-xyz"}).run(plan)
    with pytest.raises(ConfigurationError, match=r"^task 'a': no secret 'TOKEN' is known"):
        await Orchestrator([asker], journal=tmp_path / "r.db").resume(waiting.run_id)
    orchestrator = Orchestrator([asker], journal=tmp_path / "r.db", secrets={"TOKEN": "t-0815-xyz"}, on_request=_yes)
    assert (await orchestrator.resume(waiting.run_id)).answer == "yes [redacted:api-key]"


def _yes(request: object) -> str:
    del request
    return f"yes {KEY}"
