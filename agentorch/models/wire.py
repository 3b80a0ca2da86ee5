"""A model request as the parameters of a Chat Completions call.

Nothing is added to the messages: whoever asks for a schema says it in words too (see `OutputSchema`).
"""

import hashlib
import json
import re
from typing import Any, cast

from agentorch.core.values import whole_characters
from agentorch.models.quirks import Form, Quirks
from agentorch.models.structured import object_rooted, strict
from agentorch.ports.model import Message, ModelRequest, OutputSchema


def parameters(request: ModelRequest, *, model: str, quirks: Quirks, form: Form) -> dict[str, Any]:
    """Return the body of a Chat Completions call; `form` is how the output is asked for."""
    sent: dict[str, Any] = {"model": model, "stream": True}
    if quirks.stream_usage:
        sent["stream_options"] = {"include_usage": True}
    if request.max_output_tokens is not None and quirks.limit is not None:
        sent[quirks.limit] = request.max_output_tokens
    if request.temperature is not None and quirks.temperature:
        sent["temperature"] = request.temperature
    if _with_tools(request, quirks):
        sent["tools"] = [_tool(tool.name, tool.description, tool.parameters) for tool in request.tools]
        if quirks.tool_choice:
            sent["tool_choice"] = "auto" if request.may_call else "none"
    if request.output is not None:
        sent |= _response_format(request.output, form)
    sent["messages"] = [_message(message) for message in request.messages]
    return _encodable(sent)


def form_for(request: ModelRequest, *, quirks: Quirks, refused: set[str]) -> Form:
    """Return the best form that this server takes for this request; `refused` holds digests of schemas."""
    if request.output is None:
        return quirks.output
    if _with_tools(request, quirks) and not quirks.tools_with_output:
        return Form.PROMPT
    form = quirks.output
    rooted, wraps = object_rooted(request.output.schema)
    if form is Form.STRICT and strict(rooted) is None:
        form = Form.SCHEMA
    if form in {Form.STRICT, Form.SCHEMA} and f"{form}:{digest(request.output)}" in refused:
        form = Form.OBJECT if f"{Form.SCHEMA}:{digest(request.output)}" in refused else Form.SCHEMA
    # "Some JSON object" is the wrong thing to ask for where the words ask for a list or a number.
    return Form.PROMPT if form is Form.OBJECT and wraps else form


def _with_tools(request: ModelRequest, quirks: Quirks) -> bool:
    # Some servers refuse calls in the history without their tools. Where nothing forbids to call, none are shown.
    return bool(request.tools) and (request.may_call or quirks.tool_choice)


def digest(output: OutputSchema) -> str:
    """Return a short name for a schema's content."""
    return hashlib.sha256(json.dumps(output.schema, sort_keys=True).encode()).hexdigest()[:16]


def wrapped(output: OutputSchema | None, form: Form) -> bool:
    """Return whether the answer comes wrapped in an object of one key."""
    return output is not None and form in {Form.STRICT, Form.SCHEMA} and object_rooted(output.schema)[1]


def _response_format(output: OutputSchema, form: Form) -> dict[str, Any]:
    if form is Form.PROMPT:
        return {}
    if form is Form.OBJECT:
        return {"response_format": {"type": "json_object"}}
    schema, _ = object_rooted(output.schema)
    described: dict[str, Any] = {"name": output.name, "schema": schema}
    if form is Form.STRICT:
        described |= {"schema": strict(schema), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def _message(message: Message) -> dict[str, Any]:
    sent: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_call_id is not None:
        sent["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        sent["content"] = message.content or None
        sent["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": _name(call.name), "arguments": _object(call.arguments)},
            }
            for call in message.tool_calls
        ]
    return sent


def _name(name: str) -> str:
    """Return the name of a call as it may stand in a history: servers refuse what is no name of a function."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "_"


def _encodable(value: Any) -> Any:
    """Return a JSON value without lone surrogates, which cannot be sent."""
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return {whole_characters(name): _encodable(item) for name, item in items.items()}
    return [_encodable(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def _object(arguments: str) -> str:
    """Return arguments as they may stand in a history: some servers answer 400 or 500 to what is no JSON object.

    The model is told what was wrong with them by the message that answers the call.
    """
    try:
        return arguments if isinstance(json.loads(arguments), dict) else "{}"
    except (ValueError, RecursionError):
        return "{}"


def _tool(name: str, description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}
