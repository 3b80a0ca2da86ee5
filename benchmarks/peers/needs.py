"""What a peer without a general DAG needs to carry one out. Standard library only."""

from collections.abc import Mapping

from benchmarks.shapes import Shape


class Arrivals:
    """Counts what each task of one run still waits for."""

    def __init__(self, missing: Mapping[str, int], dependents: Mapping[str, list[str]]) -> None:
        self._missing = dict(missing)
        self._dependents = dependents
        self.left = len(missing)
        """How many tasks have not ended."""

    @classmethod
    def of(cls, shape: Shape) -> "Arrivals":
        """Return the counts before anything has ended."""
        return cls({name: len(needs) for name, needs in shape.tasks}, shape.dependents())

    def fresh(self) -> "Arrivals":
        """Return a copy for a run, which is cheaper than to count again."""
        return Arrivals(self._missing, self._dependents)

    def first(self) -> list[str]:
        """Return the tasks that need nothing."""
        return [name for name, count in self._missing.items() if not count]

    def ended(self, task: str) -> list[str]:
        """Count the task as ended, and return those that this made ready."""
        self.left -= 1
        ready: list[str] = []
        for dependent in self._dependents[task]:
            self._missing[dependent] -= 1
            if not self._missing[dependent]:
                ready.append(dependent)
        return ready


def levels(shape: Shape) -> list[list[str]]:
    """Return the tasks by the length of the longest way to them: those of a level need only those above."""
    level: dict[str, int] = {}
    found: list[list[str]] = []
    for name, needs in shape.tasks:
        level[name] = max((level[need] + 1 for need in needs), default=0)
        if level[name] == len(found):
            found.append([])
        found[level[name]].append(name)
    return found
