"""Repetition in a conversation: a model that makes the same calls again, and is told the same again, has stalled.

1. A turn says something new when one of its calls has an answer that this call has not had before: asking again and
   again what becomes of something is no stall while the answers change.
2. A call that changes the outside world is always new: the same answer may stand for another effect.
3. An answer that was dropped to save room is forgotten here too: the model may ask for it again.
"""

from collections.abc import Collection, Sequence

from agentorch.core.identity import digest
from agentorch.core.values import clipped
from agentorch.errors import MalformedOutput
from agentorch.ports.model import ToolCall

_SHOWN = 200
"""Characters of a call's arguments that are repeated in words."""


class Repeats:
    """What the calls of one conversation were told."""

    def __init__(self, limit: int | None, *, always_new: Collection[str] = ()) -> None:
        """Take how many turns in a row may bring nothing new, None for any, and the tools that change the world."""
        self._limit = limit
        self._always_new = always_new
        self._known: dict[str, str] = {}
        """Calls with their answers, by what was said, with the id of the last call that was told so."""
        self._turns = 0

    def heard(self, calls: Sequence[ToolCall], answers: Sequence[str]) -> None:
        """Take in a turn; MalformedOutput, in words, when it is one too many that brings nothing new."""
        if self._limit is None:
            return
        is_new = False
        for call, answer in zip(calls, answers, strict=True):
            said = digest([call.name, call.arguments, answer])
            is_new = is_new or said not in self._known or call.name in self._always_new
            self._known[said] = call.id
        self._turns = 0 if is_new else self._turns + 1
        if self._turns >= self._limit:
            call = calls[0]
            raise MalformedOutput(
                f"stalled: {self._turns} turns in a row the model only repeated calls that had been answered alike, "
                f"the last {call.name}({clipped(call.arguments, _SHOWN)})"
            )

    def forget(self, call_id: str | None) -> None:
        """Take an answer for unheard: the model does not see it any more."""
        self._known = {said: last for said, last in self._known.items() if last != call_id}
