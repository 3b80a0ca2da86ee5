"""Targets: what models and tools say; plans in text, answers, arguments, outputs."""

import asyncio
import json
from typing import Any, Final

from hypothesis import strategies as st

from agentorch import tool
from agentorch.agents import MalformedInput
from agentorch.core.failures import Problem
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import verify
from agentorch.errors import MalformedOutput
from agentorch.models.structured import unwrapped
from agentorch.planning.acceptance import Acceptance, judge_patch
from agentorch.planning.asking import plan_values, repair_values
from agentorch.planning.extraction import extract
from agentorch.planning.normalisation import normalise
from agentorch.ports.planner import Finished, PlanRequest, Ruling
from agentorch.prompting.answers import read_answer
from agentorch.prompts import Prompts, fenced
from agentorch.runtime.large import Unstorable, _written  # pyright: ignore[reportPrivateUsage]
from agentorch.signatures import output_of
from tests.hostile.material import damaged, hostile_text, json_like, written
from tests.hostile.promise import refused_in_words
from tests.hostile.target import hostile
from tests.planning.cards import CARDS, TEAM

PLANS: Final = (
    """Sure!
```json
{"tasks": [{"id": "a", "agent": "researcher", "objective": "find", "inputs": [{"name": "topic", "value": "buses"}]},
{"id": "b", "agent": "writer", "objective": "of ${a}", "inputs": {"facts": "$a.facts", "title": "x"}, "needs": ["a"]}],
"answer": "$b"}
```""",
    """<think>hm</think>[{"step": 1, "tool": "researcher", "args": "{\\"topic\\": 1}"},
{"step": 2, "tool": "critic", "depends_on": "1", "input": "<node-1>"}]""",
    """{"nodes": [{"id": "#E1", "task": "researcher"}, {"name": "two", "agent": {"name": "critic", "arguments": {}}}],
"edges": [["#E1", "two"], "1 -> 2", {"from": 1, "to": 2}], "drop": ["a"], "answer": 2}""",
    """{"put": [{"id": "a", "agent": "critic", "inputs": {"text": "{{a.text}}"}}], "drop": ["b"], "answer": null}""",
)
_DONE: Final = Task("done", "researcher", "", {"topic": "x"})
_OPEN: Final = Task("open", "critic", "", {"text": "$done"}, ("done",))
_REQUEST: Final = PlanRequest(
    "A goal",
    TEAM,
    {"x": 1},
    max_tasks=8,
    tasks=(Finished(_DONE, "succeeded", frozen=True, output={"facts": []}), Finished(_OPEN, "failed", frozen=False)),
    failed=(Problem("crash", "it broke", "open"),),
)
plan_text: Final = st.one_of(st.sampled_from(PLANS).flatmap(damaged), json_like.map(written), hostile_text)


def _sound(problems: Any) -> None:
    assert all(len(str(problem).splitlines()) == 1 for problem in problems), [str(problem) for problem in problems]


@hostile(plan_text)
def plan_texts(text: str) -> None:
    """A model's text for a plan: tasks that pass every check, or problems with codes, each in one line."""
    extracted = extract(text)
    if extracted.problem is not None:
        _sound([extracted.problem])
    judged = Acceptance(PlanRequest("A goal", TEAM), None).judge(text)
    _sound(judged.problems)
    assert all(len(note.splitlines()) == 1 for note in judged.notes), judged.notes
    patch, judged = judge_patch(text, _REQUEST)
    _sound(judged.problems)
    if not judged.errors:
        assert not {"done"} & {*(task.id for task in patch.put), *patch.drop}
        assert {task.agent for task in judged.graph.tasks} <= CARDS.keys()
    Prompts().render("plan_repair", **repair_values(_REQUEST, text, judged.problems, [_DONE]))


@hostile(plan_text, st.lists(st.integers(1, 40), max_size=40))
def plan_streams(text: str, sizes: list[int]) -> None:
    """A plan read piece by piece: what is offered early passed every check, and stays in what is judged at the end."""
    offered: list[Task] = []

    def offer(tasks: Any) -> Ruling:
        offered.extend(tasks)
        return Ruling(tuple(task.id for task in tasks))

    acceptance = Acceptance(PlanRequest("A goal", TEAM, max_tasks=8), offer)
    place = 0
    for size in [*sizes, len(text)]:
        acceptance.read(text[place : place + size])
        place += size
    judged = acceptance.judge(text)
    _sound(judged.problems)
    assert len(offered) <= 8
    assert list(judged.graph.tasks[: len(offered)]) == offered
    assert not verify(Graph(tuple(offered)), CARDS, strict=True, whole=False).errors
    Prompts().render("planner", **plan_values(_REQUEST, offered))


@hostile(json_like)
def raw_plans(value: Any) -> None:
    """A JSON value of any shape where a plan should stand."""
    for shape in (
        value,
        {"tasks": value},
        {"tasks": [value]},
        {"tasks": [{"id": value, "agent": "critic", "needs": value}]},
    ):
        read = normalise(shape, CARDS)
        _sound(read.problems)
        _sound(verify(Graph(tuple(read.tasks), read.answer), CARDS, strict=True).problems)


@tool
def adder(count: int, names: list[str] | None = None) -> dict[str, Any]:
    """Adds."""
    return {"count": count, "names": names}


@hostile(st.one_of(st.just('{"count": 1, "names": ["a"]}').flatmap(damaged), json_like.map(written)))
def tool_arguments(text: str) -> None:
    """The arguments that a model writes for a tool: read, or MalformedInput in words for the model."""
    with refused_in_words(MalformedInput):
        assert adder.parse(text)["count"] is not None
    with refused_in_words(MalformedInput):
        asyncio.run(adder.invoke(text))


class _Odd:
    """No JSON value."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")


@hostile(st.one_of(json_like, st.binary(max_size=8), st.builds(_Odd), st.sets(st.integers()), st.just(object)))
def tool_outputs(value: Any) -> None:
    """What a tool gives back: a JSON value that can be kept, shown and fenced, or MalformedOutput."""

    @tool
    def giver() -> Any:
        """Gives."""
        return value

    with refused_in_words(MalformedOutput):
        given = asyncio.run(giver.invoke({}))
        shown = fenced(given, "giver")
        assert shown.count("</value>") == 1
        assert shown.count("<value ") == 1
        with refused_in_words(Unstorable):
            json.loads(_written(given))


_OUTPUTS: Final = tuple(
    output_of(kind, what="answer", written_by_model=True) for kind in (str, int, list[str], dict[str, Any], bool | None)
)


@hostile(st.one_of(plan_text, st.just('{"value": ["a", "b"]}').flatmap(damaged)))
def answers(text: str) -> None:
    """A model's answer for a declared output: of that type, or MalformedOutput."""
    for output in _OUTPUTS:
        with refused_in_words(MalformedOutput):
            output.revive(read_answer(text, output))
        with refused_in_words(MalformedOutput):
            output.revive(read_answer(unwrapped(text), output))


TARGETS: Final = (plan_texts, plan_streams, raw_plans, tool_arguments, tool_outputs, answers)
