"""The conversation of one dispatch: requests to the model, tool calls between them, one answer at the end.

1. Every request is within the token budget: a tool's answer is cut to its share and can be read on; the oldest
   answers are dropped first.
2. Tools are used in a bounded number of turns; then the model is asked once more, and may call none.
3. A model that only repeats itself has stalled: MalformedOutput, before the turns are used up.
4. A refusal or a content filter is ModelRefusal; an answer cut off at its length is MalformedOutput.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from agentorch.core.values import in_line
from agentorch.errors import MalformedOutput, ModelRefusal
from agentorch.ports.model import MOST_CALLS, Message, ModelRequest, ModelResponse, OutputSchema
from agentorch.ports.services import Services
from agentorch.prompting.reading_on import ReadingOn
from agentorch.prompting.repeats import Repeats
from agentorch.prompting.toolbox import Toolbox
from agentorch.prompting.trimming import at_most_tokens, count_long, cut
from agentorch.prompts import Prompts, escaped, fenced

TURNS: Final = 16
"""How often a model may call tools in one dispatch."""
READING_SHARE: Final = 4
"""One part in so many of the budget is what the tools of one turn may answer together."""
SMALLEST_SHARE: Final = 120
"""Tokens that one answer of a tool may take at least."""
MESSAGE_TOKENS: Final = 4
"""What a message costs beside its text."""
NAME_LENGTH: Final = 120
"""Characters of a value's name that stand in a note."""
DROPPED: Final = "[dropped to save room; call the tool again if it is needed]"


@dataclass(slots=True)
class Conversation:
    """What a conversation needs."""

    services: Services
    prompts: Prompts
    toolbox: Toolbox
    reading: ReadingOn
    labels: dict[str, str]
    output: OutputSchema | None
    token_budget: int | None
    repeats: Repeats

    async def hold(self, messages: list[Message]) -> str:
        """Return the text of the answer to these messages."""
        for _ in range(TURNS):
            response = await self._ask(messages)
            if not response.tool_calls:
                return _text(response)
            if len(response.tool_calls) > MOST_CALLS:
                raise MalformedOutput(f"the answer asks for more than {MOST_CALLS} tool calls", text=response.text)
            share = self._share(len(response.tool_calls))
            answers = await self.toolbox.answer(response.tool_calls)
            self.repeats.heard(response.tool_calls, answers)
            kept = tuple(replace(call, name=in_line(call.name, NAME_LENGTH)) for call in response.tool_calls)
            messages.append(Message("assistant", response.text, kept))
            for call, answer in zip(response.tool_calls, answers, strict=True):
                text = await self._within(share, answer, call.name)
                messages.append(Message("tool", text, tool_call_id=call.id))
        messages.append(Message("user", self.prompts.render("no_more_tools")))
        response = await self._ask(messages, may_call=False)
        if response.tool_calls:
            raise MalformedOutput(f"the model still called tools after {TURNS} turns", text=response.text)
        return _text(response)

    async def _ask(self, messages: list[Message], *, may_call: bool = True) -> ModelResponse:
        if self.token_budget is not None and self._may_be_over(messages, self.token_budget):
            await self.services.counting()  # what is dropped must be the same when the attempt is continued
            self._drop_oldest(messages, self.token_budget)
        request = ModelRequest(
            tuple(messages), self.toolbox.specs, may_call=may_call, output=self.output, labels=dict(self.labels)
        )
        response = await self.services.complete(request)
        if response.finish_reason == "refusal" or response.refusal:
            raise ModelRefusal(f"the model declined: {response.refusal or response.text or 'without a reason'}")
        if response.finish_reason == "content_filter":
            raise ModelRefusal("a content filter cut the answer")
        return response

    def _share(self, calls: int) -> int | None:
        """Return the tokens that each answer of a turn may take; None is no limit."""
        if self.token_budget is None:
            return None
        share = max(SMALLEST_SHARE, self.token_budget // READING_SHARE // calls)
        self.reading.most_tokens = share // 2
        return share

    async def _within(self, share: int | None, answer: str, tool: str) -> str:
        """Return a tool's answer, fenced; beyond its share it is cut, and can be read on."""
        if share is not None and at_most_tokens(answer) > share:
            await self.services.counting()
        tokens = 0 if share is None else count_long(answer, self.services.count, enough=share)
        if share is None or tokens <= share:
            return fenced(answer, tool)
        preview = cut(answer, share // 2, self.services.count)
        name = self.reading.add(f"{tool}_answer", answer)
        blob = await self.services.put_blob(answer.encode("utf-8", "replace"))
        self.services.trimmed(name, tokens=tokens, kept=self.services.count(preview), blob=blob)
        return f"{fenced(preview, tool)}\n{reading_note(name, len(preview), len(answer), blob)}"

    def _may_be_over(self, messages: list[Message], budget: int) -> bool:
        """Whether it takes a count to say that a request is within the budget."""
        needed = sum(MESSAGE_TOKENS + at_most_tokens(_said(message)) for message in messages)
        return needed + self.fixed_tokens() > budget

    def _drop_oldest(self, messages: list[Message], budget: int) -> None:
        sizes = [self._tokens(message, enough=budget) for message in messages]
        total = self.fixed_tokens() + sum(sizes)
        for index, message in enumerate(messages):
            if total <= budget:
                return
            if message.role == "tool" and message.content != DROPPED:
                messages[index] = replace(message, content=DROPPED)
                self.repeats.forget(message.tool_call_id)
                total += self._tokens(messages[index], enough=budget) - sizes[index]

    def fixed_tokens(self) -> int:
        """Return what the tools and the schema of a request cost."""
        return request_tokens(self.services, self.toolbox, self.output)

    def _tokens(self, message: Message, *, enough: int) -> int:
        return MESSAGE_TOKENS + count_long(_said(message), self.services.count, enough=enough)


def request_tokens(services: Services, toolbox: Toolbox, output: OutputSchema | None) -> int:
    """Return what tools and a schema cost in each request."""
    parts: list[Any] = [[spec.name, spec.description, spec.parameters] for spec in toolbox.specs]
    if output is not None:
        parts.append(output.schema)
    return services.count(json.dumps(parts)) if parts else 0


def reading_note(name: str, shown: int, length: int, blob: str) -> str:
    """Return the line that stands below a preview."""
    name = escaped(in_line(name, NAME_LENGTH))
    return (
        f"[{name}: the first {shown} of {length} characters; all of it is blob {blob[:12]}; "
        f'read on with read_input(name="{name}", offset={shown}) or search in it]'
    )


def _said(message: Message) -> str:
    return message.content + "".join(call.name + call.arguments for call in message.tool_calls)


def _text(response: ModelResponse) -> str:
    if response.finish_reason == "length":
        raise MalformedOutput("the answer was cut off at the length limit; answer shorter", text=response.text)
    return response.text
