"""Runs a prompt agent for one dispatch: its declared inputs in, a checked answer out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from agentorch.agents import Agent
from agentorch.core.card import AgentCard
from agentorch.core.values import in_line
from agentorch.errors import MalformedOutput, PermanentError
from agentorch.ports.model import Message
from agentorch.ports.services import Services
from agentorch.prompting.answers import asked_schema, read_answer, schema_text
from agentorch.prompting.conversation import (
    MESSAGE_TOKENS,
    NAME_LENGTH,
    READING_SHARE,
    Conversation,
    reading_note,
    request_tokens,
)
from agentorch.prompting.reading_on import ReadingOn
from agentorch.prompting.repeats import Repeats
from agentorch.prompting.toolbox import Toolbox
from agentorch.prompting.trimming import Shown, at_most_tokens, count_long, fit
from agentorch.prompts import Prompts, escaped, shown_value

_NO_TEAM: Final[Mapping[str, AgentCard]] = {}
_NOTHING: Final[Mapping[str, Any]] = {}
_TASK: Final = "task"
"""The name of the value that the objective is."""
_INPUTS: Final = "inputs"
"""The name of the value that all inputs together are."""
_OBJECTIVE: Final = 4
"""An objective beyond one part in so many of the budget is trimmed like an input."""


@dataclass(frozen=True, slots=True)
class InputText:
    """One input as the template sees it."""

    name: str
    text: str
    note: str = ""


async def run_prompt_agent(
    agent: Agent,
    inputs: Mapping[str, Any],
    services: Services,
    *,
    prompts: Prompts,
    objective: str | None = None,
    beside: Mapping[str, Any] = _NOTHING,
    mode: Literal["fresh", "repair"] = "fresh",
    previous_output: Any = None,
    problems: Sequence[str] = (),
    token_budget: int | None = None,
    repeats: int | None = None,
    team: Mapping[str, AgentCard] = _NO_TEAM,
) -> Any:
    """Return the agent's output as JSON, held to its schema.

    `inputs` are held to the agent's input schema; nothing else of the run is shown. `objective` (by default the task's)
    may speak of values that stand `beside` it. A repair shows the rejected output, its schema and the problems, and
    nothing else. `team` are the agents that may be called as tools.

    Raises:
        MalformedInput: the inputs do not fit.
        ModelRefusal: the model or a filter declined.
        MalformedOutput: the answer does not hold to the schema, or was cut off; `text` is what came.
        PermanentError: not even a preview of all inputs together fits the token budget.
    """
    reading = ReadingOn(services.count)
    tools = () if mode == "repair" else agent.tools
    toolbox = Toolbox(tools, services, reading=reading, team=team)
    labels = {"agent": agent.name, "task": services.task.id, "purpose": "repair" if mode == "repair" else "work"}
    output = asked_schema(agent.output, agent.name)
    stall = Repeats(repeats, always_new=toolbox.with_effects)
    talk = Conversation(services, prompts, toolbox, reading, labels, output, token_budget, stall)
    if mode == "repair":
        messages = [Message("user", await _repair_text(talk, previous_output, problems))]
    else:
        texts = {name: escaped(shown_value(value)) for name, value in agent.bind(inputs).items()}
        texts |= {name: escaped(shown_value(value)) for name, value in beside.items()}
        messages = await _task_messages(talk, agent, texts, services.task.objective if objective is None else objective)
    return read_answer(await talk.hold(messages), agent.output)


async def _counting(talk: Conversation, *texts: str) -> None:
    """Wait for exact counts where an estimate may mislead: what has no more bytes than the budget has tokens fits."""
    if talk.token_budget is not None and sum(map(at_most_tokens, texts)) > talk.token_budget:
        await talk.services.counting()


async def _repair_text(talk: Conversation, output: Any, problems: Sequence[str]) -> str:
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
    asked = talk.prompts.render("repair", output=text, problems=list(problems), schema=schema_text(talk.output))
    await _counting(talk, asked)
    budget = talk.token_budget
    if budget is None:
        return asked
    if count_long(asked, talk.services.count, enough=budget) + talk.fixed_tokens() + MESSAGE_TOKENS > budget:
        # A part of an output cannot be mended into a whole one: the ladder goes on to a fresh start.
        raise MalformedOutput(f"the rejected output is too large to be repaired within {budget} tokens", text=text)
    return asked


async def _task_messages(talk: Conversation, agent: Agent, texts: Mapping[str, str], objective: str) -> list[Message]:
    """Return the system and the user message, with what does not fit shown in part."""
    if (whole := _whole(talk, agent, texts, objective)) is not None:
        return whole
    await _counting(talk, agent.prompt or "", objective, *texts.values())
    if _is_long(talk, objective):
        texts, objective = {_TASK: escaped(objective)} | {_beside(name): text for name, text in texts.items()}, ""
    shown = _fitted(talk, agent, texts, objective)
    if shown is None:  # so many that not even a note for each has room
        texts = {_INPUTS: _as_one(texts)}
        shown = _fitted(talk, agent, texts, objective)
    if shown is None:
        raise PermanentError(
            f"agent {agent.name!r}: its prompt, task and tools alone take more than the budget of {talk.token_budget} "
            f"tokens; raise the budget, or shorten them"
        )
    return _messages(talk, agent, objective, [await _noted(talk, name, texts[name], shown[name]) for name in texts])


def _whole(talk: Conversation, agent: Agent, texts: Mapping[str, str], objective: str) -> list[Message] | None:
    """Return the messages with all that is in them, where that fits without a token being counted; else None."""
    budget = talk.token_budget
    if budget is not None and len(objective) + sum(map(len, texts.values())) > budget:
        return None
    messages = _messages(talk, agent, objective, [InputText(name, text) for name, text in texts.items()])
    if budget is None:
        return messages
    if at_most_tokens(objective) > budget // _OBJECTIVE:
        return None
    needed = sum(MESSAGE_TOKENS + at_most_tokens(message.content) for message in messages)
    return messages if needed + talk.fixed_tokens() + _kept_free(talk) <= budget else None


def _messages(talk: Conversation, agent: Agent, objective: str, inputs: Sequence[InputText]) -> list[Message]:
    return [
        Message("system", _system_text(talk, agent)),
        Message("user", talk.prompts.render("task", objective=objective, inputs=inputs)),
    ]


def _is_long(talk: Conversation, objective: str) -> bool:
    if talk.token_budget is None:
        return False
    most = talk.token_budget // _OBJECTIVE
    return count_long(objective, talk.services.count, enough=most) > most


def _beside(name: str) -> str:
    return name if name != _TASK else f"{_TASK}_input"


def _system_text(talk: Conversation, agent: Agent) -> str:
    return talk.prompts.render(
        "agent",
        name=agent.name,
        description=agent.card.description,
        prompt=agent.prompt,
        schema=schema_text(talk.output),
        tools=not talk.toolbox.empty,
        reading=bool(talk.reading),
    )


def _as_one(texts: Mapping[str, str]) -> str:
    """Return all values as one, each below its name: as many are shown as have room, the rest is read on."""
    return "\n\n".join(f"{escaped(in_line(name, NAME_LENGTH))}:\n{text}" for name, text in texts.items())


def _fitted(talk: Conversation, agent: Agent, texts: Mapping[str, str], objective: str) -> Mapping[str, Shown] | None:
    """Return how each value is shown; what is cut becomes readable by the tool. None where not even previews fit."""
    shown = fit(texts, room=_room(talk, agent, objective), count=talk.services.count)
    if shown is not None and all(item.whole for item in shown.values()):
        return shown
    for name, text in texts.items():
        talk.reading.add(name, text)
    # With the reading tool, its sentence and its answers in the requests there is less room than before.
    shown = fit(texts, room=_room(talk, agent, objective), count=talk.services.count)
    talk.reading.keep(() if shown is None else [name for name, item in shown.items() if not item.whole])
    return shown


def _room(talk: Conversation, agent: Agent, objective: str) -> int:
    """Return the tokens that are left for the inputs; a part is kept free for what tools answer."""
    frame = _system_text(talk, agent) + talk.prompts.render("task", objective=objective, inputs=[])
    tools = request_tokens(talk.services, talk.toolbox, talk.output)
    budget = talk.token_budget or 0
    return (
        budget - _kept_free(talk) - count_long(frame, talk.services.count, enough=budget) - tools - 2 * MESSAGE_TOKENS
    )


def _kept_free(talk: Conversation) -> int:
    return (talk.token_budget or 0) // READING_SHARE if talk.toolbox.specs else 0


async def _noted(talk: Conversation, name: str, text: str, shown: Shown) -> InputText:
    if shown.whole:
        return InputText(name, text)
    blob = await talk.services.put_blob(text.encode("utf-8", "replace"))
    talk.services.trimmed(name, tokens=shown.tokens, kept=shown.kept, blob=blob)
    return InputText(name, shown.text, reading_note(name, len(shown.text), len(text), blob))
