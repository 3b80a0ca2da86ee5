"""Elements of a picture, as text.

1. Whatever is shown is a value: escaped, and without the characters that XML forbids or that turn, hide or forge text.
2. A picture stands alone: no script, no style sheet, no font or image from elsewhere, and no `id`, which all pictures
   of a page would share. Colours are attributes, because GitHub and nbviewer strip `style`; it has paper of its own, so
   that it can be read on a dark page, inside the page and as a file alike.
"""

import unicodedata
from collections.abc import Sequence
from html import escape
from typing import Final

from agentorch.pictures.parts import Part
from agentorch.pictures.states import FAINT, INK, PAPER

MONO: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SANS: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
MARGIN: Final = 14
WIDEST: Final = 1500
_MONO, _SANS = 0.61, 0.56
"""Width of a letter, in sizes of its font: with some to spare."""
_WIDE: Final = frozenset("MWmw@%…—")
"""Letters that take nearly twice as much where each has a width of its own; capitals and signs half as much again."""
HIDDEN: Final = dict.fromkeys((
    0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0x00AD, 0x061C,
    *range(0xE0000, 0xE0080),
))  # fmt: skip
"""Characters that are not seen, and turn, hide or forge what is; those that join letters and emoji are none of them."""
_UNFIT: Final = {
    **dict.fromkeys((*range(0x20), 0x2028, 0x2029), " "),
    **dict.fromkeys((*range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\ufffd"),
}


def plain(text: str) -> str:
    """Return one line that XML can hold and that shows all that is in it."""
    return " ".join(text.translate(_UNFIT).translate(HIDDEN).split())


def width_of(text: str, size: float, *, mono: bool = False) -> float:
    """Return how wide a text is at most, about."""
    if mono:
        return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text) * size * _MONO
    return sum(map(_letters, text)) * size * _SANS


def _letters(letter: str) -> float:
    """Return how many usual letters one is as wide as, in a font with letters of several widths."""
    if letter in _WIDE or unicodedata.east_asian_width(letter) in "WF":
        return 2
    return 1.5 if letter.isupper() or letter in "#&+<=>^~" else 1


def clipped(text: str, room: float, size: float, *, mono: bool = False) -> str:
    """Return as much of a text as fits, with … where something is missing."""
    text = plain(text)
    if width_of(text, size, mono=mono) <= room:
        return text
    text = text[: max(0, int(room / (size * (_MONO if mono else _SANS))))]
    while text and width_of(text + "…", size, mono=mono) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def words(
    text: str, x: float, y: float, *, size: float = 12, fill: str = INK, mono: bool = False, anchor: str = "start",
    weight: int = 400,
) -> str:  # fmt: skip
    """Return a line of text; `text` is any text."""
    heavy = f' font-weight="{weight}"' if weight != 400 else ""  # noqa: PLR2004
    side = f' text-anchor="{anchor}"' if anchor != "start" else ""
    family = f' font-family="{MONO}"' if mono else ""
    place = f'x="{number(x)}" y="{number(y)}" font-size="{number(size)}" fill="{fill}"'
    return f"<text {place}{family}{side}{heavy}>{escape(plain(text))}</text>"


def rectangle(
    x: float, y: float, width: float, height: float, *, fill: str, stroke: str = "", radius: float = 0, line: float = 1,
    dashed: bool = False,
) -> str:  # fmt: skip
    """Return a rectangle."""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    round_ = f' rx="{number(radius)}"' if radius else ""
    edge = f' stroke="{stroke}" stroke-width="{number(line)}"' if stroke else ""
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<rect {place}{round_} fill="{fill}"{edge}{dashes}/>'


def line(x1: float, y1: float, x2: float, y2: float, *, stroke: str, width: float = 1) -> str:
    """Return a straight line."""
    place = f'x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"'
    return f'<line {place} stroke="{stroke}" stroke-width="{number(width)}"/>'


def group(body: Sequence[str], *, tip: str = "", x: float = 0, y: float = 0) -> str:
    """Return elements that belong together; `tip` is shown when the pointer rests on them."""
    said = f"<title>{escape(plain(tip))}</title>" if tip else ""
    moved = f' transform="translate({number(x)} {number(y)})"' if x or y else ""
    return f"<g{moved}>{said}{''.join(body)}</g>"


def number(value: float) -> str:
    """Return a number as short as it can be said."""
    return f"{value:.1f}".removesuffix(".0")


def sheet(parts: Sequence[Part], *, label: str) -> str:
    """Return a whole picture: the parts one below the other, on paper of their own."""
    width = max((part.width for part in parts), default=0) + 2 * MARGIN
    y, body = float(MARGIN), list[str]()
    for part in parts:
        body.append(group([part.body], x=MARGIN, y=y))
        y += part.height + MARGIN
    # What is much wider than a page is scrolled through: made to fit it could not be read.
    fit = ' style="max-width:100%;height:auto"' if width <= WIDEST else ""
    paper = rectangle(0.5, 0.5, width - 1, y - 1, fill=PAPER, stroke=FAINT, radius=6)
    size = f'width="{number(width)}" height="{number(y)}" viewBox="0 0 {number(width)} {number(y)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}{fit} role="img" '
        f'aria-label="{escape(plain(label))}" font-family="{SANS}" font-size="12">{paper}{"".join(body)}</svg>'
    )
