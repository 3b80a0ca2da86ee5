"""What a model's server supports, found out by asking: three short calls, which cost next to nothing, but something."""

import os
from collections.abc import AsyncIterator
from typing import Final

from pydantic_core import from_json

from agentorch.cli.reaching import Reached
from agentorch.cli.words import one_line
from agentorch.errors import AgentorchError
from agentorch.models import Form, OpenAIModel
from agentorch.models.opening import provider_named_by
from agentorch.ports.model import Message, ModelRequest, OutputSchema, ToolSpec

_SILENCE: Final = 60.0
_SCHEMA: Final = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
_TOOL: Final = {
    "type": "object",
    "properties": {"word": {"type": "string"}},
    "required": ["word"],
    "additionalProperties": False,
}
_FORMS: Final = {
    Form.STRICT: "takes JSON schemas, and keeps to them",
    Form.SCHEMA: "takes JSON schemas",
    Form.OBJECT: "takes JSON, and no schema: the prompt says it",
    Form.PROMPT: "takes no form: the prompt alone says it",
}


async def probe(name: str) -> AsyncIterator[Reached]:
    """Ask a model for a word, for JSON, and for a call of a tool; yield what was found of each."""
    key, url = provider_named_by(os.environ)
    model = OpenAIModel(name, api_key=key, base_url=url)
    try:
        yield await _word(model)
        yield await _json(model)
        yield await _tool(model)
    except AgentorchError as error:
        yield "wrong", f"{name}: {one_line(str(error))}", "see the server's own log, or name another model"
    finally:
        await model.close()


async def _word(model: OpenAIModel) -> Reached:
    pieces: list[str] = []
    request = ModelRequest((Message("user", "Answer with the one word: ok"),), silence=_SILENCE)
    response = await model.complete(request, on_delta=pieces.append)
    if not response.text.strip():
        return "wrong", f"{model.name}: its answer is empty", "name another model"
    counts = "no token counts: they are estimated" if response.usage.approximate else "token counts"
    streams = "streams" if len(pieces) > 1 or len(response.text) < 12 else "does not stream"  # noqa: PLR2004
    return "ok", f"{model.name}: answers, {streams}, sends {counts}", ""


async def _json(model: OpenAIModel) -> Reached:
    question = 'Answer with this JSON object and nothing else: {"ok": true}'
    output = OutputSchema("probe", _SCHEMA)
    response = await model.complete(ModelRequest((Message("user", question),), output=output, silence=_SILENCE))
    form = _FORMS[model.understood.output]
    try:
        is_right = from_json(response.text) == {"ok": True}
    except ValueError:
        is_right = False
    if is_right:
        return "ok", f"{model.name}: {form}", ""
    remedy = "plans and typed outputs will need repairs: AGENTORCH_QUIRKS may say another form, or name another model"
    return "note", f"{model.name}: {form}, yet answers with {one_line(response.text)[:60]!r}", remedy


async def _tool(model: OpenAIModel) -> Reached:
    tool = ToolSpec("look", "Looks a word up.", _TOOL)
    question = "Look the word 'ok' up with the tool."
    response = await model.complete(ModelRequest((Message("user", question),), tools=(tool,), silence=_SILENCE))
    if any(call.name == "look" for call in response.tool_calls):
        return "ok", f"{model.name}: calls tools", ""
    remedy = "agents with tools, such as the researcher, need a model that does"
    return "note", f"{model.name}: was asked to call a tool, and did not", remedy
