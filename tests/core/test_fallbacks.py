"""Fallbacks that are declared: held to the task before anything is spent."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from agentorch.core.card import AgentCard
from agentorch.core.policy import Policy
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import verify


def card(name: str, output: Any, **inputs: Any) -> AgentCard:
    """Return a card with these parameters, all required, and no others."""
    parts = {key: TypeAdapter(kind).json_schema() for key, kind in inputs.items()}
    schema = {"type": "object", "properties": parts, "required": list(inputs), "additionalProperties": False}
    return AgentCard(name=name, input=schema, output=TypeAdapter(output).json_schema())


def test_a_fallback_that_is_no_agent_is_an_error() -> None:
    """A task's own fallback is checked like its agent, and the nearest name is offered."""
    cards = {name: AgentCard(name=name) for name in ("writer", "critic")}
    plan = Graph((Task("a", "writer", policy=Policy(fallback=("crtic", "critic"))),))

    (problem,) = verify(plan, cards).errors

    assert (problem.code, problem.task) == ("E_UNKNOWN_AGENT", "a")
    assert "'crtic'" in problem.message
    assert problem.remedy is not None
    assert "critic" in problem.remedy


@pytest.mark.parametrize(
    ("agent", "policy", "inputs", "expected"),
    [
        ("first", {"fallback": ("second",)}, {"text": "x"}, ["E_ARGS", "E_ARGS"]),
        ("first", {"fallback": ("number",)}, {"text": "x"}, ["E_TYPE"]),
        ("first", {"fallback": ("words",)}, {"text": "x"}, ["E_ARGS"]),
        ("first", {"fallback": ("twin", "first")}, {"text": "x"}, []),
        ("first", {"fallback": ("twin",)}, {"text": "x", "style": "dry"}, ["E_ARGS"]),
        ("declares second", {}, {"text": "x"}, ["E_ARGS"]),
        ("declares number", {}, {"text": "x"}, ["E_TYPE"]),
        ("declares twin", {}, {"text": "x", "style": "dry"}, []),
        ("declares twin", {}, {"text": "$find"}, []),
        ("declares words", {}, {"text": "$find"}, ["E_TYPE"]),
        ("by policy", {}, {"text": "x"}, ["E_TYPE"]),
    ],
)
def test_a_declared_fallback_is_checked_before_anything_is_spent(
    agent: str, policy: dict[str, Any], inputs: dict[str, Any], expected: list[str]
) -> None:
    """It must take what the task gives and give what the agent gives; an agent's need not take all that is optional."""
    first = card("first", str, text=str, style=str)
    first.input["required"] = ["text"]
    declaring = [
        first.model_copy(update={"name": f"declares {name}", "fallback": (name,)}) for name in ("second", "number")
    ]
    declaring += [
        first.model_copy(update={"name": f"declares {name}", "fallback": (name,)}) for name in ("twin", "words")
    ]
    declaring += [first.model_copy(update={"name": "by policy", "policy": Policy(fallback=("number",))})]
    others = [
        card("second", str, question=str),
        card("number", int, text=str),
        card("words", str, text=list[str]),
        card("twin", str, text=str),
        card("find", str),
    ]
    cards = {one.name: one for one in (first, *declaring, *others)}
    plan = Graph((Task("find", "find"), Task("a", agent, inputs=inputs, policy=Policy(**policy))), "$a")
    errors = verify(plan, cards).errors
    assert [problem.code for problem in errors] == expected
    assert all(problem.task == "a" and "its fallback" in problem.message for problem in errors)
