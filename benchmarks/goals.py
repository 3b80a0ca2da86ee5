"""What the cells of agentorch are to be, and whether they are."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from benchmarks.cells import Filled, ours
from benchmarks.measurement import Measurement, figure

MEMORY: Final = "agentorch"
SQLITE: Final = "agentorch, SQLite"
FULL: Final = "agentorch, SQLite FULL"
FLAT: Final = 1.2
"""What a task may cost at a large size beside a small one."""
TIMES: Final = "times asyncio"
_FLOORS: Final = {MEMORY: "anyio", SQLITE: "SQLite loop", FULL: "SQLite loop FULL"}
"""What carries the same out and does nothing else: structured concurrency alone, and rows in SQLite alone."""

Found = Sequence[Filled]


def chain(found: Found) -> Iterator[Measurement]:
    """Say what a chain costs."""
    sizes = _sizes(found)
    for size in sizes:
        yield _ratio(found, "chain", MEMORY, size, goal=4)
    yield _flat(found, "chain", sizes[-1], sizes[0])
    for size in sizes:
        yield _ratio(found, "chain", SQLITE, size, goal=8)
    for size in sizes:
        yield _ratio(found, "chain", FULL, size)


def fan(found: Found) -> Iterator[Measurement]:
    """Say what a fan-out and fan-in costs."""
    sizes = _sizes(found)
    for size in sizes:
        yield _ratio(found, "fan", MEMORY, size, goal=3)
    for size in sizes:
        yield _ratio(found, "fan", FULL, size, goal=8)
    for size in sizes:
        cell = ours(found, FULL, size)
        rate = None if cell is None else 1e6 / cell.median
        yield _figure(f"fan of {size:,}, {FULL}", rate, "tasks/s", 15_000, found, more=True)
    yield _flat(found, "fan", sizes[-1], sizes[-2] if len(sizes) > 1 else sizes[-1])
    for size in sizes:
        yield from _memory(found, "fan", size, goal=2)


def layered(found: Found) -> Iterator[Measurement]:
    """Say what a random DAG costs."""
    for size in _sizes(found):
        yield _ratio(found, "layered", MEMORY, size, goal=4)


def diamonds(found: Found) -> Iterator[Measurement]:
    """Say what many small runs cost."""
    for size in _sizes(found):
        cell = ours(found, MEMORY, size)
        rate = None if cell is None else size / _middle(cell.cell.seconds)
        alone = _cell(found, _FLOORS[MEMORY], size)
        floor = None if alone is None else size / _middle(alone.cell.seconds)
        yield _figure(f"{size:,} diamonds at once", rate, "runs/s", 5_000, found, more=True, floor=floor)
        yield from _memory(found, "diamonds", size)


GOALS: Final[dict[str, Callable[[Found], Iterator[Measurement]]]] = {
    "chain": chain, "fan": fan, "layered": layered, "diamonds": diamonds,
}  # fmt: skip
"""By table."""


def _sizes(found: Found) -> list[int]:
    return sorted({one.cell.size for one in found})


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _ratio(found: Found, shape: str, subject: str, size: int, *, goal: float | None = None) -> Measurement:
    cell = ours(found, subject, size)
    name = f"{shape} of {size:,}, {subject}"
    if cell is None or cell.ratio is None:
        return Measurement(name, None, TIMES, goal, note=_why(found, subject, size))
    spread = f"{min(cell.microseconds):.1f} to {max(cell.microseconds):.1f}"
    note = f"{cell.median:.1f} us a task, {spread}"
    floor = None if goal is None else _floor(found, _FLOORS[subject], size)
    if floor is not None:
        note += f"; {_FLOORS[subject]} alone: {figure(floor)}"
    return Measurement(name, cell.ratio, TIMES, goal, note=note, floor=floor)


def _floor(found: Found, subject: str, size: int) -> float | None:
    cell = _cell(found, subject, size)
    return None if cell is None else cell.ratio


def _cell(found: Found, subject: str, size: int) -> Filled | None:
    fitting = (one for one in found if (one.cell.subject, one.cell.size) == (subject, size) and not one.cell.error)
    return next(fitting, None)


def _flat(found: Found, shape: str, large: int, small: int) -> Measurement:
    name = f"{shape}: a task of {large:,} beside one of {small:,}"
    cells = [ours(found, MEMORY, size) for size in (large, small)]
    medians = [cell.median for cell in cells if cell is not None]
    if len(medians) < 2:
        return _figure(name, None, "times", FLAT, found)
    bare = [one for size in (large, small) if (one := _cell(found, "asyncio", size)) is not None]
    floor = bare[0].median / bare[1].median if len(bare) == 2 else None
    note = "" if floor is None else f"asyncio's own: {figure(floor)}"
    return Measurement(name, medians[0] / medians[1], "times", FLAT, note=note, floor=floor)


def _memory(found: Found, shape: str, size: int, *, goal: float | None = None) -> Iterator[Measurement]:
    cell = ours(found, MEMORY, size)
    if cell is not None and cell.memory is not None:
        floors = [one.kilobytes for one in found if one.cell.subject == "asyncio" and one.cell.size == size]
        note = "".join(f"asyncio alone: {floor:.2f}" for floor in floors if floor is not None)
        yield Measurement(f"{shape} of {size:,}, peak of memory", cell.kilobytes, "KB a task", goal, note=note)


def _figure(
    name: str,
    value: float | None,
    unit: str,
    goal: float,
    found: Found,
    *,
    more: bool = False,
    floor: float | None = None,
) -> Measurement:
    alone = "" if floor is None else f"{_FLOORS[MEMORY]} alone: {figure(floor)}"
    note = alone if value is not None else _why(found, MEMORY, max(_sizes(found)))
    return Measurement(name, value, unit, goal, more=more, note=note, floor=floor)


def _why(found: Found, subject: str, size: int) -> str:
    errors = [one.cell.error for one in found if one.cell.subject == subject and one.cell.size == size]
    return errors[0] if errors else "not measured"
