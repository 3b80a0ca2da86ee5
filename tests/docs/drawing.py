"""The pictures and tables of docs/states.md, drawn from the tables in the code.

    python -m tests.docs.drawing

writes them anew, after a change of `agentorch/core/transitions.py` or of the ladder. Only where a state stands on the
paper is said here; which states and arrows there are is said by the tables.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final, get_args

from agentorch.core.events import Rung
from agentorch.core.ladder import RUNGS
from agentorch.core.transitions import ENDED, ENDS, RUN_MOVES, TASK_MOVES

ROOT: Final = Path(__file__).parent.parent.parent
PAGE: Final = ROOT / "docs" / "states.md"
FOLDER: Final = ROOT / "docs" / "states"

Moves = Mapping[str, Mapping[str, str]]
Point = tuple[float, float]
TASKS: Final[Moves] = {str(old): {str(new): words for new, words in after.items()} for old, after in TASK_MOVES.items()}

WIDTH, HEIGHT = 116, 40
"""Of the box of a state."""
GAP: Final = 5
"""Between an arrow and its box, and between two arrows in opposite directions."""
FONT: Final = 'font-family="system-ui, sans-serif" font-size="15"'
STYLE: Final = (
    "path.other, path.usual { fill: none } "
    "path.other { stroke: #808894; stroke-width: 1.5; marker-end: url(#end) } "
    "path.usual { stroke: #3b6fd4; stroke-width: 3; marker-end: url(#usual-end) } "
    "rect { stroke: #5a6270; stroke-width: 1.2 } rect.final { stroke-width: 3 } "
    "text { text-anchor: middle; fill: #1c2230 }"
)
LIVE, GOOD, BAD, WAITS = "#d6e4ff", "#cdebd3", "#f6d3d3", "#fbe8c0"


@dataclass(frozen=True)
class Drawing:
    """One picture: what it shows, where it stands, and which arrows bend."""

    name: str
    title: str
    moves: Moves
    start: str
    size: tuple[int, int]
    places: Mapping[str, Point]
    """The middle of each state's box."""
    colours: Mapping[str, str]
    bends: Mapping[tuple[str, str], Point]
    """Where the arrow of a move is pulled to; the others are straight."""
    path: Sequence[str]
    """The usual way, drawn thicker."""
    words: Mapping[str, str]
    """What a box says when it is not the name of its state."""


TASK: Final = Drawing(
    "task",
    "The states of a task",
    TASKS,
    "pending",
    (780, 430),
    {
        "pending": (90, 190),
        "ready": (270, 190),
        "running": (470, 90),
        "waiting": (470, 290),
        "succeeded": (700, 50),
        "failed": (700, 150),
        "cancelled": (700, 270),
        "skipped": (700, 390),
    },
    {"waiting": WAITS, "succeeded": GOOD, "failed": BAD, "cancelled": BAD, "skipped": BAD},
    {
        ("pending", "skipped"): (150, 390),
        ("pending", "cancelled"): (270, 405),
        ("ready", "succeeded"): (330, -10),
    },
    ("pending", "ready", "running", "succeeded"),
    {},
)
RUN: Final = Drawing(
    "run",
    "The states of a run",
    RUN_MOVES,
    "planning",
    (780, 380),
    {
        "planning": (110, 70),
        "running": (340, 70),
        "replanning": (560, 70),
        "answering": (340, 190),
        "stopped": (110, 330),
        ENDED: (600, 330),
    },
    {"stopped": WAITS, ENDED: GOOD},
    {
        ("planning", "replanning"): (335, -25),
        ("planning", ENDED): (195, 300),
        ("replanning", "stopped"): (420, 240),
        ("stopped", "replanning"): (440, 275),
    },
    ("planning", "running", ENDED),
    {ENDED: " | ".join(ENDS)},
)
DRAWINGS: Final = (TASK, RUN)


def box(drawing: Drawing, state: str) -> tuple[float, float]:
    """Return half of the width and of the height of a state's box."""
    return max(WIDTH, 7.4 * len(drawing.words.get(state, state)) + 16) / 2, HEIGHT / 2


def border(drawing: Drawing, state: str, towards: Point) -> Point:
    """Return where a line from the middle of a box to a point leaves it, and a little further."""
    x, y = drawing.places[state]
    dx, dy = towards[0] - x, towards[1] - y
    half, tall = box(drawing, state)
    part = min((half + GAP) / abs(dx) if dx else 9e9, (tall + GAP) / abs(dy) if dy else 9e9)
    return x + dx * part, y + dy * part


def arrow(drawing: Drawing, old: str, new: str) -> str:
    """Draw one move."""
    begin, end = drawing.places[old], drawing.places[new]
    bend = drawing.bends.get((old, new))
    if bend is None:
        first, last = border(drawing, old, end), border(drawing, new, begin)
        if old in drawing.moves[new]:  # there is one back: they stand side by side
            away = ((end[0] - begin[0]) ** 2 + (end[1] - begin[1]) ** 2) ** 0.5
            aside = (GAP * (begin[1] - end[1]) / away, GAP * (end[0] - begin[0]) / away)
            first, last = (first[0] + aside[0], first[1] + aside[1]), (last[0] + aside[0], last[1] + aside[1])
        line = f"M {first[0]:.0f} {first[1]:.0f} L {last[0]:.0f} {last[1]:.0f}"
    else:
        first, last = border(drawing, old, bend), border(drawing, new, bend)
        line = f"M {first[0]:.0f} {first[1]:.0f} Q {bend[0]:.0f} {bend[1]:.0f} {last[0]:.0f} {last[1]:.0f}"
    usual = (old, new) in zip(drawing.path, drawing.path[1:], strict=False)
    words = f"{old} to {new}: {drawing.moves[old][new]}"
    return f'<path d="{line}" class="{"usual" if usual else "other"}"><title>{escape(words)}</title></path>'


def state_box(drawing: Drawing, state: str) -> str:
    """Draw one state."""
    (x, y), (half, tall) = drawing.places[state], box(drawing, state)
    final = "" if drawing.moves[state] else ' class="final"'
    colour = drawing.colours.get(state, LIVE)
    return (
        f'<rect x="{x - half:.0f}" y="{y - tall:.0f}" width="{2 * half:.0f}" height="{2 * tall:.0f}" rx="8" '
        f'fill="{colour}"{final}/><text x="{x:.0f}" y="{y + 5:.0f}">{escape(drawing.words.get(state, state))}</text>'
    )


def svg(drawing: Drawing) -> str:
    """Draw a table as a picture that needs nothing else: no font, no script, no style of the page around it."""
    width, height = drawing.size
    x, y = drawing.places[drawing.start]
    edge = x - box(drawing, drawing.start)[0]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" {FONT}>',
        f"<title>{escape(drawing.title)}</title>",
        "<defs>",
        *(
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="{size}" markerHeight="{size}" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path d="M 0 0 L 8 4 L 0 8 z" fill="{colour}"/></marker>'
            for name, size, colour in (("end", 10, "#808894"), ("usual-end", 13, "#3b6fd4"))
        ),
        f"<style>{STYLE}</style>",
        "</defs>",
        f'<circle cx="{edge - 22:.0f}" cy="{y:.0f}" r="6" fill="#808894"/>',
        f'<path d="M {edge - 16:.0f} {y:.0f} L {edge - 2:.0f} {y:.0f}" class="other"/>',
        *(arrow(drawing, old, new) for old, after in drawing.moves.items() for new in after),
        *(state_box(drawing, state) for state in drawing.moves),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def moves_table(moves: Moves) -> Iterator[str]:
    """Write a table of moves as Markdown."""
    yield from ("| from | to | when |", "|---|---|---|")
    for old, after in moves.items():
        for number, (new, words) in enumerate(after.items()):
            yield f"| {old if not number else ''} | {new} | {words} |"


def rungs_table() -> Iterator[str]:
    """Write which rungs each kind of failure may take, in their order, as Markdown."""
    rungs = [rung for rung in get_args(Rung) if any(rung in taken for taken in RUNGS.values())]
    yield "| kind of failure | " + " | ".join(rungs) + " |"
    yield "|---" * (len(rungs) + 1) + "|"
    for kind, taken in RUNGS.items():
        yield (
            f"| `{kind}` | " + " | ".join(str(taken.index(rung) + 1) if rung in taken else "" for rung in rungs) + " |"
        )


def sections() -> dict[str, str]:
    """Return what stands between the marks of the page, by their names."""
    return {
        "task": "\n".join(moves_table(TASKS)),
        "run": "\n".join(moves_table(RUN_MOVES)),
        "rungs": "\n".join(rungs_table()),
    }


def page(text: str) -> str:
    """Return a page with its marked sections as the code has them now."""
    for name, lines in sections().items():
        mark = re.compile(rf"(<!-- from the code: {name} -->\n\n).*?(\n\n<!-- end -->)", re.DOTALL)
        text, found = mark.subn(lambda match, lines=lines: match[1] + lines + match[2], text)
        if found != 1:
            raise SystemExit(f"{PAGE.name} has {found} sections between '<!-- from the code: {name} -->' and an end")
    return text


def main() -> None:
    """Write the pictures and the page."""
    FOLDER.mkdir(exist_ok=True)
    for drawing in DRAWINGS:
        (FOLDER / f"{drawing.name}.svg").write_text(svg(drawing), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
