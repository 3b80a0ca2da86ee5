"""What pictures are drawn of: plain data, with nothing of a run or a plan in it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A task in a graph."""

    id: str
    kind: str
    """Who does it; boxes of one kind may be folded into one."""
    state: str = ""
    """A word of `states.STATES`; empty where nothing has been carried out."""
    needs: Sequence[str] = ()
    """Ids of the boxes that an arrow comes from; those that are not there are left out."""
    corner: str = ""
    """A few letters at the right of its title, such as how long it took."""
    note: str = ""
    """A last line, such as what it cost."""
    tip: str = ""
    """What is said of it when the pointer rests on it."""
    title: str = ""
    """What it is called in the picture; by default its id."""
    marked: bool = False
    """Whether it is what all the others are for."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a row in a timeline, in seconds since the picture's beginning."""

    start: float
    end: float
    state: str
    """A word of `states.STATES`; "waiting" is drawn as a thin line."""


@dataclass(frozen=True, slots=True)
class Row:
    """A task in a timeline."""

    label: str
    kind: str
    state: str
    stretches: Sequence[Stretch] = ()
    words: str = ""
    """What stands behind it, such as its time and cost."""
    depth: int = 0
    """How far it is set in: what another task called stands below that."""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A finished piece of a picture, from 0,0 to the right and down."""

    width: float
    height: float
    body: str
    """SVG elements."""
