"""A DAG as text, a row for each task: what a task gives goes down a rail, and those that need it take it from there.

1. A task is a bead: `○` needs nothing, `●` needs others. What meets its row from the left and from the right is what it
   needs; below it goes what it gives. Nothing comes in from above: beads below each other do not need each other.
2. Tasks that give to the same ones stand on one rail: sixty that all give to one are a rail, not sixty. Tasks that need
   nothing would look like a chain there; where they are few, each has a rail of its own.
3. `├ ┼ ┤` take from a rail and let it go on; `╰ ┴ ╯` take from it and end it. `│` within a line is a crossing: nothing
   is taken there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

WIDEST: Final = 40
"""Rails beside each other beyond which nobody follows them."""
APART: Final = 6
"""Tasks without needs beyond which they share rails."""
_TAKES: Final = {(False, True): "├", (True, False): "┤", (True, True): "┼"}
_ENDS: Final = {(False, True): "╰", (True, False): "╯", (True, True): "┴"}
_ASCII: Final = str.maketrans("○●│─├┤┼╰╯┴", "o*|-+++'''")


class _Rail(NamedTuple):
    takers: frozenset[str]
    """The tasks that take from it; one that nobody takes from is not drawn."""
    of: str = ""
    """The task that has it for itself."""


@dataclass(slots=True)
class _Drawing:
    """The rails that are open below the last row, by their columns."""

    columns: dict[_Rail, int]
    last: Mapping[_Rail, str]
    """The task that ends each rail."""
    bare: int = -1
    """The column of a bead in the last row that gives nothing: a rail that began right below it would seem its own."""

    def row(self, name: str, needs: Sequence[_Rail], gives: _Rail) -> str:
        """Draw a task, and open and end rails."""
        bead = "●" if needs else "○"
        taken = {self.columns[rail]: self.last[rail] == name for rail in needs}
        place = self.columns[gives] if gives in self.columns else self._free(gives)
        low, high = min((place, *taken)), max((place, *taken))
        open_ = set(self.columns.values())
        cells: list[str] = []
        for column in range(max((place, *open_)) + 1):
            arms = (column > low, column < high)
            within = low <= column <= high
            if column == place:
                cell = bead
            elif column in taken:
                cell = (_ENDS if taken[column] else _TAKES)[arms]
            else:
                cell = "│" if column in open_ else "─" if within else " "
            cells.append(cell + ("─" if within and column < high else " "))
        for rail in needs:
            if self.last[rail] == name:
                self.columns.pop(rail, None)
        if gives.takers:
            self.columns[gives] = place
        self.bare = -1 if gives.takers else place
        return "".join(cells).rstrip()

    def _free(self, gives: _Rail) -> int:
        used = {*self.columns.values(), *([self.bare] if gives.takers else ())}
        return next(column for column in range(len(used) + 1) if column not in used)


def rails(
    needs: Mapping[str, Sequence[str]], *, plain: bool = False, most: int = WIDEST, apart: int = APART
) -> list[str] | None:
    """Return a row for each task, in the order of `needs`; in ASCII when `plain`.

    Needs that are not there are left out. None when a task stands above what it needs, as in a circle, or when more
    than `most` rails would stand beside each other. Up to `apart` tasks without needs have rails of their own.
    """
    places = {name: index for index, name in enumerate(needs)}
    takers: dict[str, list[str]] = {name: [] for name in needs}
    for index, (name, sources) in enumerate(needs.items()):
        for source in dict.fromkeys(sources):
            if places.get(source, -1) >= index:
                return None
            if source in takers:
                takers[source].append(name)
    first = {name for name, those in takers.items() if those and not any(need in places for need in needs[name])}
    own = first if len(first) <= apart else set[str]()
    known: dict[_Rail, _Rail] = {}  # equal ones are one object: to compare long ones again and again takes long
    gives = {
        name: known.setdefault(rail, rail)
        for name, those in takers.items()
        for rail in (_Rail(frozenset(those), name if name in own else ""),)
    }
    last = {rail: max(rail.takers, key=places.__getitem__) for rail in set(gives.values()) if rail.takers}
    drawing = _Drawing({}, last)
    rows: list[str] = []
    for name, sources in needs.items():
        given = list(dict.fromkeys(gives[source] for source in sources if source in gives))
        rows.append(drawing.row(name, given, gives[name]))
        if len(rows[-1]) > 2 * most - 1:
            return None
    return [row.translate(_ASCII) for row in rows] if plain else rows
