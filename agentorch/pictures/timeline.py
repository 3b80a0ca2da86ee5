"""A run over time: a row for each task, a bar for each time that it ran, a thin line where it waited."""

from collections.abc import Sequence
from math import ceil
from typing import Final

from agentorch.pictures.amounts import counted, duration
from agentorch.pictures.parts import Part, Row, Stretch
from agentorch.pictures.states import DIM, FAINT, INK, STATES, in_order, look_of
from agentorch.pictures.svg import clipped, group, line, rectangle, width_of, words

LIMIT: Final = 40
"""Rows that are drawn; more are the most telling ones."""
_ROW: Final = 22
_TOP: Final = 20
_CHART: Final = 520
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_DAY: Final = 86_400.0
_TICKS: Final = 6
_SIZE: Final = 11.0
_BOLD: Final = 16.0
"""A goal is as wide as if its letters were of this size: it is bold."""
_BEHIND: Final = 110.0
"""Room behind the bars at least: a picture that is drawn again and again keeps its width."""
_SHORTEST: Final = 2.5
"""Width of a wait below which it would be a speck."""


def timeline(rows: Sequence[Row], *, until: float, limit: int = LIMIT) -> Part:
    """Draw rows over the seconds from 0 to `until`."""
    shown = _most_telling(rows, limit)
    label = min(max((_label_width(row) for row in shown), default=0), 250.0)
    until = max(until, 0.001)
    scale = _CHART / until
    height = _TOP + _ROW * len(shown)
    body = [_axis(label, until, scale, height)]
    for index, row in enumerate(shown):
        body.append(_row(row, _TOP + _ROW * index, label, scale, until))
    behind = max([_BEHIND, *(width_of(row.words, _SIZE) for row in shown)])
    width = label + _CHART + 10 + behind
    if len(shown) < len(rows):
        note = f"{len(shown):,} of {counted(len(rows), 'task')}: what runs, waits or failed, then what took longest"
        height += 20
        body.append(words(note, 0, height - 4, size=_SIZE, fill=DIM))
        width = max(width, width_of(note, _SIZE))
    return Part(width, height, "".join(body))


def heading(status: str, facts: str, goal: str) -> Part:
    """Say how a run stands, in a line, and what it is for, in another."""
    look = look_of(status)
    badge = f"{look.mark} {status}".strip()
    wide = width_of(badge, 13) + 18  # it is bold
    body = [
        rectangle(0, 0, wide, 20, fill=look.fill, stroke=look.stroke, radius=10),
        words(badge, wide / 2, 14, fill=look.stroke, anchor="middle", weight=700),
        words(facts, wide + 10, 14, fill=DIM),
    ]
    width = wide + 10 + width_of(facts, 12)
    if not goal:
        return Part(width, 22, "".join(body))
    line_ = clipped(goal, 680, _BOLD)
    body.append(words(line_, 0, 40, size=13, fill=INK, weight=600))
    return Part(max(width, width_of(line_, _BOLD)), 46, "".join(body))


def legend(states: set[str], *, waits: bool = False) -> Part:
    """Say what the colours and marks mean that are there."""
    x, body = 0.0, list[str]()
    for state in in_order(states):
        look = look_of(state)
        body.append(rectangle(x, 2, 12, 12, fill=look.fill, stroke=look.stroke, radius=2, dashed=look.dashed))
        body.append(words(look.mark, x + 6, 12, size=10, fill=look.stroke, anchor="middle", weight=700))
        body.append(words(state, x + 17, 12, size=_SIZE, fill=DIM))
        x += 17 + width_of(state, _SIZE) + 14
    if waits:
        body.append(rectangle(x, 6.5, 16, 3, fill=STATES["waiting"].stroke))
        body.append(words("could run, and waited", x + 22, 12, size=_SIZE, fill=DIM))
        x += 22 + width_of("could run, and waited", _SIZE)
    return Part(x, 16, "".join(body))


def _most_telling(rows: Sequence[Row], limit: int) -> list[Row]:
    if len(rows) <= limit:
        return list(rows)
    urgent = {"running": 0, "waiting": 0, "failed": 0, "cancelled": 1}

    def rank(index: int) -> tuple[int, float]:
        row = rows[index]
        return urgent.get(row.state, 2), -sum(one.end - one.start for one in row.stretches)

    return [rows[index] for index in sorted(sorted(range(len(rows)), key=rank)[:limit])]


def _label_width(row: Row) -> float:
    return width_of(row.label, _SIZE, mono=True) + width_of(row.kind, _SIZE) + 12 * row.depth + 34


def _row(row: Row, y: float, label: float, scale: float, until: float) -> str:
    look, base = look_of(row.state), y + 15
    left = 12.0 * row.depth
    body = [words(look.mark, left + 5, base, size=_SIZE, fill=look.stroke, anchor="middle", weight=700)]
    beside = label - left - 32 - width_of(row.label, _SIZE, mono=True)
    kind = clipped(row.kind, max(label / 2, beside), _SIZE)
    name = clipped(row.label, label - left - 32 - width_of(kind, _SIZE), _SIZE, mono=True)
    body.append(words(name, left + 14, base, size=_SIZE, fill=INK, mono=True))
    body.append(words(kind, label - 10, base, size=_SIZE, fill=DIM, anchor="end"))
    body += [_bar(one, y, label, scale, until) for one in row.stretches if one.end > 0]
    body.append(words(row.words, label + _CHART + 10, base, size=_SIZE, fill=DIM))
    return group(body, tip=row.tip)


def _bar(stretch: Stretch, y: float, label: float, scale: float, until: float) -> str:
    start, end = max(0.0, stretch.start), min(stretch.end, until)
    x, width = label + start * scale, max(1.5, (end - start) * scale)
    look = look_of(stretch.state)
    if stretch.state == "waiting":
        if width < _SHORTEST:
            return ""
        return rectangle(x, y + 9.5, width, 3, fill=look.stroke)
    return rectangle(x, y + 5, width, 12, fill=look.stroke, radius=min(2.0, width / 2))


def _axis(label: float, until: float, scale: float, height: float) -> str:
    step = _step(until)
    body: list[str] = []
    for index in range(int(until / step + 1e-9) + 1):
        x = label + index * step * scale
        body.append(line(x, _TOP - 4, x, height, stroke=FAINT))
        body.append(words(_tick(index * step, until), x, 11, size=10, fill=DIM, anchor="middle" if index else "start"))
    return "".join(body)


def _step(until: float) -> float:
    """Return seconds between two ticks: a round number."""
    least, power = until / _TICKS, 1.0
    while least < power:
        power /= 10
    if until < _TICKS:
        return next(number * power for number in (1, 2, 5, 10) if number * power >= least)
    return next((float(step) for step in _STEPS if step >= least), ceil(least / _DAY) * _DAY)


def _tick(value: float, until: float) -> str:
    if value and until < 0.01:  # noqa: PLR2004  # as rows of so few seconds say it
        return f"{1000 * value:.3g} ms"
    if value >= 3600 or (value >= 60 and value % 60):  # noqa: PLR2004
        return duration(value).removesuffix(" 00 m")
    if value >= 60:  # noqa: PLR2004
        return f"{value / 60:.0f} m"
    return f"{value:.3f}".rstrip("0").rstrip(".") + " s" if value else "0"
