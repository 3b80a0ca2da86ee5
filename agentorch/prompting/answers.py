"""Answers: what is asked of a model for a declared output, and what its text is worth.

1. Text is asked for as text; everything else as JSON by its schema.
2. Providers want an object at the root of a schema, so any other value is asked for as `{"value": ...}`; an
   answer without that wrapping is taken as well.
3. Thoughts are no answer. Fences and words around the JSON are forgiven; of several values the first that fits counts.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final, cast

from agentorch.core.card import JsonSchema
from agentorch.documents import json_values, spoken
from agentorch.errors import MalformedOutput
from agentorch.ports.model import OutputSchema
from agentorch.signatures import Output, joined

_PLAIN: Final = {"type", "title", "description", "default", "examples"}
"""Keywords with which a string is still any text."""
WRAPPED: Final = "value"
"""The only key of the object around a value that is none."""


def is_text(schema: JsonSchema) -> bool:
    """Whether the output is text as it comes: any string, or anything at all."""
    return not schema or (schema.get("type") == "string" and schema.keys() <= _PLAIN)


def asked_schema(output: Output, name: str) -> OutputSchema | None:
    """Return the form to ask for, an object at its root; None for text."""
    schema = output.schema
    if is_text(schema):
        return None
    title = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "output"
    if _is_object(schema):
        return OutputSchema(title, schema)
    inner = {key: value for key, value in schema.items() if key != "$defs"}
    wrapped: JsonSchema = {
        "type": "object",
        "properties": {WRAPPED: inner},
        "required": [WRAPPED],
        "additionalProperties": False,
    }
    if "$defs" in schema:
        wrapped["$defs"] = schema["$defs"]
    return OutputSchema(title, wrapped)


def schema_text(asked: OutputSchema | None) -> str:
    """Return the schema as it stands in a prompt; empty for text."""
    return "" if asked is None else json.dumps(asked.schema, ensure_ascii=False, separators=(",", ":"))


def read_answer(text: str, output: Output) -> Any:
    """Return the JSON value of a model's answer; MalformedOutput says what it breaks."""
    said = spoken(text)
    if not said:
        raise MalformedOutput("the answer is empty", text=text)
    if is_text(output.schema):
        return said
    rejected: list[tuple[Any, Sequence[str]]] = []
    cut_off = False
    for found in json_values(text):
        if found.cut_off:
            cut_off = True
            continue
        encoded, problems = _examined(found.value, output)
        if not problems:
            return encoded
        rejected.append((found.value, problems))
    raise MalformedOutput(_words(rejected, said, cut_off=cut_off), text=text)


def _examined(value: Any, output: Output) -> tuple[Any, Sequence[str]]:
    encoded, problems = output.examine(value)
    if problems and not _is_object(output.schema) and isinstance(value, dict):
        answer = cast("dict[str, Any]", value)
        if answer.keys() == {WRAPPED}:
            return output.examine(answer[WRAPPED])
    return encoded, problems


def _words(rejected: Sequence[tuple[Any, Sequence[str]]], said: str, *, cut_off: bool) -> str:
    """Say what is wrong with the value that was meant: an object was asked for, whatever else stands in the prose."""
    meant = next((problems for value, problems in rejected if isinstance(value, dict)), None)
    if meant is not None:
        return joined(meant)
    if cut_off:
        return "the answer stops before its JSON is closed"
    return joined(rejected[0][1]) if rejected else f"the answer is not JSON: {said[:80]!r}"


def _is_object(schema: JsonSchema) -> bool:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        schema = schema.get("$defs", {}).get(reference.rsplit("/", 1)[-1], {})
    return schema.get("type") == "object"
