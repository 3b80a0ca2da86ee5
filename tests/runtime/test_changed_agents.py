"""A resume with agents or prompts that are not what they were: refused in one line, accepted, or begun afresh."""

import asyncio
from pathlib import Path

import pytest

from agentorch import Context, Orchestrator, Plan, agent
from agentorch.agents import FunctionAgent
from agentorch.errors import ConfigurationError
from agentorch.events import AttemptFailed, RunAdopted


class Works:
    """Two versions of an agent, and what they did."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.begun = asyncio.Event()

    def note(self, word: str) -> str:
        self.steps.append(word)
        return word

    def before(self) -> FunctionAgent[..., object]:
        @agent(name="working", description="Works.")
        async def working(context: Context) -> str:
            await context.step("note", self.note, "shared")
            self.begun.set()
            await asyncio.Event().wait()
            return "old"

        return working  # pyright: ignore[reportReturnType]

    def after(self) -> FunctionAgent[..., object]:
        @agent(name="working", description="Works.")
        async def working(context: Context) -> str:
            shared = await context.step("note", self.note, "shared")
            return f"new, {shared}"

        return working  # pyright: ignore[reportReturnType]

    def plan(self) -> Plan:
        plan = Plan("work")
        plan.add("only", agent="working")
        return plan


async def interrupted(works: Works, journal: Path) -> str:
    """Begin the run with the old agent, and leave it half-way."""
    async with Orchestrator([works.before()], journal=journal) as orchestrator:
        run = await orchestrator.submit(works.plan())
        await works.begun.wait()
    return run.id


async def test_a_changed_agent_stops_a_resume_in_one_line(tmp_path: Path) -> None:
    """The line names the agent and both ways on; the run is as it was."""
    works = Works()
    run_id = await interrupted(works, tmp_path / "runs.db")
    async with Orchestrator([works.after()], journal=tmp_path / "runs.db") as orchestrator:
        with pytest.raises(
            ConfigurationError, match=r"changed since it began: agent 'working'; --restart-changed .*accept"
        ):
            await orchestrator.resume(run_id)
        events = [event async for event in (await orchestrator.attach(run_id)).events() if event.type == "RunAdopted"]

    assert (events, works.steps) == ([], ["shared"])


@pytest.mark.parametrize(("changed", "steps"), [("accept", ["shared"]), ("restart", ["shared", "shared"])])
async def test_it_goes_on_as_it_is_told(tmp_path: Path, changed: str, steps: list[str]) -> None:
    """Accepted: the attempt goes on with its steps. Restarted: a fresh attempt that counts as none of the policy's."""
    works = Works()
    run_id = await interrupted(works, tmp_path / "runs.db")
    async with Orchestrator([works.after()], journal=tmp_path / "runs.db") as orchestrator:
        outcome = await orchestrator.resume(run_id, changed=changed)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        events = [event async for event in await orchestrator.attach(run_id)]
        again = await orchestrator.resume(run_id)

    (adopted,) = [event for event in events if isinstance(event, RunAdopted)]
    failed = [event.problems for event in events if isinstance(event, AttemptFailed)]
    assert (outcome.answer, again.answer, works.steps) == ("new, shared", "new, shared", steps)
    assert "working" in adopted.cards
    assert failed == ([] if changed == "accept" else [("agent 'working' has changed: the attempt begins afresh",)])


async def test_what_is_finished_does_not_matter(tmp_path: Path) -> None:
    """Only agents of unfinished tasks are compared."""
    works = Works()

    @agent(name="early", description="Is done early.")
    async def early() -> str:
        return "one"

    @agent(name="early", description="Is done early, otherwise.")
    async def changed() -> str:
        return "two"

    plan = works.plan()
    plan.add("first", agent="early")
    plan.add("both", agent="joiner", inputs={"a": "$first", "b": "$only"})

    @agent(description="Joins.")
    async def joiner(a: str, b: str) -> str:
        return a + b

    async with Orchestrator([works.before(), early, joiner], journal=tmp_path / "runs.db") as orchestrator:
        run = await orchestrator.submit(plan)
        await works.begun.wait()
    async with Orchestrator([works.after(), changed, joiner], journal=tmp_path / "runs.db") as orchestrator:
        with pytest.raises(ConfigurationError, match="changed since it began: agent 'working';"):
            await orchestrator.resume(run.id)
        outcome = await orchestrator.resume(run.id, changed="accept")

    assert outcome.answer == "onenew, shared"


async def test_a_changed_prompt_template_is_noticed(tmp_path: Path) -> None:
    """The project's own `agent.md.j2` takes the place of ours: the run says so before it goes on."""
    works = Works()
    run_id = await interrupted(works, tmp_path / "runs.db")
    prompts = tmp_path / "project" / "prompts"
    prompts.mkdir(parents=True)
    (prompts / "agent.md.j2").write_text("{% extends 'builtin/agent' %}", encoding="utf-8")
    again = Works()
    again.begun.set()
    async with Orchestrator(
        [works.before()], journal=tmp_path / "runs.db", project=tmp_path / "project"
    ) as orchestrator:
        with pytest.raises(ConfigurationError, match="changed since it began: template 'agent';"):
            await orchestrator.resume(run_id)
