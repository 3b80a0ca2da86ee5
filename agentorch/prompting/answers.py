"""Answers: what is asked of a model for a declared output, and what its text is worth.

1. Text is asked for as text; everything else as JSON by its schema.
2. Providers want an object at the root of a schema, so any other value is asked for as `{"value": ...}`; an
   answer without that wrapping is taken as well.
3. Fences and words around the JSON are forgiven; quotes are never guessed.
"""

import json
import re
from typing import Any, Final, cast

from agentorch.core.card import JsonSchema
from agentorch.errors import MalformedOutput
from agentorch.ports.model import OutputSchema
from agentorch.signatures import Output, joined

_FENCE: Final = re.compile(r"```[a-zA-Z0-9_-]*\n(.*?)```", re.DOTALL)
_DECODER: Final = json.JSONDecoder()
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
    if is_text(output.schema):
        if not text.strip():
            raise MalformedOutput("the answer is empty", text=text)
        return text.strip()
    value = _json_in(text)
    encoded, problems = output.examine(value)
    if problems and not _is_object(output.schema) and isinstance(value, dict):
        answer = cast("dict[str, Any]", value)
        if answer.keys() == {WRAPPED}:
            encoded, problems = output.examine(answer[WRAPPED])
    if problems:
        raise MalformedOutput(joined(problems), text=text)
    return encoded


def _json_in(text: str) -> Any:
    """Return the JSON value in a text: all of it, a fenced part, or the first object or list that is whole."""
    fenced: list[str] = _FENCE.findall(text)
    for candidate in (text, *fenced):
        try:
            return json.loads(candidate)
        except ValueError:
            continue
    for place, character in enumerate(text):
        if character in "{[":
            try:
                return _DECODER.raw_decode(text, place)[0]
            except (ValueError, RecursionError):
                continue
    raise MalformedOutput(f"the answer is not JSON: {text.strip()[:80]!r}", text=text)


def _is_object(schema: JsonSchema) -> bool:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        schema = schema.get("$defs", {}).get(reference.rsplit("/", 1)[-1], {})
    return schema.get("type") == "object"
