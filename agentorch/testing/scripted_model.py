"""A model that says what a test wrote down, and shouts when it was asked something else.

    model = ScriptedModel({"writer": "An ode.", "list the facts": ["fact one", "fact two"]})
    model.on(Reply(tool_calls=[ToolCall("1", "search", "{}")]), agent="researcher")
    ...
    model.assert_all_used()

1. Rules are tried in the order in which they were given; the first that fits answers.
2. A list is used up from its start, each item once; anything else answers every time.
3. A key of a mapping is a task's id, an agent's name or a purpose if the request bears it as a label, else a part of
   the request's text. A key that is a label of the request is tried before all others.
4. A function of the script that fails (an `assert`, a mistake; not a `ModelError`) is a miss, and so is an answer that
   none can be made of: it fails the test, whatever the run makes of it.
"""

import inspect
import json
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import anyio
from pydantic import BaseModel

from agentorch.core.usage import Usage
from agentorch.errors import FailureKind, ModelError
from agentorch.ports.model import FinishReason, ModelRequest, ModelResponse, OnDelta, ToolCall, wasted
from agentorch.testing.script_rule import (
    Accepted,
    Condition,
    Contains,
    HasLabel,
    Named,
    Rule,
    difference,
    labelled,
    rendered,
)
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
    """By default estimated from the texts; where it is said, it is told with an error, or a cancel, too."""
    error: ModelError | None = None
    """Raised after the pieces."""


Scripted = Reply | ModelResponse | ModelError | str | BaseModel | Mapping[str, Any] | ToolCall
"""What may answer: text, a value (sent as JSON), a tool call, an error to raise, or any of it in detail."""
Script = Scripted | Sequence[Scripted] | Callable[[ModelRequest], Scripted]


class ScriptMiss(ModelError, AssertionError):
    """The model was asked something that the script has no answer for: the test or the program is wrong.

    Inside a run it is as a model that is not set up: nothing is tried again, nobody stands in, and the run stops with
    this as its problem.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=FailureKind.UNCONFIGURED)


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
        self._rules: list[Rule] = []
        if isinstance(script, Mapping):
            for key, answers in cast("Mapping[str, Script]", script).items():
                self._rules.append(Rule([Named(key)], answers))
        elif script != ():
            self._rules.append(Rule([], script))

    def on(
        self, script: Script, *, agent: str | None = None, task: str | None = None, purpose: str | None = None,
        containing: str | None = None, when: Callable[[ModelRequest], bool] | None = None,
    ) -> Self:  # fmt: skip
        """Answer requests that meet all the conditions given."""
        labels = {"agent": agent, "task": task, "purpose": purpose}
        conditions: list[Condition] = [HasLabel(name, value) for name, value in labels.items() if value is not None]
        conditions += [Contains(containing)] if containing else []
        conditions += [Accepted(when)] if when is not None else []
        self._rules.append(Rule(conditions, script))
        return self

    def unused(self) -> list[str]:
        """Return what was never asked for, in words."""
        return [f"{rule.words} ({_used(rule)})" for rule in self._rules if not rule.used_up]

    def assert_all_used(self) -> None:
        """Raise unless every answer was given, and nothing was asked in vain."""
        left = [f"never asked for: {words}" for words in self.unused()]
        if left or self.misses:
            raise AssertionError("\n".join([*left, *self.misses]))

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Return the answer of the first rule that fits; `ScriptMiss` when there is none."""
        self.requests.append(request)
        ordered = sorted(self._rules, key=lambda rule: not rule.is_named(request))
        rule = next((rule for rule in ordered if rule.left and rule.fits(request)), None)
        if rule is None:
            self.misses.append(self._miss(request))
            raise ScriptMiss(self.misses[-1])
        try:
            answer: Scripted = rule.next(request)
        except AssertionError as error:
            said = str(error) or "it gives no words"
            self.misses.append(f"the script of {rule.words} asserts what is not so: {said}")
            raise ScriptMiss(self.misses[-1]) from error
        except ModelError:
            raise
        except Exception as error:  # a mistake in the script is no failure of the model
            said = f"{type(error).__name__}: {error}".removesuffix(": ")
            remedy = "raise a ModelError for what the model shall fail with"
            self.misses.append(f"the script of {rule.words} has failed: {said}; {remedy}")
            raise ScriptMiss(self.misses[-1]) from error
        if isinstance(answer, ModelResponse):
            answer, given = Reply(answer.text, delay=self._delay), answer
        else:
            answer, given = self._made_of(answer, rule), None
        try:
            await _speak(answer, on_delta)
        except BaseException as error:
            if answer.usage is not None:  # what it says that it uses, it has used
                wasted(error, answer.usage)
            raise
        return given or _response(answer, request, self.name)

    def count(self, text: str) -> int:
        """Return a count from the length alone."""
        return estimate(text)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _made_of(self, answer: Any, rule: Rule) -> Reply:
        try:
            return _reply(answer, self._delay)
        except (TypeError, ValueError) as error:
            kind = type(answer).__name__
            if inspect.iscoroutine(answer):
                answer.close()  # or Python complains of it, somewhere else
            waits = "a script is a plain function, and Reply(..., delay=) is what waits"
            gives = "an answer is a text, a value that JSON has, a ToolCall, a ModelError or a Reply"
            remedy = waits if inspect.isawaitable(answer) else gives
            self.misses.append(f"the script of {rule.words} gives a {kind}, which is no answer; {remedy}")
            raise ScriptMiss(self.misses[-1]) from error

    def _miss(self, request: ModelRequest) -> str:
        asked = rendered(request)
        head = f"the script has no answer for request {len(self.requests)} ({labelled(request.labels)}):"
        lines = [head, textwrap.indent(asked, "    ")]
        if not self._rules:
            return "\n".join([*lines, "it has no rules; give it one: model.on('...', agent='...')"])
        nearest = max(self._rules, key=lambda rule: rule.nearness(request))
        lines += [f"the nearest rule is {nearest.words}, but:", *_indented(nearest.failure(request))]
        if nearest.answered is not None and (said := rendered(nearest.answered)) != asked:
            names = ("the request that it answered last", "this request")
            lines += ["it has answered a request like this one:", *_indented(difference(said, asked, names=names))]
        others = [f"{rule.words}{' (used up)' * (not rule.left)}" for rule in self._rules if rule is not nearest]
        return "\n".join([*lines, *([f"the other rules are: {'; '.join(others)}"] if others else [])])


def _used(rule: Rule) -> str:
    return f"used {rule.uses} times"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


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
