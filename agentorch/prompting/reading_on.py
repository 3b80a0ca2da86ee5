"""`read_input`: the tool with which a model reads on in a value that it was shown only in part."""

import re
from collections.abc import Container
from typing import Any, Final

from agentorch.ports.model import ToolSpec
from agentorch.prompting.trimming import Count, cut

NAME: Final = "read_input"
_AROUND: Final = 240
"""Characters that are shown on each side of a place that was found."""
_FOUND: Final = 8
"""Places that one search shows."""


class ReadingOn:
    """The values that were shown in part, whole, by name."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._texts: dict[str, str] = {}
        self.most_tokens = 2_000
        """What one answer may hold."""

    def __bool__(self) -> bool:
        return bool(self._texts)

    def add(self, name: str, text: str) -> str:
        """Make a value readable; return the name by which it is read, a new one when another value has it."""
        if self._texts.get(name, text) != text:
            name = f"{name}_{len(self._texts) + 1}"
        self._texts[name] = text
        return name

    def keep(self, names: Container[str]) -> None:
        """Forget the values that are shown whole after all."""
        self._texts = {name: text for name, text in self._texts.items() if name in names}

    @property
    def spec(self) -> ToolSpec:
        """The tool as a model sees it."""
        return ToolSpec(NAME, "Reads on in a value that is shown only in part, or finds a text in it.", self._schema())

    def read(self, name: str, *, offset: int = 0, limit: int | None = None, search: str | None = None) -> str:
        """Return a part of a value, or the places where a text stands in it, with their offsets."""
        text = self._texts.get(name)
        if text is None:
            return f"error: no value {name!r} is shown in part; they are {', '.join(sorted(self._texts))}"
        if search:
            return self._search(name, text, search)
        start = max(0, min(offset, len(text)))
        end = len(text) if limit is None or limit <= 0 else start + limit
        part = cut(text[start:end], self.most_tokens, self._count)
        stop = start + len(part)
        rest = f"read on with offset={stop}" if stop < len(text) else "this is the end"
        return f"{name}, characters {start} to {stop} of {len(text)} ({rest}):\n{part}"

    def invoke(self, arguments: dict[str, Any]) -> str:
        """Answer a call; wrong arguments are answered in words."""
        name, offset, limit = arguments.get("name"), arguments.get("offset") or 0, arguments.get("limit")
        search = arguments.get("search")
        if not isinstance(name, str):
            return f"error: 'name' is missing; the values are {', '.join(sorted(self._texts))}"
        if not isinstance(offset, int) or not (limit is None or isinstance(limit, int)):
            return "error: 'offset' and 'limit' are whole numbers"
        return self.read(name, offset=offset, limit=limit, search=None if search is None else str(search))

    def _search(self, name: str, text: str, wanted: str) -> str:
        places = [match.start() for match in re.finditer(re.escape(wanted), text, re.IGNORECASE)]
        if not places:
            return f"{name}: {wanted!r} does not stand in its {len(text)} characters; try another word"
        lines = [f"{name}: {wanted!r} stands in {len(places)} places"]
        shown_to = -1
        for place in places[:_FOUND]:
            if place < shown_to:
                continue
            start, shown_to = max(0, place - _AROUND), min(len(text), place + len(wanted) + _AROUND)
            lines.append(f"[offset {start}] {text[start:shown_to]}")
        return cut("\n".join(lines), self.most_tokens, self._count)

    def _schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "name": {"type": "string", "enum": sorted(self._texts), "description": "Which value."},
                "offset": {"type": "integer", "description": "The first character to read, from 0."},
                "limit": {"type": "integer", "description": "How many characters to read."},
                "search": {"type": "string", "description": "Find this text instead of reading."},
            },
            "required": ["name"],
            "additionalProperties": False,
        }
