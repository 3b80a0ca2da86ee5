"""Agents in words: what each takes and gives, and a team as a table."""

from collections.abc import Iterable
from typing import Any

from agentorch.core.card import AgentCard
from agentorch.pictures.markdown import cell, table


def takes(card: AgentCard) -> str:
    """Return the inputs of an agent: "topic: string, most?: integer"."""
    required = set(card.input.get("required", ()))
    properties: dict[str, Any] = card.input.get("properties", {})
    named = [f"{name}{'' if name in required else '?'}: {_type(of)}" for name, of in properties.items()]
    return ", ".join(named) or ("anything" if card.input.get("additionalProperties", True) else "nothing")


def gives(card: AgentCard) -> str:
    """Return the output of an agent in a word or two."""
    return _type(card.output)


def table_of(cards: Iterable[AgentCard]) -> str:
    """Return a team as a Markdown table."""
    rows = [
        [f"**{cell(card.name)}**", cell(card.description), cell(takes(card)), cell(gives(card)), cell(_needs(card))]
        for card in cards
    ]
    return table(["agent", "what it does", "takes", "gives", ""], rows)


def _needs(card: AgentCard) -> str:
    model = "needs a model" if card.needs_model else ""
    effects = "" if card.effects == "none" else f"effects: {card.effects}"
    return ", ".join(part for part in (model, effects) if part)


def _type(schema: dict[str, Any]) -> str:
    """Return a JSON Schema in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and "properties" in schema:
        fields = ", ".join(schema["properties"])
        return f"{schema.get('title', 'object')} ({fields})"
    return str(kind or "anything")
