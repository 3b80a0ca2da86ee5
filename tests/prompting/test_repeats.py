"""Repetition in a conversation: a model that goes round in a circle is stopped, one that waits for something is not."""

import itertools
from typing import Any

import pytest

from agentorch.agents import Agent
from agentorch.errors import MalformedOutput
from agentorch.prompting import converse, run_prompt_agent
from agentorch.prompts import Prompts
from agentorch.tools import tool
from tests.prompting.scripted import Scripted

LOOK = [("look", '{"job": "a"}')]
OTHER = [("look", '{"job": "b"}')]


async def ask(scripted: Scripted, prompts: Prompts, *tools: Any, repeats: int | None = 3, **settings: Any) -> Any:
    """Run a prompt agent with tools."""
    watcher = Agent("watcher", description="Watches.", prompt="Watch.", tools=tools)
    return await run_prompt_agent(watcher, {}, scripted.services, prompts=prompts, repeats=repeats, **settings)


def steady() -> Any:
    @tool
    def look(job: str) -> str:
        """Looks at a job."""
        return "running"

    return look


@pytest.mark.parametrize("turns", [[LOOK], [LOOK, OTHER], [[*LOOK, *OTHER]], [[("nothing", "{}")]], [[("look", "{")]]])
async def test_turns_that_bring_nothing_new_are_a_stall(turns: list[Any], prompts: Prompts):
    """The same calls with the same answers, alone, in turn or side by side; calls that are answered by an error too."""
    scripted = Scripted(*itertools.islice(itertools.cycle(turns), 20))
    with pytest.raises(MalformedOutput, match="stalled: 3 turns in a row the model only repeated calls") as caught:
        await ask(scripted, prompts, steady())
    assert len(scripted.requests) == len(turns) + 3
    assert f"{turns[0][0][0]}(" in str(caught.value)


async def test_waiting_for_something_that_changes_is_no_stall(prompts: Prompts):
    """The same call as often as one likes, while its answers differ."""
    percent = itertools.count()

    @tool
    def look(job: str) -> str:
        """Looks at a job."""
        return f"{next(percent)} %"

    assert await ask(Scripted(*[LOOK] * 15, "Done."), prompts, look) == "Done."


async def test_one_new_answer_begins_the_count_anew(prompts: Prompts):
    """Waiting beside other work is no stall."""
    files = itertools.count()
    turns = [[*LOOK, ("look", f'{{"job": "{next(files)}"}}')] if turn % 3 == 0 else LOOK for turn in range(14)]
    assert await ask(Scripted(*turns, "Done."), prompts, steady()) == "Done."


async def test_what_changes_the_world_is_always_new(prompts: Prompts):
    """The same answer may stand for another effect."""

    @tool(effect="idempotent")
    def look(job: str) -> str:
        """Turns the page."""
        return "ok"

    assert await ask(Scripted(*[LOOK] * 15, "Done."), prompts, look) == "Done."


async def test_what_was_dropped_may_be_asked_for_again(prompts: Prompts):
    """The model is told to do so."""

    @tool
    def look(job: str) -> str:
        """Looks at a job."""
        return f"{job} " * 300

    jobs = [[("look", f'{{"job": "job-{number % 6}"}}')] for number in range(14)]
    scripted = Scripted(*jobs, "Done.")
    assert await ask(scripted, prompts, look, token_budget=1_500) == "Done."
    assert any("dropped to save room" in text for text in scripted.texts())


async def test_nothing_is_looked_for_without_a_limit(prompts: Prompts):
    """`Policy(repeats=None)`."""
    assert await ask(Scripted(*[LOOK] * 15, "Done."), prompts, steady(), repeats=None) == "Done."


async def test_context_model_is_watched_too(prompts: Prompts):
    """Its conversation has the same limit."""
    scripted = Scripted(*[LOOK] * 15)
    with pytest.raises(MalformedOutput, match="stalled: 2 turns"):
        await converse(scripted.services, "Watch.", output=str, tools=[steady()], prompts=prompts, repeats=2)
