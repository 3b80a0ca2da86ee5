"""What was called inside a tool, or inside the function of a step.

1. A step that is read back makes no calls. Those that it has made keep their numbers, so that an equal call which the
   body makes beside it is another one: they are journaled beside the step's result.
2. A step that has failed gives them back: made again, it makes the same ones.
"""

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from agentorch.runtime.effect_calls import EffectCalls
from agentorch.runtime.steps import Steps

_BESIDE: Final = re.compile(r"(.*:\d+)\+\d+", re.DOTALL)
"""The name of what is kept beside a step."""
_MOST: Final = 200
"""Calls in one such record: it is small, and never kept apart from the events."""


@dataclass(slots=True)
class Made:
    """What was called inside one step, so far."""

    of: "Insides"
    step: str
    failed: Callable[[BaseException | None], object]
    """Called when the step has failed."""
    effects: list[str] = field(default_factory=list[str])
    """Keys of the calls of tools."""
    calls: dict[str, bool] = field(default_factory=dict[str, bool])
    """Delegated tasks, and whether they have brought something."""


_GATHERING: ContextVar[tuple[Made, ...]] = ContextVar("agentorch_gathering", default=())
"""The steps inside of which something is called, the outermost first; a called agent may see those of its caller."""


class Insides:
    """What a dispatch has called inside its steps, and what its attempt had before."""

    def __init__(self, known: Mapping[str, Any], steps: Steps, effects: EffectCalls) -> None:
        self._steps = steps
        self._effects = effects
        self._keys: dict[str, str] = {}
        """Keys of the effects of finished steps that are tools inside the function of a step."""
        for name, kept in known.items():
            beside = _BESIDE.fullmatch(name)
            if beside is None:
                continue
            if kept["effect"]:
                self._keys[beside[1]] = kept["effect"]
                effects.take(kept["effect"])
            for call in kept["calls"]:
                steps.use_up(call)

    def key_of(self, step: str) -> str | None:
        """Return the key of the effect that a step has had before, where its place does not tell."""
        return self._keys.get(step)

    def effect(self, key: str) -> None:
        """A tool is called."""
        for made in _GATHERING.get():
            if made.of is self:
                made.effects.append(key)

    def call(self, name: str, *, brought: bool) -> None:
        """An agent is called, or has brought something."""
        for made in _GATHERING.get():
            if made.of is self:
                made.calls[name] = brought

    @property
    def nested(self) -> bool:
        """Whether something is called inside a step just now."""
        return any(made.of is self for made in _GATHERING.get())

    @contextmanager
    def made(self, step: str, failed: Callable[[BaseException | None], object] = lambda _: None) -> Generator[Made]:
        """Gather what is called in this block, which is a step; when it fails, that may be called again."""
        made = Made(self, step, failed)
        before = _GATHERING.set((*_GATHERING.get(), made))
        try:
            yield made
        except BaseException as error:
            self.forget(made, error)
            raise
        finally:
            _GATHERING.reset(before)

    def forget(self, made: Made, error: BaseException | None = None) -> None:
        """A step has failed: what was called in it is the same when it is called again."""
        made.failed(error)
        self._steps.forget(made.step)
        for key in made.effects:
            self._effects.forget(key)
        for name, brought in made.calls.items():
            if brought:
                self._steps.give_back(name)

    async def keep(self, made: Made, name: str, *, effect: str = "") -> None:
        """Journal what was called inside a step; `effect` is its own key, where its place does not tell."""
        calls = list(made.calls)
        for part in range(0, max(len(calls), bool(effect)), _MOST):
            kept = {"effect": "" if part else effect, "calls": calls[part : part + _MOST]}
            await self._steps.finish(f"{made.step}+{part // _MOST}", f"inside {name}", kept)
