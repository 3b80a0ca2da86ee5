"""How models spell the ids of tasks, and which task they mean: `<node-1>`, `#E1`, `step 1`, `1`, `Find Facts`.

A spelling is resolved only when exactly one task can be meant. Numbers may count from 0 or from 1; which of the two is
decided by all numbers of the plan together, never by one.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Final

from agentorch.core.references import PROVIDED

_NUMBERED: Final = re.compile(
    r"[<#$@{(\[]*\s*+(?:node|step|task|subtask|sub_task|e|t|id)?[-_ #.:]*(\d+)\s*[>})\].]*", re.IGNORECASE
)
_CLOSE: Final = 0.8
"""How like a known id a spelling must be, to be taken for it."""
_MOST: Final = 400
"""Ids beyond which near ones are not looked for."""


def slug(text: str) -> str:
    """Return `text` as an id: lower case, `_` for what may not stand in one, a letter first."""
    name = re.sub(r"[^a-z0-9_-]+", "_", text.strip().lower()).strip("_-")
    if not name:
        return "task"
    if not name[0].isalpha():
        name = f"t{name}"
    return f"{name}_task" if name in PROVIDED else name


def number_in(spelling: Any) -> int | None:
    """Return the number of a spelling that is a number in some dress, else None."""
    if isinstance(spelling, bool):
        return None
    if isinstance(spelling, int):
        return spelling
    if isinstance(spelling, float) and spelling.is_integer():
        return int(spelling)
    match = _NUMBERED.fullmatch(spelling.strip()) if isinstance(spelling, str) else None
    return int(match.group(1)) if match and len(match.group(1)) < 7 else None  # noqa: PLR2004  (no id is that long)


def id_for(spelling: Any) -> str:
    """Return the id that a task gets for what was written as its id."""
    number = number_in(spelling)
    if number is not None and not (isinstance(spelling, str) and spelling[:1].isalpha()):
        return f"t{number}"
    return slug(str(spelling))


class Spellings:
    """The ids of a plan in order, and the spellings that mean them."""

    def __init__(self, ids: Iterable[str] = (), *, exact: bool = False) -> None:
        """`exact` knows ids only: for a plan that is still being written, where a near or counted id may yet come."""
        self._exact = exact
        self._order: dict[str, int] = {}
        self._texts: dict[str, str | None] = {}
        self._numbers: dict[int, str | None] = {}
        self._shift = 0
        for id in ids:
            self.add(id, id)

    def add(self, spelling: Any, id: str, *, number: int | None = None) -> None:
        """Let `spelling`, and the number in it or the one given, mean `id`; what means two ids means none."""
        self._order.setdefault(id, len(self._order))
        texts = (spelling.strip(), id_for(spelling), id) if isinstance(spelling, str) else (id,)
        for text in dict.fromkeys(texts):
            self._texts[text] = id if self._texts.get(text, id) == id else None
        if (count := number_in(spelling) if number is None else number) is not None:
            self._numbers[count] = id if self._numbers.get(count, id) == id else None

    def counts(self, spelling: Any) -> int | None:
        """Return the number in `spelling` when it can only be understood by counting."""
        exact = self._exact or (isinstance(spelling, str) and spelling.strip() in self._texts)
        return None if exact else number_in(spelling)

    def shift_for(self, uses: Sequence[tuple[str, int]]) -> int:
        """Decide by how much the numbers in `uses` (the user's id, the number) are off; return it."""
        self._shift = next((shift for shift in (0, 1, -1) if self._fits(uses, shift)), 0)
        return self._shift

    def meaning(self, spelling: Any) -> str | None:
        """Return the id that `spelling` means, or None when that is not certain."""
        if (number := self.counts(spelling)) is not None:
            return self._numbers.get(number + self._shift)
        text = str(spelling).strip()
        if text in self._texts:
            return self._texts[text]
        name = id_for(text)
        if name in self._texts:
            return self._texts[name]
        if self._exact or len(self._texts) > _MOST:
            return None
        close = get_close_matches(name, self._texts, n=2, cutoff=_CLOSE)
        meant = {self._texts[near] for near in close}
        return meant.pop() if len(meant) == 1 else None

    def _fits(self, uses: Sequence[tuple[str, int]], shift: int) -> bool:
        """Whether every number, shifted, means a task above the one that uses it."""
        for user, number in uses:
            meant = self._numbers.get(number + shift)
            if meant is None or self._order[meant] >= self._order[user]:
                return False
        return True
