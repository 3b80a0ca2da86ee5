"""Few boxes in the place of many, so that a plan of a thousand tasks is a picture that can be read.

1. Up to LIMIT boxes are drawn as they are.
2. Beyond that, those of one kind and one layer that need the same are one box, then those of one kind and one layer;
   what is still too much is cut out of the middle. A note says what was done.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from agentorch.pictures.amounts import counted, joined
from agentorch.pictures.layers import layers_of, without_returns
from agentorch.pictures.parts import Box
from agentorch.pictures.states import in_order

LIMIT: Final = 60
_ALARMING: Final = ("running", "failed", "waiting", "ready", "pending", "cancelled", "skipped", "succeeded")
"""Which state a box of several shows, where they are not all the same."""


def folded(boxes: Sequence[Box], limit: int = LIMIT) -> tuple[list[Box], str]:
    """Return boxes to draw, and what is to be said of it; nothing where they are as they were."""
    if len(boxes) <= limit:
        return list(boxes), ""
    needs = without_returns({box.id: box.needs for box in boxes})
    layer = layers_of(needs)
    by_id = {box.id: replace(box, needs=needs[box.id]) for box in boxes}
    few = _grouped(by_id, needs, lambda box, sources: (layer[box.id], box.kind, tuple(sorted(sources))))
    if len(few) > limit:
        few = _grouped(by_id, needs, lambda box, _: (layer[box.id], box.kind))
    if len(few) < len(boxes):
        note = f"{counted(len(boxes), 'task')} in {counted(len(few), 'box', 'boxes')}: those that are alike are one"
    else:
        note = counted(len(boxes), "task")
    if len(few) <= limit:
        return few, note
    cut = _cut(few, limit)
    return cut, f"{note}; {len(few) - limit + 1:,} of them are left out in the middle"


def _grouped(
    by_id: Mapping[str, Box], needs: Mapping[str, Sequence[str]], key: Callable[[Box, set[str]], Hashable]
) -> list[Box]:
    """Return a box for each key; `key` sees the boxes that the needs went into."""
    groups: dict[Hashable, list[Box]] = {}
    leader: dict[str, str] = {}
    for name in needs:
        box = by_id[name]
        found = groups.setdefault(key(box, {leader[need] for need in needs[name]}), [])
        found.append(box)
        leader[name] = found[0].id
    return [_one(group, leader) for group in groups.values()]


def _one(group: Sequence[Box], leader: Mapping[str, str]) -> Box:
    first = group[0]
    needs = tuple(dict.fromkeys(leader[need] for box in group for need in box.needs))
    if len(group) == 1:
        return replace(first, needs=needs)
    states = Counter(box.state for box in group)
    names = ", ".join(box.id for box in group[:20]) + (", …" if len(group) > 20 else "")  # noqa: PLR2004
    return Box(
        id=first.id,
        kind=first.kind,
        state=next((state for state in _ALARMING if states[state]), ""),
        needs=needs,
        note=joined(*(f"{states[state]:,} {state}" for state in in_order(set(states)))),
        tip=f"{len(group):,} tasks of {first.kind}: {names}",
        title=counted(len(group), "task"),
        marked=any(box.marked for box in group),
    )


def _cut(boxes: Sequence[Box], limit: int) -> list[Box]:
    """Return the first boxes and the last ones, with one in between that stands for the rest."""
    layer = layers_of(without_returns({box.id: box.needs for box in boxes}))
    ordered = sorted(boxes, key=lambda box: layer[box.id])
    last = limit // 4
    head, middle, tail = ordered[: limit - last - 1], ordered[limit - last - 1 : -last], ordered[-last:]
    gone = {box.id for box in middle}
    needs = tuple(dict.fromkeys(need for box in middle for need in box.needs if need not in gone))
    rest = Box(id=middle[0].id, kind="", needs=needs, title=f"… {len(middle):,} more …")
    bridged = [
        replace(box, needs=tuple(dict.fromkeys(rest.id if need in gone else need for need in box.needs)))
        for box in tail
    ]
    return [*head, rest, *bridged]
