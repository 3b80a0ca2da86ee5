"""The built-in agents: they load, fit together, and do their work without a model."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from agentorch.agents import Agent, Context
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError
from agentorch.library import NO_MODEL, Findings, Library, file_tools
from agentorch.library.findings import NOT_REWORDED
from agentorch.loading import load_team
from agentorch.planning.rule_planner import RulePlanner
from agentorch.ports.planner import PlanRequest


class _NoModel:
    """A run without a language model, or with one that always gives `answer`."""

    def __init__(self, answer: str | None = None) -> None:
        self.answer = answer
        self.task = Task("t", "t", "What is the hotel limit?")
        self.prompts: list[str] = []

    async def converse(self, prompt: str, *, output: Any, tools: Sequence[Any]) -> Any:
        self.prompts.append(prompt)
        if self.answer is None:
            raise ConfigurationError("no model")
        return self.answer


def context_of(services: _NoModel) -> Context:
    return Context(cast("Any", services))


@pytest.fixture
def team(library: Library) -> dict[str, Agent]:
    loaded = load_team(tools=file_tools(library))
    assert loaded.warnings == []
    return {agent.name: agent.with_resources((library,)) for agent in loaded.agents}


def test_the_built_in_team(team: dict[str, Agent]) -> None:
    """Five agents, three of which need no model."""
    assert {name: agent.card.needs_model for name, agent in sorted(team.items())} == {
        "critic": True,
        "librarian": False,
        "researcher": True,
        "summarizer": False,
        "writer": False,
    }


async def test_a_question_goes_from_the_librarian_to_the_writer(team: dict[str, Agent]) -> None:
    """Without a model the rules plan a search and an extractive answer, and it cites the line."""
    cards = tuple(agent.card for _, agent in sorted(team.items()))
    request = PlanRequest("What is the hotel limit in London?", cards)

    report = await RulePlanner(has_model=False).plan(request)
    given = team["librarian"].bind({"question": request.goal}, {Context: context_of(_NoModel())})
    findings: Any = await cast("Any", team["librarian"]).function(**given)
    parts = {"librarian": findings.model_dump(mode="json")}
    answer: str = await cast("Any", team["writer"]).function(request.goal, parts, context_of(_NoModel()))

    assert [task.agent for task in report.graph.tasks] == ["librarian", "writer"]
    assert isinstance(findings, Findings)
    assert answer.startswith("In London and Zurich it is 210 euros. [")
    assert "travel.md:12]" in answer
    assert answer.endswith(NO_MODEL)


@pytest.mark.parametrize(
    "goal", ["What survives a power cut?", "Who signs the contract?", "Write about late deliveries"]
)
async def test_with_a_model_the_rules_begin_with_the_files(team: dict[str, Agent], goal: str) -> None:
    """As the last resort, too, an answer comes from what the librarian or the researcher found."""
    cards = tuple(agent.card for _, agent in sorted(team.items()))

    report = await RulePlanner().plan(PlanRequest(goal, cards))

    assert report.graph.tasks[0].agent in {"librarian", "researcher"}
    assert "critic" not in {task.agent for task in report.graph.tasks}


async def test_the_writer_asks_a_model_when_there_is_one(team: dict[str, Agent]) -> None:
    """Goal, parts and gaps are in its prompt, as material."""
    services = _NoModel("210 euros.")

    answer = await cast("Any", team["writer"]).function("Hotel?", {"a": "140 euros", "b": None}, context_of(services))

    assert answer == "210 euros."
    assert '<value name="a">\n140 euros\n</value>' in services.prompts[0]
    assert "b gave no output" in services.prompts[0]


async def test_the_summarizer_extracts_without_a_model(team: dict[str, Agent]) -> None:
    """A long text becomes some of its own sentences, and that is said."""
    text = " ".join(f"Hotel number {number} has a limit." for number in range(50))

    answer: str = await cast("Any", team["summarizer"]).function({"text": text}, context_of(_NoModel()), 3)

    assert answer.count("limit.") == 3
    assert answer.endswith(NOT_REWORDED)


async def test_the_file_tools_search_and_read(library: Library) -> None:
    """Both answer in words that a model can act on, errors included."""
    search, read = file_tools(library)

    assert "travel.md:12]" in await search.invoke({"query": "hotel limit London"})
    assert (await read.invoke({"path": "policies/travel.md", "start": 12, "lines": 1})).startswith("12: The limit")
    assert (await read.invoke({"path": "../x"})).startswith("error: ../x: outside the folders")
    assert await search.invoke({"query": "Mongolia"}) == "the files say nothing about: Mongolia"
