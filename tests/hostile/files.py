"""Targets: agent files, plan files and documents, as somebody else may have written them."""

import math
import tempfile
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from agentorch import Plan
from agentorch.documents import DocumentError, read_json, read_yaml
from agentorch.errors import AgentFileError, ConfigurationError, PlanFileError
from agentorch.library.reading import NotRead, read_passages
from agentorch.loading import load_team
from tests.hostile.material import damaged_bytes, hostile_text
from tests.hostile.promise import refused_in_words
from tests.hostile.target import hostile
from tests.planning.cards import TEAM

AGENT: Final = """---
name: critic
description: Finds what is weak in a text.
model: gpt-5-mini
tools: [critic, search]
capabilities: review, text
output-schema: {verdict: string, points: "list[string]"}
input-schema: {text: string}
timeout: 60
join: all
---
Read the text and list its weak points. {{ 7 * 7 }} ${goal}
"""
PLAN_YAML: Final = """
goal: An ode to message buses
answer: $ode.text
tasks:
  - id: facts
    agent: researcher
    inputs: {topic: message buses, more: [1, 2.5, {a: null}]}
    timeout: 60
  - {id: ode, agent: writer, objective: "of ${facts.facts}", inputs: {facts: $facts.facts, title: x}, needs: [facts]}
"""
PLAN_JSON: Final = """{"goal": "An ode", "answer": "$ode", "tasks": {
  "facts": {"agent": "researcher", "inputs": {"topic": "buses"}, "seconds": 2.5, "fallback": ["critic"]},
  "ode": {"agent": "writer", "inputs": {"facts": "$facts.facts", "title": "x"}, "needs": ["facts"], "join": 1}}}"""
PYTHON: Final = (
    "raise ValueError({text!r})\n", "raise SystemExit({text!r})\n", "import nothing_of_that_name\n", "def (:\n",
    "x = '{raw}'\nraise RuntimeError\n", "raise BaseException({text!r})\n", "assert not {text!r}, {text!r}\n",
)  # fmt: skip


@hostile(damaged_bytes(AGENT))
def agent_files(data: bytes) -> None:
    """Markdown agent files: an agent, or AgentFileError that begins with the path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "critic.md")
        path.write_bytes(data)
        with refused_in_words(AgentFileError, begins=str(path)):
            team = load_team([path])
            assert all(agent.prompt for agent in team.agents)
            assert all(len(line.splitlines()) == 1 for line in team.warnings), team.warnings
        with refused_in_words(AgentFileError, begins=folder):
            load_team([folder])


@hostile(st.sampled_from(PYTHON), hostile_text, st.binary(max_size=30))
def python_files(form: str, text: str, noise: bytes) -> None:
    """Python agent files that do not load: AgentFileError that begins with the path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "broken.py")
        path.write_bytes(form.format(text=text, raw=text).encode("utf-8", "surrogatepass") + noise)
        with refused_in_words(AgentFileError, begins=str(path)):
            load_team([path])


@hostile(damaged_bytes(PLAN_YAML), st.just(".yaml"))
def plan_files_in_yaml(data: bytes, suffix: str) -> None:
    """YAML plan files."""
    _plan_file(data, suffix)


@hostile(damaged_bytes(PLAN_JSON), st.just(".json"))
def plan_files_in_json(data: bytes, suffix: str) -> None:
    """JSON plan files."""
    _plan_file(data, suffix)


def _plan_file(data: bytes, suffix: str) -> None:
    """A plan that survives being written and read again, or PlanFileError that begins with the path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"plan{suffix}")
        path.write_bytes(data)
        with refused_in_words(PlanFileError, ConfigurationError, begins=str(path)):
            plan = Plan.from_file(path)
            assert Plan.from_dict(plan.to_dict()) == plan
            cards = {card.name: card for card in TEAM}
            for problem in plan.verify(_Cards(cards)).problems:  # pyright: ignore[reportArgumentType]
                assert len(problem.line.splitlines()) == 1, problem
            assert len(plan.to_mermaid().splitlines()) == 1 + len(plan) + plan.to_mermaid().count("-->")
            assert all(_is_finite(item) for task in plan.tasks for item in task.inputs.values())


class _Cards:
    """As much of a registry as `Plan.verify` asks for."""

    def __init__(self, cards: Any) -> None:
        self.cards = cards


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, list):
        return all(map(_is_finite, value))  # pyright: ignore[reportUnknownArgumentType]
    return not isinstance(value, float) or math.isfinite(value)


@hostile(damaged_bytes(PLAN_YAML, PLAN_JSON, AGENT))
def documents(data: bytes) -> None:
    """YAML and JSON themselves: a value without NaN and infinity, or DocumentError."""
    for read in (read_yaml, read_json):
        with refused_in_words(DocumentError):
            assert _is_finite(read(data))


LIBRARY: Final = (
    "# A heading\n\nText with *marks*, `code` and [a link](x).\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    "<html><head><title>T</title><script>x</script></head><body><h1>A</h1><p>Text &amp; more</p><table><tr><td>1",
    'name,size\n"a, b",3\n', '{"a": [1, {"b": "text"}], "c": null}',
    "Title\n=====\n\nText::\n\n  code\n\n.. note:: x\n",
)  # fmt: skip


@hostile(st.sampled_from([".md", ".html", ".csv", ".json", ".rst", ".txt", ".pdf"]), damaged_bytes(*LIBRARY))
def library_files(suffix: str, data: bytes) -> None:
    """Documents of the library: passages, or NotRead in words."""
    with refused_in_words(NotRead):
        for passage in read_passages(f"paper{suffix}", data):
            assert passage.text


TARGETS: Final = (
    agent_files, python_files, plan_files_in_yaml, plan_files_in_json, documents, library_files,
)  # fmt: skip
