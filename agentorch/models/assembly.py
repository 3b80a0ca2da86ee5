"""Putting a streamed answer together.

1. Tool calls come in pieces, told apart by their index. Servers that leave it out, or give each call the same one, tell
   them apart by id: a call begins with its name.
2. Usage may come with the last piece, after it, or never.
3. A stream has ended well only when a finish reason came.
4. What a server sends is held to its form (TypeError if not) and to a size (AnswerTooLong): some never end.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentorch.core.values import whole_characters
from agentorch.ports.model import MOST_CALLS, FinishReason, ToolCall

LONGEST: Final = 16_000_000
"""Characters that an answer may have."""
_PIECE: Final = 16
"""Characters that a piece counts for at least: an empty one takes time and room too."""

_REASONS: Final[dict[str, FinishReason]] = {
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
_BROKEN: Final = frozenset({"error", "insufficient_system_resource", "abort"})


class AnswerTooLong(Exception):
    """An answer that has more than anybody can use; the message says of what."""


@dataclass(slots=True)
class _Call:
    index: int
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])


class Assembly:
    """An answer that is still coming."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[_Call] = []
        self._reason: str | None = None
        self.begun = False
        """Whether the server has taken the request on."""
        self.usage: Any = None
        """The provider's own count, if it sent one."""
        self.model = ""
        self._size = 0

    def feed(self, chunk: Mapping[str, Any]) -> str:
        """Take one piece, as the server's JSON has it; return the text in it."""
        self.model = _string(chunk.get("model")) or self.model
        self.usage = chunk.get("usage") or self.usage
        text = ""
        for choice in chunk.get("choices") or ():
            self._reason = _string(choice.get("finish_reason")) or self._reason
            delta = choice.get("delta")
            if delta is None:
                continue
            text += _string(delta.get("content"))
            if delta.get("refusal") is not None:
                self._refuse(_string(delta["refusal"]))
            for piece in delta.get("tool_calls") or ():
                self._add(piece)
        self._text.append(text)
        self._weigh(text)
        return text

    @property
    def finished(self) -> bool:
        """Whether the provider said that this is all."""
        return self._reason is not None and self._reason not in _BROKEN

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    @property
    def refusal(self) -> str | None:
        """The model's words when it declines."""
        return "".join(self._refusal) or None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that it asks for, in the order of their indices."""
        return tuple(
            # Some servers give no ids: the answers need one to name.
            ToolCall(call.id or f"call_{place}", call.name, "".join(call.arguments) or "{}")
            for place, call in enumerate(sorted(self._calls, key=lambda call: call.index))
        )

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended, in our words."""
        if self.refusal is not None:
            return "refusal"
        reason = _REASONS.get(self._reason or "", "stop")
        # Some servers say "stop" after tool calls.
        return "tool_calls" if reason == "stop" and self._calls else reason

    def _refuse(self, words: str) -> None:
        self._refusal.append(words)
        self._weigh(words)

    def _add(self, piece: Mapping[str, Any]) -> None:
        call = self._begun(piece)
        if call is None:
            if len(self._calls) == MOST_CALLS:
                raise AnswerTooLong(f"the answer asks for more than {MOST_CALLS} tool calls")
            index = piece.get("index")
            call = _Call(len(self._calls) if index is None else int(index))
            self._calls.append(call)
        call.id = call.id or _string(piece.get("id"))
        function = piece.get("function")
        if function is not None:
            call.name = call.name or _string(function.get("name"))
            arguments = function.get("arguments")
            # Some servers give the object itself, not its text.
            call.arguments.append(_string(arguments) if isinstance(arguments, str) else _text(arguments))
            self._weigh(call.arguments[-1])

    def _weigh(self, text: str) -> None:
        self._size += max(_PIECE, len(text))
        if self._size > LONGEST:
            raise AnswerTooLong(f"the answer is longer than {LONGEST:,} characters, or comes in as many pieces")

    def _begun(self, piece: Mapping[str, Any]) -> _Call | None:
        """Return the call that a piece goes on with: the newest of its index; None when it begins one."""
        index, id = piece.get("index"), piece.get("id")
        for call in reversed(self._calls):
            if index is None:
                if not id or call.id == id:
                    return call
            elif call.index == index:
                return None if _begins(piece) and call.id and call.id != id else call
        return None


def _begins(piece: Mapping[str, Any]) -> bool:
    # Some servers give each *piece* an id of its own: only a call's first one has a name.
    function: Any = piece.get("function")
    return bool(piece.get("id") and function is not None and function.get("name"))


def _string(value: Any) -> str:
    """Return a string of the server's, empty when there is none; TypeError for anything else."""
    if value is None or isinstance(value, str):
        return whole_characters(value or "")
    raise TypeError(f"text was expected, {type(value).__name__} came")


def _text(arguments: Any) -> str:
    return json.dumps(arguments) if arguments else ""
