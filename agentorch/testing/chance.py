"""Chance out of a seed: the same seed gives the same faults, and what was injected is written down."""

import random
from typing import Protocol


class Chance(Protocol):
    """What injects faults asks this."""

    def happens(self, probability: float) -> bool:
        """Toss for it."""
        ...

    def pause(self, mean: float) -> float:
        """Return how long something takes, in seconds."""
        ...

    def fault(self, kind: str, task: str | None = None) -> None:
        """Write down that a fault is injected."""
        ...


class SeededChance:
    """Draws out of one seed."""

    def __init__(self, seed: int = 0) -> None:
        self.faults: list[str] = []
        """The kinds of the faults that were injected, in order."""
        self._random = random.Random(seed)  # noqa: S311  # chance, not secrecy

    def happens(self, probability: float) -> bool:
        """Toss for it."""
        return self._random.random() < probability

    def pause(self, mean: float) -> float:
        """Return how long something takes: `mean` seconds as a rule, eight times that at most."""
        return min(self._random.expovariate(1 / mean), mean * 8) if mean > 0 else 0.0

    def fault(self, kind: str, task: str | None = None) -> None:
        """Write down that a fault is injected."""
        self.faults.append(f"{kind}: {task}" if task else kind)
