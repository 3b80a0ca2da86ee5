"""Agents in a module whose annotations are strings."""

from __future__ import annotations

from pydantic import BaseModel

from agentorch.agents import Context, agent
from agentorch.tools import tool


class Note(BaseModel):
    text: str


@agent(description="d")
async def noting(text: str, context: Context) -> Note:
    return Note(text=text + context.run_id)


@tool
def shout(note: Note) -> str:
    """Shouts."""
    return note.text.upper()


def test_string_annotations_are_resolved():
    """Context is given, the model is revived, the tool has its schema."""
    assert noting.card.input["properties"].keys() == {"text"}
    assert noting.revive({"text": "a"}) == Note(text="a")
    assert shout.spec.parameters["properties"] == {"note": {"$ref": "#/$defs/Note"}}
