"""How a state looks: the same colours and marks in every picture. No state is told by its colour alone."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of a box and of a bar, and a mark."""

    fill: str
    stroke: str
    mark: str
    dashed: bool = False


PLAIN: Final = Look("#f6f8fa", "#6e7781", "")
"""What has no state: a task of a plan that was not carried out."""
STATES: Final = {
    "succeeded": Look("#dafbe1", "#1a7f37", "✓"),
    "running": Look("#ddf4ff", "#0969da", "▸"),
    "waiting": Look("#fff8c5", "#9a6700", "◦"),
    "failed": Look("#ffebe9", "#cf222e", "✗"),
    "ready": Look("#ffffff", "#57606a", "·"),
    "pending": Look("#ffffff", "#8c959f", "·"),
    "skipped": Look("#f6f8fa", "#8c959f", "–", dashed=True),
    "cancelled": Look("#f6f8fa", "#57606a", "×", dashed=True),
}
"""By its word, in the order of a legend."""
RUNS: Final = {
    **dict.fromkeys(("planning", "running", "replanning", "answering"), STATES["running"]),
    **dict.fromkeys(("partial", "stopped"), STATES["waiting"]),
}
"""What the words for a whole run look like, where they are not those for a task."""
INK: Final = "#1f2328"
DIM: Final = "#57606a"
LINE: Final = "#8c959f"
FAINT: Final = "#d8dee4"
PAPER: Final = "#ffffff"


def look_of(state: str) -> Look:
    """Return how a state looks; an unknown one looks like none."""
    return STATES.get(state) or RUNS.get(state, PLAIN)


def in_order(states: set[str]) -> list[str]:
    """Return the known ones in the order of a legend."""
    return [state for state in STATES if state in states]
