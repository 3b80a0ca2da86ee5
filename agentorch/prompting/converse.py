"""`context.model`: one question of an agent's own to its model, with the tools it names."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentorch.core.card import AgentCard
from agentorch.ports.model import Message
from agentorch.ports.services import Services
from agentorch.prompting.answers import asked_schema, read_answer, schema_text
from agentorch.prompting.conversation import Conversation
from agentorch.prompting.reading_on import ReadingOn
from agentorch.prompting.repeats import Repeats
from agentorch.prompting.toolbox import Toolbox
from agentorch.prompts import Prompts
from agentorch.signatures import output_of

_NO_TEAM: Final[Mapping[str, AgentCard]] = {}


async def converse(
    services: Services,
    prompt: str,
    *,
    output: Any,
    tools: Sequence[Any],
    prompts: Prompts,
    agent: str = "",
    token_budget: int | None = None,
    repeats: int | None = None,
    team: Mapping[str, AgentCard] = _NO_TEAM,
) -> Any:
    """Return the model's answer to `prompt` as the type `output`.

    Raises:
        ModelRefusal: the model or a filter declined.
        MalformedOutput: the answer is not of that type, or was cut off.
    """
    declared = output_of(output, what="context.model", written_by_model=True)
    reading = ReadingOn(services.count)
    toolbox = Toolbox(tools, services, reading=reading, team=team)
    labels = {"agent": agent or services.task.agent, "task": services.task.id, "purpose": "ask"}
    asked = asked_schema(declared, "answer")
    stall = Repeats(repeats, always_new=toolbox.with_effects)
    talk = Conversation(services, prompts, toolbox, reading, labels, asked, token_budget, stall)
    messages = [Message("user", prompts.render("ask", prompt=prompt, schema=schema_text(asked)))]
    return declared.revive(read_answer(await talk.hold(messages), declared))
