"""References as models spell them, read as `$id.path`: `<node-1>`, `#E1`, `{{find.facts}}`, `$find.rows[0]`."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from agentorch.core.card import AgentCard
from agentorch.core.references import PROVIDED, Reference, parse
from agentorch.core.schema import at
from agentorch.planning.spelling import Spellings, id_for

_PATH: Final = r"((?:\.[\w-]+|\[\d+\])*)"
_WHOLE: Final = re.compile(
    rf"(?:(<\s*(?:node|step|task)[-_ ]?\d+\s*>)|#(E\d+)|\$(\d{{1,4}}|E\d+|[A-Za-z][\w-]*)){_PATH}"
    rf"|(?:\$\{{|\{{\{{)\s*\$?([A-Za-z][\w-]*|\d{{1,4}}){_PATH}\s*\}}{{1,2}}"
)
"""A string that is wholly a reference."""
_WITHIN: Final = re.compile(r"<\s*(?:node|step|task)[-_ ]?\d+\s*>|#E\d+|\{\{\s*[A-Za-z][\w-]*(?:\.[\w-]+)*\s*\}\}")
"""A reference within a text, in spellings that mean nothing else."""
_WHOLE_OUTPUT: Final = frozenset({"output", "outputs", "result", "answer", "value", "response", "content", "text"})
"""Parts that models name when they mean the whole output."""


class ReferenceReading:
    """Reads strings of one plan; `agents` says whose output an id stands for."""

    def __init__(
        self,
        spellings: Spellings,
        agents: Mapping[str, str],
        cards: Mapping[str, AgentCard],
        note: Callable[[str], None],
    ) -> None:
        self._spellings = spellings
        self._agents = agents
        self._cards = cards
        self._note = note

    def value(self, value: Any) -> Any:
        """Return a JSON value with the references in it in our spelling."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [self.value(item) for item in cast("list[Any]", value)]
        return value

    def text(self, text: str) -> str:
        """Return the reference that `text` wholly is, in our spelling; or `text` itself."""
        spelled = spelled_reference(text)
        if spelled is None:
            return text
        read = self._reference(*spelled)
        if read != text:
            self._note(f"read {text!r:.60} as {read!r}")
        return read

    def objective(self, text: str) -> str:
        """Return `text` with unmistakable references inside it written as `${id.path}`."""

        def read(match: re.Match[str]) -> str:
            spelled = spelled_reference(match.group())
            if spelled is None or (self._spellings.meaning(spelled[0]) is None and spelled[0] not in PROVIDED):
                return match.group()
            return "${" + self._reference(*spelled)[1:] + "}"

        return _WITHIN.sub(read, text)

    def _reference(self, name: str, path: str) -> str:
        id = name if name in PROVIDED else self._spellings.meaning(name) or id_for(name)
        steps = tuple(path.replace("[", ".").replace("]", "").split("."))[1:]
        card = self._cards.get(self._agents.get(id, ""))
        if card and len(steps) == 1 and steps[0] in _WHOLE_OUTPUT and at(card.output, steps) is None:
            steps = ()
        return str(Reference(id, steps))


def spelled_reference(text: str) -> tuple[str, str] | None:
    """Return the name and the path of a string that is wholly a reference in some spelling."""
    if not text or text[0] not in "<#${ " or len(text) > 200:  # noqa: PLR2004  (no reference is that long)
        return None
    if (plain := parse(text)) is not None:
        return plain.id, "".join(f".{step}" for step in plain.path)
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        return None
    angle, hash, dollar, path, brace, inner = match.groups()
    return next(name for name in (angle, hash, dollar, brace) if name), path or inner or ""
