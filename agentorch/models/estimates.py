"""How many tokens a call takes, from how many were expected of calls like it and how many they took.

1. The ratio of true to expected tokens is that of an agent's last calls to a model (each counts a twentieth less than
   the next), else that of all calls to the model, else 1.
2. Before there are ENOUGH calls, half as much again is taken: what is not used is given back when the call ends.
"""

from dataclasses import dataclass
from typing import Final

ENOUGH: Final = 3
"""Calls that make a ratio."""
_UNCERTAIN: Final = 1.5
_KEPT: Final = 0.95


@dataclass(slots=True)
class _Record:
    expected: float = 0.0
    true: float = 0.0
    calls: int = 0

    def add(self, expected: float, true: float) -> None:
        self.expected = self.expected * _KEPT + expected
        self.true = self.true * _KEPT + true
        self.calls += 1

    @property
    def ratio(self) -> float:
        return self.true / self.expected if self.calls else 1.0


_NONE: Final = _Record()


class Estimates:
    """The ratios of one provider key."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], _Record] = {}

    def corrected(self, model: str, agent: str, expected: float) -> float:
        """Return how many tokens a call takes for which `expected` were counted."""
        own, alike = self._records.get((model, agent), _NONE), self._records.get((model, ""), _NONE)
        record = own if own.calls >= ENOUGH else alike
        return expected * record.ratio * (1 if record.calls >= ENOUGH else _UNCERTAIN)

    def learn(self, model: str, agent: str, expected: float, true: float) -> None:
        """Take note of what a call took."""
        if expected > 0 and true > 0:
            for key in {(model, agent), (model, "")}:
                self._records.setdefault(key, _Record()).add(expected, true)
