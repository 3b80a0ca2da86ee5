"""The order of a plan: each task after everything that it needs, the order given kept wherever it can be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from agentorch.core.task import Task


@dataclass(frozen=True, slots=True)
class Ordering:
    """Tasks in an order in which each needs only tasks above it, and the cycles that kept others out."""

    tasks: tuple[Task, ...]
    cycles: tuple[tuple[str, ...], ...] = ()
    """Each an actual cycle, by ids: every task needs the next, and the last needs the first."""
    rest: tuple[Task, ...] = ()
    """Tasks on a cycle or behind one, in the order given."""


def ordered(tasks: Sequence[Task]) -> Ordering:
    """Sort `tasks`; among those that are free, the one given first goes first. Needs outside `tasks` do not count.

    A sequence that is in order already comes back as it is, in linear time. Ids must be unique.
    """
    if _is_ordered(tasks):
        return Ordering(tuple(tasks))
    place = {task.id: index for index, task in enumerate(tasks)}
    within = [[place[need] for need in dict.fromkeys(task.needs) if need in place] for task in tasks]
    done = _sorted(within)
    if len(done) == len(tasks):
        return Ordering(tuple(tasks[index] for index in done))
    emitted = set(done)
    left = {index: [need for need in needs if need not in emitted] for index, needs in enumerate(within)}
    left = {index: needs for index, needs in left.items() if index not in emitted}
    return Ordering(
        tuple(tasks[index] for index in done),
        tuple(tuple(tasks[index].id for index in cycle) for cycle in _cycles(left)),
        tuple(tasks[index] for index in left),
    )


def _is_ordered(tasks: Iterable[Task]) -> bool:
    """Whether no task stands below one that needs it."""
    above: set[str] = set()
    awaited: set[str] = set()
    for task in tasks:
        if task.id in awaited:
            return False
        awaited.update(need for need in task.needs if need not in above)
        if task.id in awaited:
            return False
        above.add(task.id)
    return True


def _sorted(within: Sequence[Sequence[int]]) -> list[int]:
    waits = [len(needs) for needs in within]
    dependents: list[list[int]] = [[] for _ in within]
    for index, needs in enumerate(within):
        for need in needs:
            dependents[need].append(index)
    free = [index for index, count in enumerate(waits) if not count]
    heapify(free)
    done: list[int] = []
    while free:
        index = heappop(free)
        done.append(index)
        for dependent in dependents[index]:
            waits[dependent] -= 1
            if not waits[dependent]:
                heappush(free, dependent)
    return done


def _cycles(left: Mapping[int, Sequence[int]]) -> Iterable[tuple[int, ...]]:
    """Walk from need to need among tasks that all have one: every walk ends in a cycle, seen before or new."""
    walked: set[int] = set()
    for start in left:
        walk: dict[int, None] = {}
        index = start
        while index not in walked:
            walked.add(index)
            walk[index] = None
            index = left[index][0]
        if index in walk:
            path = list(walk)
            yield tuple(path[path.index(index) :])
