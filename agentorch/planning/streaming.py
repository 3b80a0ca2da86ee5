"""Tasks out of a plan that is still being written: each object of the task list, as soon as it closes.

1. Every character is looked at once, whatever the pieces are.
2. Prose and fences before the JSON are passed over. What cannot be followed yields nothing: the whole text is read
   again at its end, by `extraction`.
"""

import re
from typing import Any, Final, cast

from pydantic_core import from_json

from agentorch.core.values import whole_characters

TASK_LISTS: Final = frozenset(
    {"tasks", "nodes", "steps", "plan", "put", "subtasks", "sub_tasks", "task_nodes", "task_list"}
)
"""Keys under which models write the list of tasks."""

_OUTSIDE: Final = re.compile(r"[{\[]")
_INSIDE: Final = re.compile(r'[{}\[\]"]')
_IN_STRING: Final = re.compile(r'["\\]')
_PAIRS: Final = {"}": "{", "]": "["}


class TaskStream:
    """Takes the pieces of a model's answer; gives the task objects that each piece closed."""

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []
        """The open brackets outside of tasks, each with the key that it stands under."""
        self._depth = 0
        """Brackets open within the open task."""
        self._task: list[str] | None = None
        """The earlier pieces of the open task."""
        self._text: list[str] | None = None
        """The earlier pieces of the open string."""
        self._escaped = False
        self._key = ""
        """The last string that closed: before a bracket within an object, its key."""

    def feed(self, piece: str) -> list[dict[str, Any]]:
        """Return the task objects that `piece` completed, in order; what is no JSON is dropped."""
        closed: list[dict[str, Any]] = []
        place = since = 0  # `since`: where the open task or string begins in this piece
        while (match := self._next(piece, place)) is not None:
            mark, place = match.group(), match.end()
            if self._text is not None:
                since = self._string_goes_on(piece, mark, match.start(), since)
            elif mark == '"':
                self._text, since = [], since if self._task is not None else place
            elif self._task is not None:
                self._depth += 1 if mark in "{[" else -1
                if not self._depth:
                    closed.extend(_object("".join((*self._task, piece[since:place]))))
                    self._task = None
            elif mark in "{[":
                since = self._opened(mark, match.start())
            else:
                self._closed(mark)
        self._keep(piece[since:])
        return closed

    def _next(self, piece: str, place: int) -> re.Match[str] | None:
        if self._text is None:
            return (_INSIDE if self._open else _OUTSIDE).search(piece, place)
        if self._escaped and place < len(piece):
            self._escaped = False
            place += 1
        return _IN_STRING.search(piece, place)

    def _string_goes_on(self, piece: str, mark: str, at: int, since: int) -> int:
        if mark == "\\":
            self._escaped = True
        elif self._text is not None:
            if self._task is None:
                self._key = "".join((*self._text, piece[since:at]))
            self._text = None
        return since

    def _opened(self, mark: str, at: int) -> int:
        parent, key = self._open[-1] if self._open else ("", "")
        if mark == "{" and parent == "[" and (key in TASK_LISTS or len(self._open) == 1):
            self._task, self._depth = [], 1
        else:
            self._open.append((mark, self._key.lower() if parent == "{" else ""))
        return at

    def _closed(self, mark: str) -> None:
        if self._open[-1][0] == _PAIRS[mark]:
            self._open.pop()
        else:
            self._open.clear()

    def _keep(self, rest: str) -> None:
        if self._task is not None:
            self._task.append(rest)
        elif self._text is not None:
            self._text.append(rest)


def _object(text: str) -> list[dict[str, Any]]:
    try:
        value = from_json(whole_characters(text))
    except ValueError:
        return []
    return [cast("dict[str, Any]", value)] if isinstance(value, dict) else []
