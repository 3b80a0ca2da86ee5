"""A small team for the tests of planning."""

from agentorch.core.card import AgentCard

TEXT = {"type": "string"}
LINES = {"type": "array", "items": TEXT}


def card(name: str, output: object, *, required: str = "", effects: str = "none", **inputs: object) -> AgentCard:
    """Return a card that takes `inputs` and nothing else."""
    schema = {
        "type": "object",
        "properties": inputs,
        "required": required.split(),
        "additionalProperties": False,
    }
    return AgentCard.model_validate(
        {"name": name, "description": f"The {name}.", "input": schema, "output": output, "effects": effects}
    )


TEAM = (
    card("critic", TEXT, required="text", text=TEXT, limit={"type": "integer"}),
    card("mailer", TEXT, required="text", text=TEXT, effects="once"),
    card("researcher", {"type": "object", "properties": {"facts": LINES}}, required="topic", topic=TEXT),
    card("writer", TEXT, required="facts title", facts=LINES, title=TEXT),
)
CARDS = {one.name: one for one in TEAM}
