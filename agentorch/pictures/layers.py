"""Where the boxes of a graph go: layers from its sources on, few crossings, and straight arrows.

1. The main axis goes along the arrows, the cross axis along a layer. A box is in the layer behind its last need.
2. An arrow over several layers takes a place in each that it passes. Where there would be very many it goes straight.
3. Arrows that lead back, as in a plan that was not checked, are left out.
4. Same boxes, same places: nothing here is random.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

MOST_BENDS: Final = 1500
_SWEEPS: Final = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each box is: its layer, and the middle of it on the cross axis, counted from 0."""

    layer: Mapping[str, int]
    middle: Mapping[str, float]
    arrows: Sequence[tuple[str, str, Sequence[tuple[int, float]]]]
    """From, to, and the places between: layer and middle."""
    layers: int
    extent: float
    """From the edge of the first box on the cross axis to that of the last."""


def lay_out(
    needs: Mapping[str, Sequence[str]], *, size: float, gap: float, sizes: Mapping[str, float] | None = None
) -> Layout:
    """Place boxes of `size` on the cross axis, `gap` apart; `needs` says where each one's arrows come from.

    `sizes` has those that are of another size.
    """
    own = sizes or {}
    forward = without_returns(needs)
    layer = layers_of(forward)
    graph = _Ranked(forward, layer)
    for sweep in range(_SWEEPS):
        graph.sort(down=sweep % 2 == 0)
    graph.restore()
    places = graph.straighten({name: own.get(name, size) for name in needs}, gap)
    low = min((places[name] - own.get(name, size) / 2 for name in needs), default=-size / 2)
    high = max((places[name] + own.get(name, size) / 2 for name in needs), default=size / 2)
    arrows = [
        (source, target, [(graph.layer[bend], places[bend] - low) for bend in bends])
        for (source, target), bends in graph.bends.items()
    ]
    middle = {name: places[name] - low for name in needs}
    return Layout(layer, middle, arrows, max(layer.values(), default=-1) + 1, high - low)


def without_returns(needs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the needs that are there, each once, without those that close a circle; needed ones first."""
    done: dict[str, list[str]] = {}
    open_: set[str] = set()
    for first in needs:
        stack = [first]
        while stack:
            name = stack[-1]
            if name in done:
                stack.pop()
                continue
            open_.add(name)
            missing = [need for need in needs[name] if need in needs and need not in done and need not in open_]
            if missing:
                stack += reversed(list(dict.fromkeys(missing)))
            else:
                done[name] = [need for need in dict.fromkeys(needs[name]) if need in done]
                open_.discard(stack.pop())
    return done


def layers_of(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the layer of each box; `needs` has needed ones first."""
    layer: dict[str, int] = {}
    for name, sources in needs.items():
        layer[name] = 1 + max((layer[source] for source in sources), default=-1)
    return layer


class _Ranked:
    """Boxes and bends by layers, in an order that gets better."""

    def __init__(self, needs: Mapping[str, Sequence[str]], layer: Mapping[str, int]) -> None:
        self.layer = dict(layer)
        self.ranks: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
        self.above: dict[str, list[str]] = {name: [] for name in needs}
        self.below: dict[str, list[str]] = {name: [] for name in needs}
        self.bends: dict[tuple[str, str], list[str]] = {}
        for name in needs:
            self.ranks[layer[name]].append(name)
        spans = sum(layer[name] - layer[need] - 1 for name, sources in needs.items() for need in sources)
        for name, sources in needs.items():
            for need in sources:
                self._connect(need, name, bends=spans <= MOST_BENDS)
        self._best, self._fewest = [[*rank] for rank in self.ranks], self._crossings()

    def _connect(self, source: str, target: str, *, bends: bool) -> None:
        chain: list[str] = []
        for rank in range(self.layer[source] + 1, self.layer[target]) if bends else ():
            bend = f"{source}\n{target}\n{rank}"  # no id holds a new line
            self.layer[bend] = rank
            self.ranks[rank].append(bend)
            self.above[bend], self.below[bend] = [], []
            chain.append(bend)
        self.bends[source, target] = chain
        for one, other in zip([source, *chain], [*chain, target], strict=True):
            self.below[one].append(other)
            self.above[other].append(one)

    def sort(self, *, down: bool) -> None:
        """Order each layer by where its neighbours in the one before stand."""
        neighbours = self.above if down else self.below
        ranks = self.ranks[1:] if down else self.ranks[-2::-1]
        place = {name: index for rank in self.ranks for index, name in enumerate(rank)}
        for rank in ranks:
            wish = {name: _mean([place[other] for other in neighbours[name]], place[name]) for name in rank}
            rank.sort(key=lambda name: wish[name])
            place.update((name, index) for index, name in enumerate(rank))
        crossings = self._crossings()
        if crossings < self._fewest:
            self._best, self._fewest = [[*rank] for rank in self.ranks], crossings

    def restore(self) -> None:
        """Go back to the order with the fewest crossings."""
        self.ranks = self._best

    def _crossings(self) -> int:
        total = 0
        place = {name: index for rank in self.ranks for index, name in enumerate(rank)}
        for rank in self.ranks:
            seen: list[int] = []
            for name in rank:
                ends = sorted(place[other] for other in self.below[name] if self.layer[other] == self.layer[name] + 1)
                total += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
                for end in ends:
                    insort(seen, end)
        return total

    def straighten(self, sizes: Mapping[str, float], gap: float) -> dict[str, float]:
        """Return the middle of each box and bend, near to those of its neighbours."""
        thick = {name: sizes.get(name, gap / 2) for rank in self.ranks for name in rank}
        places: dict[str, float] = {}
        for rank in self.ranks:
            offsets = _offsets([thick[name] for name in rank], gap)
            places.update((name, offset - offsets[-1] / 2) for name, offset in zip(rank, offsets, strict=True))
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            neighbours = self.above if down else self.below
            for rank in self.ranks if down else reversed(self.ranks):
                wishes = [_mean([places[other] for other in neighbours[name]], places[name]) for name in rank]
                offsets = _offsets([thick[name] for name in rank], gap)
                places.update(zip(rank, _apart(wishes, offsets), strict=True))
        return places


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _offsets(sizes: Sequence[float], gap: float) -> list[float]:
    """Return the middles of things of these sizes, packed side by side; the first is at 0."""
    found = [0.0]
    for one, other in pairwise(sizes):
        found.append(found[-1] + (one + other) / 2 + gap)
    return found


def _apart(wishes: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """Return the places nearest to the wishes, in their order and as far apart as the offsets: least squares."""
    pools: list[tuple[float, int]] = []  # sum and number
    for wish, offset in zip(wishes, offsets, strict=True):
        total, count = wish - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    shifts = [total / count for total, count in pools for _ in range(count)]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]
