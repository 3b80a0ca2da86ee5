"""What a model's server supports, found out by asking: three short calls, which cost next to nothing, but something.

Each has a bound: a model that does not come to an end is one of the things to be found out.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import anyio
from pydantic_core import from_json

from agentorch.cli.reaching import Reached
from agentorch.cli.words import one_line
from agentorch.errors import AgentorchError
from agentorch.models import Form, OpenAIModel
from agentorch.models.opening import provider_named_by
from agentorch.ports.model import Message, ModelRequest, OutputSchema, ToolSpec

MOST_SECONDS: Final = 60.0
"""For one answer."""
_MOST_TOKENS: Final = 1_000
"""Of one answer: some models think before the one word, others never come to an end."""
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


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a model is asked."""

    name: str
    ask: Callable[[OpenAIModel], Awaitable[Reached]]


async def probe(name: str, question: Question) -> Reached:
    """Ask a model one of `QUESTIONS`; say what was found."""
    key, url = provider_named_by(os.environ)
    model = OpenAIModel(name, api_key=key, base_url=url)
    try:
        with anyio.fail_after(MOST_SECONDS):
            return await question.ask(model)
    except TimeoutError:
        late = f"{name}: {question.name} was not answered within {MOST_SECONDS:.0f} s"
        return "wrong", late, "a smaller model answers sooner; or see the server's own log"
    except AgentorchError as error:
        return "wrong", f"{name}: {one_line(str(error))}", "see the server's own log, or name another model"
    finally:
        with anyio.CancelScope(shield=True):
            await model.close()


async def _word(model: OpenAIModel) -> Reached:
    pieces: list[str] = []
    request = ModelRequest((Message("user", "Answer with the one word: ok"),), max_output_tokens=_MOST_TOKENS)
    response = await model.complete(request, on_delta=pieces.append)
    if response.finish_reason == "length" and not response.text.strip():
        thinks = f"{model.name}: thinks for more than {_MOST_TOKENS:,} tokens before it says one word"
        return "note", thinks, "it will be slow, and cost: name another model if that matters"
    if response.finish_reason == "length":
        endless = (
            f"{model.name}: has no end of answering: asked for one word, it was cut off after {_MOST_TOKENS:,} tokens"
        )
        return "wrong", endless, "name a model that was trained to follow instructions"
    if not response.text.strip():
        return "wrong", f"{model.name}: its answer is empty", "name another model"
    counts = "no token counts: they are estimated" if response.usage.approximate else "token counts"
    streams = "streams" if len(pieces) > 1 or len(response.text) < 12 else "does not stream"  # noqa: PLR2004
    return "ok", f"{model.name}: answers, {streams}, sends {counts}", ""


async def _json(model: OpenAIModel) -> Reached:
    question = 'Answer with this JSON object and nothing else: {"ok": true}'
    output = OutputSchema("probe", _SCHEMA)
    response = await model.complete(
        ModelRequest((Message("user", question),), output=output, max_output_tokens=_MOST_TOKENS)
    )
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
    response = await model.complete(
        ModelRequest((Message("user", question),), tools=(tool,), max_output_tokens=_MOST_TOKENS)
    )
    if any(call.name == "look" for call in response.tool_calls):
        return "ok", f"{model.name}: calls tools", ""
    remedy = "agents with tools, such as the researcher, need a model that does"
    return "note", f"{model.name}: was asked to call a tool, and did not", remedy


QUESTIONS: Final = (Question("a word", _word), Question("JSON", _json), Question("a call of a tool", _tool))
