"""Judging: a model is shown criteria and one output, and says whether the output meets them.

1. The context is fresh: criteria, output and, where the judge asks for it, the task; nothing of the author's, no tools.
2. A verdict is one JSON object and nothing else, read strictly. What is not, or is a refusal, is asked for once more;
   then there is no verdict, and MalformedOutput says so: an output that nobody has judged is never an accepted one.
3. What was accepted with problems was not accepted. An output that the judge cannot see whole is rejected.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_jsonable_python

from agentorch.agents import Judge
from agentorch.core.values import clipped
from agentorch.core.verdict import Verdict
from agentorch.documents import DocumentError, sole_value
from agentorch.errors import MalformedOutput
from agentorch.ports.model import Message, ModelRequest, ModelResponse
from agentorch.ports.services import Services
from agentorch.prompting.answers import asked_schema, schema_text
from agentorch.prompting.conversation import MESSAGE_TOKENS
from agentorch.prompting.trimming import count_long, fit
from agentorch.prompts import Prompts, escaped, shown_value
from agentorch.signatures import joined, output_of

ASKED: Final = 2
"""How often a judge is asked before it counts as having given no verdict."""
AGAIN_TOKENS: Final = 200
"""What is kept free to say why the last answer was no verdict."""
_SHOWN: Final = 300
"""Characters of criteria, or of an answer, that are repeated in a message."""


class Ruling(BaseModel):
    """What a judge says."""

    model_config = ConfigDict(extra="forbid", strict=True)

    accepted: bool
    problems: list[str]


_RULING: Final = output_of(Ruling, what="a judge", written_by_model=True)
_ASKED_SCHEMA: Final = asked_schema(_RULING, "verdict")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the task as the template sees it."""

    name: str
    text: str
    note: str = ""


async def judge_output(
    services: Services, judge: Judge, output: Any, *, prompts: Prompts, objective: str, inputs: Mapping[str, Any]
) -> Verdict:
    """Return the judge's verdict; `objective` and `inputs` are the task's, for a judge that sees them.

    Raises:
        MalformedOutput: it gave none, though asked twice: the output counts as not checked.
    """
    text = shown_value(to_jsonable_python(output))
    system = prompts.render("judge", criteria=judge.criteria, schema=schema_text(_ASKED_SCHEMA))
    frame = prompts.render(_MATERIAL, output=text, task=[], unread="")
    room = judge.tokens - AGAIN_TOKENS - await _size(services, judge, system, frame)
    if room < 0:
        return Verdict.reject(
            f"judge '{judge.name}' cannot read all of it: with the criteria it takes {judge.tokens - room} tokens of "
            f"{judge.tokens}; give a shorter one"
        )
    task = _task(services, objective, inputs, room) if judge.sees_task else []
    unread = ""
    for _ in range(ASKED):
        material = prompts.render(_MATERIAL, output=text, task=task, unread=unread)
        response = await services.complete(_request(services, judge, system, material), stream=False)
        try:
            return _verdict(judge, _ruling(response))
        except MalformedOutput as error:
            unread = clipped(str(error), _SHOWN)
    raise MalformedOutput(f"not checked: judge '{judge.name}' gave no verdict, asked {ASKED} times: {unread}")


_MATERIAL: Final = "judge_material"


def _request(services: Services, judge: Judge, system: str, material: str) -> ModelRequest:
    labels = {"agent": judge.name, "task": services.task.id, "purpose": "judge"}
    messages = (Message("system", system), Message("user", material))
    return ModelRequest(messages, output=_ASKED_SCHEMA, model=judge.model_name, labels=labels)


async def _size(services: Services, judge: Judge, *texts: str) -> int:
    """Return the tokens of a request; the estimate is not trusted where it could mislead."""
    if sum(len(text.encode("utf-8", "replace")) for text in texts) > judge.tokens:
        await services.counting()
    schema = json.dumps(_ASKED_SCHEMA.schema) if _ASKED_SCHEMA is not None else ""
    return sum(MESSAGE_TOKENS + count_long(text, services.count, enough=judge.tokens) for text in (*texts, schema))


def _task(services: Services, objective: str, inputs: Mapping[str, Any], room: int) -> list[Part]:
    """Return the objective and the inputs as they fit; what is cut says so."""
    texts = {"task": escaped(objective)} if objective else {}
    texts |= {name if name != "task" else "task_input": escaped(shown_value(value)) for name, value in inputs.items()}
    shown = fit(texts, room=room, count=services.count) or {}
    return [
        Part(
            name, one.text, "" if one.whole else f"[{name}: the first {len(one.text)} of {len(texts[name])} characters]"
        )
        for name, one in shown.items()
    ]


def _ruling(response: ModelResponse) -> Ruling:
    if response.finish_reason == "refusal" or response.refusal:
        raise MalformedOutput(f"it declined: {clipped(response.refusal or response.text or 'no reason', _SHOWN)}")
    if response.finish_reason != "stop":
        raise MalformedOutput(f"its answer ended by {response.finish_reason!r}")
    try:
        value = sole_value(response.text)
    except DocumentError as error:  # what it quotes of the output, or says on the way, is no verdict
        said = clipped(response.text.strip(), _SHOWN)
        raise MalformedOutput(f"the answer is not one JSON object and nothing else ({error}): {said!r}") from None
    _, problems = _RULING.examine(value)
    if problems:
        raise MalformedOutput(joined(problems))
    return Ruling.model_validate(value)


def _verdict(judge: Judge, ruling: Ruling) -> Verdict:
    problems = tuple(problem.strip() for problem in ruling.problems if problem.strip())
    if ruling.accepted and ruling.problems and not problems:
        return Verdict.reject(f"judge '{judge.name}' accepts it, and says that there are problems with it")
    if problems or ruling.accepted:
        return Verdict(problems)
    criteria = clipped(" ".join(judge.criteria.split()), _SHOWN)
    return Verdict.reject(f"judge '{judge.name}' rejects it without a reason; its criteria: {criteria}")
