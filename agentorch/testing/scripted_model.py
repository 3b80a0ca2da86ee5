"""A model that says what a test wrote down, and shouts when it was asked something else.

    model = ScriptedModel({"writer": "An ode.", "list the facts": ["fact one", "fact two"]})
    model.on(Reply(tool_calls=[ToolCall("1", "search", "{}")]), agent="researcher")
    ...
    model.assert_all_used()

1. Rules are tried in the order in which they were given; the first that fits answers.
2. A list is used up from its start, each item once; anything else answers every time.
3. A key of a mapping is a task's id, an agent's name or a purpose if the request bears it as a label, else a part of
   the request's text.
"""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import anyio
from pydantic import BaseModel

from agentorch.core.usage import Usage
from agentorch.errors import ModelError
from agentorch.ports.model import FinishReason, ModelRequest, ModelResponse, OnDelta, ToolCall
from agentorch.tokens import estimate


@dataclass(frozen=True)
class Reply:
    """An answer in full detail."""

    text: str = ""
    pieces: Sequence[str] = ()
    """The text as it is streamed; by default in one piece."""
    delay: float = 0.0
    """Seconds before each piece, and before an answer without any."""
    tool_calls: Sequence[ToolCall] = ()
    refusal: str | None = None
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    """By default estimated from the texts."""
    error: ModelError | None = None
    """Raised after the pieces."""


Scripted = Reply | ModelResponse | ModelError | str | BaseModel | Mapping[str, Any] | ToolCall
"""What may answer: text, a value (sent as JSON), a tool call, an error to raise, or any of it in detail."""
Script = Scripted | Sequence[Scripted] | Callable[[ModelRequest], Scripted]


class ScriptMiss(AssertionError):
    """The model was asked something that the script has no answer for: the test or the program is wrong."""


@dataclass
class _Rule:
    words: str
    fits: Callable[[ModelRequest], bool]
    script: Any
    uses: int = 0

    @property
    def left(self) -> bool:
        return not _is_list(self.script) or self.uses < len(self.script)

    @property
    def used_up(self) -> bool:
        return self.uses >= len(self.script) if _is_list(self.script) else self.uses > 0

    def next(self, request: ModelRequest) -> Scripted:
        script = self.script[self.uses] if _is_list(self.script) else self.script
        self.uses += 1
        return cast("Scripted", script(request) if callable(script) else script)


class ScriptedModel:
    """A `Model` for tests; see the rules above."""

    priced = True
    """It costs nothing, or what its replies say."""

    def __init__(
        self, script: Script | Mapping[str, Script] = (), *, name: str = "scripted", delay: float = 0.0
    ) -> None:
        """Take a list of answers in order, a mapping of keys to answers, one answer for all, or a callable."""
        self.name = name
        self.requests: list[ModelRequest] = []
        """Every request, in order."""
        self.misses: list[str] = []
        """What was asked without an answer in the script."""
        self._delay = delay
        self._rules: list[_Rule] = []
        if isinstance(script, Mapping):
            for key, answers in cast("Mapping[str, Script]", script).items():
                self._rules.append(_Rule(repr(key), _by_key(key), answers))
        elif script != ():
            self._rules.append(_Rule("any request", lambda _: True, script))

    def on(
        self, script: Script, *, agent: str | None = None, task: str | None = None, purpose: str | None = None,
        containing: str | None = None, when: Callable[[ModelRequest], bool] | None = None,
    ) -> Self:  # fmt: skip
        """Answer requests that meet all the conditions given."""
        labels = {"agent": agent, "task": task, "purpose": purpose}
        wanted = {label: value for label, value in labels.items() if value is not None}
        words = [f"{label} {value!r}" for label, value in wanted.items()]
        words += [f"containing {containing!r}"] if containing else []

        def fits(request: ModelRequest) -> bool:
            return (
                all(request.labels.get(label) == value for label, value in wanted.items())
                and (containing is None or containing in rendered(request))
                and (when is None or when(request))
            )

        self._rules.append(_Rule(", ".join(words) or "a condition", fits, script))
        return self

    def assert_all_used(self) -> None:
        """Raise unless every answer was given, and nothing was asked in vain."""
        left = [f"{rule.words} (used {rule.uses} times)" for rule in self._rules if not rule.used_up]
        if left or self.misses:
            raise AssertionError("\n".join([*(f"never asked for: {words}" for words in left), *self.misses]))

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Return the answer of the first rule that fits; `ScriptMiss` when there is none."""
        self.requests.append(request)
        rule = next((rule for rule in self._rules if rule.left and rule.fits(request)), None)
        if rule is None:
            self.misses.append(self._miss(request))
            raise ScriptMiss(self.misses[-1])
        answer = rule.next(request)
        if isinstance(answer, ModelResponse):
            answer, given = Reply(answer.text, delay=self._delay), answer
        else:
            answer, given = _reply(answer, self._delay), None
        await _speak(answer, on_delta)
        return given or _response(answer, request, self.name)

    def count(self, text: str) -> int:
        """Return a count from the length alone."""
        return estimate(text)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _miss(self, request: ModelRequest) -> str:
        asked = rendered(request)
        lines = [f"the script has no answer for request {len(self.requests)}, labels {request.labels}:", asked]
        keys = [rule.words for rule in self._rules]
        near = difflib.get_close_matches(" ".join(request.labels.values()) or asked[-200:], keys, n=1, cutoff=0.0)
        lines += [f"the nearest rule is {near[0]}; there are: {'; '.join(keys)}"] if near else ["it has no rules"]
        lines += [f"used up: {rule.words}" for rule in self._rules if not rule.left]
        return "\n".join(lines)


def rendered(request: ModelRequest) -> str:
    """Return a request as a person reads it; `containing` looks in this text."""
    lines = [f"[{message.role}] {message.content}" for message in request.messages]
    lines += [f"[asks] {call.name}({call.arguments})" for message in request.messages for call in message.tool_calls]
    lines += [f"[tool] {tool.name}: {tool.description}" for tool in request.tools]
    lines += [f"[output] {request.output.name}"] if request.output else []
    return "\n".join(lines)


def _by_key(key: str) -> Callable[[ModelRequest], bool]:
    return lambda request: key in request.labels.values() or key in rendered(request)


def _is_list(script: Any) -> bool:
    return isinstance(script, Sequence) and not isinstance(script, str)


def _reply(answer: Any, delay: float) -> Reply:
    match answer:
        case Reply():
            return replace(answer, delay=answer.delay or delay)
        case ModelError():
            return Reply(error=answer, delay=delay)
        case ToolCall():
            return Reply(tool_calls=(answer,), delay=delay)
        case BaseModel():
            return Reply(answer.model_dump_json(), delay=delay)
        case str():
            return Reply(answer, delay=delay)
        case _:
            return Reply(json.dumps(answer), delay=delay)


async def _speak(reply: Reply, on_delta: OnDelta | None) -> None:
    pieces = reply.pieces or ([reply.text] if reply.text else [])
    if not pieces:
        await anyio.sleep(reply.delay)
    for piece in pieces:
        await anyio.sleep(reply.delay)
        if on_delta is not None:
            on_delta(piece)
    if reply.error is not None:
        raise reply.error


def _response(reply: Reply, request: ModelRequest, name: str) -> ModelResponse:
    text = reply.text or "".join(reply.pieces)
    reason: FinishReason = "refusal" if reply.refusal is not None else "tool_calls" if reply.tool_calls else "stop"
    return ModelResponse(
        text=text,
        finish_reason=reply.finish_reason or reason,
        tool_calls=tuple(reply.tool_calls),
        refusal=reply.refusal,
        usage=reply.usage or Usage(estimate(rendered(request)), estimate(text), calls=1),
        model=name,
    )
