"""A target: a function that keeps a promise, and the strategies of the hostile input that it is given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st


@dataclass(frozen=True)
class Target:
    """What is fuzzed; each call of `tried` is a hypothesis test of its own."""

    promise: Callable[..., None]
    strategies: tuple[st.SearchStrategy[Any], ...]

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return self.promise.__name__

    def tried(self, inputs: int, *, number: int | None = None) -> None:
        """Try so many inputs, those of the seed `number` if one is given; raise what broke the promise."""
        quiet: Any = tuple(HealthCheck)
        if number is None:
            settings(max_examples=inputs, suppress_health_check=quiet, deadline=None)(self._test())()
        else:
            once = settings(max_examples=inputs, suppress_health_check=quiet, deadline=None, database=None)
            seed(number)(once(self._test()))()

    def from_bytes(self, data: bytes) -> None:
        """Try the one input that a fuzzer's bytes stand for."""
        self._test().hypothesis.fuzz_one_input(data)

    def _test(self) -> Any:
        return given(*self.strategies)(self.promise)


def hostile(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Target]:
    """Make a target of the function that keeps the promise."""
    return lambda promise: Target(promise, strategies)
