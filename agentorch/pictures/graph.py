"""A plan as a picture: a box for each task, an arrow for each need.

It goes from left to right where that fits the width of a page, else from top to bottom. In a picture of many, those
that need the same and are needed by the same stand in a frame, in several columns, with one arrow for all; those
without any arrow stand in columns below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from agentorch.pictures.folding import LIMIT, folded
from agentorch.pictures.layers import Layout, lay_out
from agentorch.pictures.parts import Box, Part
from agentorch.pictures.states import DIM, INK, LINE, look_of
from agentorch.pictures.svg import clipped, group, number, rectangle, width_of, words

PAGE: Final = 960
"""What is not wider is not made smaller by a notebook."""
_WIDEST: Final = 290.0
_MANY: Final = 24
"""Boxes beyond which each has one line alone."""
_HIGH: Final = 16
"""Boxes without arrows beyond which they stand in several columns, in a picture of many."""
_BETWEEN: Final = 22
_PAD: Final = 9
_TITLE, _TEXT = 12.0, 11.0


@dataclass(frozen=True, slots=True)
class _Form:
    """How large every box is, and what is in it."""

    width: float
    height: float
    small: bool


def graph(boxes: Sequence[Box], *, limit: int = LIMIT) -> Part:
    """Draw boxes and their arrows; beyond `limit` they are folded, and a note below says so."""
    few, note = folded(boxes, limit)
    if not few:
        return Part(160, 16, words("no tasks yet", 0, 12, fill=DIM))
    form = _form(few)
    loose = _loose(few) if form.small else set[str]()
    if len(loose) <= _HIGH:
        return _noted(_tied(few, form), note)
    tied = [box for box in few if box.id not in loose]
    above = _tied(tied, form) if tied else None
    return _noted(_with_grid(above, [box for box in few if box.id in loose], form), note)


def _loose(boxes: Sequence[Box]) -> set[str]:
    """Return the ids of the boxes without arrows."""
    ids = {box.id for box in boxes}
    needed = {need for box in boxes for need in box.needs}
    return {box.id for box in boxes if box.id not in needed and ids.isdisjoint(box.needs)}


def _noted(part: Part, note: str) -> Part:
    if not note:
        return part
    height = part.height + 22
    body = part.body + words(note, 0, height - 4, size=_TEXT, fill=DIM)
    return Part(max(part.width, width_of(note, _TEXT)), height, body)


def _with_grid(above: Part | None, boxes: Sequence[Box], form: _Form) -> Part:
    """Draw boxes without arrows below the others."""
    grid = _Grid.of(len(boxes), form)
    top = above.height + _BETWEEN if above else 0.0
    width = max(grid.width, above.width if above else 0.0)
    return Part(width, top + grid.height, (above.body if above else "") + grid.drawn(boxes, 0, top))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Boxes column by column, in no more columns than a page has room for."""

    form: _Form
    rows: int
    width: float
    height: float

    @classmethod
    def of(cls, count: int, form: _Form) -> "_Grid":
        """Return the place of so many boxes."""
        step = form.width + _BETWEEN
        rows = -(-count // min(-(-count // _HIGH), int((PAGE + _BETWEEN) // step)))
        return cls(form, rows, -(-count // rows) * step - _BETWEEN, rows * (form.height + 8) - 8)

    def drawn(self, boxes: Sequence[Box], x: float, y: float) -> str:
        """Draw boxes from here to the right and down."""
        across, down = self.form.width + _BETWEEN, self.form.height + 8
        return "".join(
            _box(box, self.form, x + index // self.rows * across, y + index % self.rows * down)
            for index, box in enumerate(boxes)
        )


def _alike(boxes: Sequence[Box]) -> dict[str, list[Box]]:
    """Return those that need the same and are needed by the same, by the first of them, where they are many."""
    takers: dict[str, list[str]] = {box.id: [] for box in boxes}
    for box in boxes:
        for need in dict.fromkeys(box.needs):
            if need in takers:
                takers[need].append(box.id)
    groups: dict[tuple[frozenset[str], frozenset[str]], list[Box]] = {}
    for box in boxes:
        key = frozenset(need for need in box.needs if need in takers), frozenset(takers[box.id])
        groups.setdefault(key, []).append(box)
    return {group[0].id: group for group in groups.values() if len(group) > _HIGH}


def _tied(boxes: Sequence[Box], form: _Form) -> Part:
    """Draw boxes and their arrows, along the axis that makes the picture narrow enough."""
    framed = _framed(boxes, form) if form.small else None
    if framed is not None:
        return framed
    needs = {box.id: box.needs for box in boxes}
    rows = lay_out(needs, size=form.height, gap=14 if not form.small else 8)
    across = rows.layers * (form.width + _gap(rows)) - _gap(rows)
    if across > PAGE:
        columns = lay_out(needs, size=form.width, gap=22)
        if columns.extent < across:
            return _drawn(boxes, form, columns, down=True)
    return _drawn(boxes, form, rows, down=False)


def _framed(boxes: Sequence[Box], form: _Form) -> Part | None:
    """Draw those that are alike in frames; None when there are none, or the picture would be wider than a page."""
    alike = _alike(boxes)
    if not alike:
        return None
    leader = {box.id: first for first, group in alike.items() for box in group}
    shown = [box for box in boxes if leader.get(box.id, box.id) == box.id]
    needs = {box.id: tuple(dict.fromkeys(leader.get(need, need) for need in box.needs)) for box in shown}
    frames = {first: _Grid.of(len(group), form) for first, group in alike.items()}
    heights = {first: grid.height + 2 * _PAD for first, grid in frames.items()}
    layout = lay_out(needs, size=form.height, gap=8, sizes=heights)
    axis = _Axis.of(layout, form, {first: grid.width + 2 * _PAD for first, grid in frames.items()}, down=False)
    if axis.end > PAGE:
        return None
    body = [_arrow(layout, arrow, axis, down=False) for arrow in layout.arrows]
    for box in shown:
        x, middle = axis.starts[layout.layer[box.id]], layout.middle[box.id]
        if box.id not in frames:
            body.append(_box(box, form, x, middle - form.height / 2))
            continue
        y, grid = middle - heights[box.id] / 2, frames[box.id]
        body.append(rectangle(x, y, grid.width + 2 * _PAD, heights[box.id], fill="none", stroke=LINE, radius=10))
        body.append(grid.drawn(alike[box.id], x + _PAD, y + _PAD))
    return Part(axis.end, layout.extent, "".join(body))


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where the layers are along the main axis."""

    starts: Sequence[float]
    ends: Sequence[float]
    thick: float
    own: Mapping[str, float]
    """How thick those are that are not `thick`."""

    @classmethod
    def of(cls, layout: Layout, form: _Form, own: Mapping[str, float], *, down: bool) -> "_Axis":
        """Return the layers, each as thick as its thickest."""
        thick, gap = (form.height, 34.0) if down else (form.width, _gap(layout))
        layers = [thick] * layout.layers
        for name, size in own.items():
            layers[layout.layer[name]] = max(layers[layout.layer[name]], size)
        ends = [sum(layers[: index + 1]) + gap * index for index in range(len(layers))]
        return cls([end - size for end, size in zip(ends, layers, strict=True)], ends, thick, own)

    @property
    def end(self) -> float:
        """The end of the last layer."""
        return self.ends[-1]


def _gap(layout: Layout) -> float:
    return 46 if layout.layers <= 5 else 34  # noqa: PLR2004


def _form(boxes: Sequence[Box]) -> _Form:
    small = len(boxes) > _MANY
    widest = 130.0
    for box in boxes:
        title = width_of(box.title or box.id, _TITLE, mono=True) + width_of(box.corner, _TEXT) + 32
        below = 0.0 if small else max(width_of(box.kind, _TEXT), width_of(box.note, _TEXT))
        widest = max(widest, title + 2 * _PAD, below + 2 * _PAD)
    noted = any(box.note for box in boxes) and not small
    return _Form(min(widest, _WIDEST), 26 if small else 58 if noted else 42, small)


def _drawn(boxes: Sequence[Box], form: _Form, layout: Layout, *, down: bool) -> Part:
    axis = _Axis.of(layout, form, {}, down=down)
    width, height = (layout.extent, axis.end) if down else (axis.end, layout.extent)
    body = [_arrow(layout, arrow, axis, down=down) for arrow in layout.arrows]
    for box in boxes:
        middle, start = layout.middle[box.id], axis.starts[layout.layer[box.id]]
        x, y = (middle - form.width / 2, start) if down else (start, middle - form.height / 2)
        body.append(_box(box, form, x, y))
    return Part(width, height, "".join(body))


def _box(box: Box, form: _Form, x: float, y: float) -> str:
    look, room = look_of(box.state), form.width - 2 * _PAD
    thick = 2.4 if box.marked else 1.2
    body = [
        rectangle(
            x, y, form.width, form.height, fill=look.fill, stroke=look.stroke, radius=6, line=thick, dashed=look.dashed
        )
    ]
    left, base = x + _PAD, y + 17
    if look.mark:
        body.append(words(look.mark, left, base, size=_TITLE, fill=look.stroke, weight=700))
        left += 15
    corner = clipped(box.corner, room / 2, _TEXT) if box.corner else ""
    if corner:
        body.append(words(corner, x + form.width - _PAD, base, size=_TEXT, fill=DIM, anchor="end"))
    space = x + form.width - _PAD - left - (width_of(corner, _TEXT) + 6 if corner else 0)
    title = clipped(box.title or box.id, space, _TITLE, mono=True)
    body.append(words(title, left, base, size=_TITLE, fill=INK, mono=True, weight=600))
    if not form.small:
        for index, text in enumerate((box.kind, box.note)):
            if text:
                line = y + 33 + 16 * index
                body.append(words(clipped(text, room, _TEXT), x + _PAD, line, size=_TEXT, fill=DIM))
    return group(body, tip=box.tip or f"{box.id}: {box.kind}")


def _arrow(layout: Layout, arrow: tuple[str, str, Sequence[tuple[int, float]]], axis: _Axis, *, down: bool) -> str:
    """Return a curve that leaves and enters along the main axis, with its head."""
    source, target, bends = arrow
    points = [(axis.starts[layout.layer[source]] + axis.own.get(source, axis.thick), layout.middle[source])]
    for layer, middle in bends:
        points += [(axis.starts[layer], middle), (axis.ends[layer], middle)]
    points.append((axis.starts[layout.layer[target]] - 6, layout.middle[target]))
    path = f"M{_place(points[0], down=down)}"
    for (from_main, from_cross), (to_main, to_cross) in pairwise(points):
        half = (from_main + to_main) / 2
        turns = [(half, from_cross), (half, to_cross), (to_main, to_cross)]
        path += " C" + " ".join(_place(turn, down=down) for turn in turns)
    main, cross = points[-1]
    corners = [(main, cross - 3.5), (main + 6, cross), (main, cross + 3.5)]
    head = "M" + " L".join(_place(corner, down=down) for corner in corners) + " Z"
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.2"/><path d="{head}" fill="{LINE}"/>'


def _place(point: tuple[float, float], *, down: bool) -> str:
    main, cross = point
    return f"{number(cross)} {number(main)}" if down else f"{number(main)} {number(cross)}"
