"""Checks across tasks: functions that hold the outputs of several tasks of a run against each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agentorch.core.crosscheck import CrossCheck
from agentorch.errors import ConfigurationError
from agentorch.validation.validation import name_of, run_on


@dataclass(frozen=True, slots=True)
class Across:
    """A check across tasks, made by `across`. Calling it just calls the function."""

    function: Callable[..., Any]
    spec: CrossCheck

    @property
    def name(self) -> str:
        """What it is called in events and problems."""
        return self.spec.name

    def __call__(self, *outputs: Any) -> Any:
        """Call the function itself."""
        return self.function(*outputs)

    async def problems(self, outputs: Sequence[Any]) -> tuple[str, ...]:
        """Return the problems that it finds; whatever else the function raises is raised."""
        return await run_on(self.function, *outputs)


def across(*about: str, redo: str | None = None) -> Callable[[Callable[..., Any]], Across]:
    """Hold the outputs of several tasks against each other: `@across("facts", "poem")`, in `validators=[...]`.

    Each name is a task's id, or an agent that has just one task of the plan. The function, sync or async, is called
    with their outputs, in this order and in their declared types, when all of them have succeeded. It returns what any
    check does. When it finds problems, `redo` (by default the last name) is done again and gets them.
    """
    names: tuple[Any, ...] = about
    again = about[-1] if redo is None and about else redo
    if not about or not all(isinstance(name, str) and name for name in names):
        raise ConfigurationError(f'across{about!r}: name the tasks or agents, such as @across("facts", "poem")')
    if len(set(about)) < len(about):
        raise ConfigurationError(f"across{about!r}: a name is there twice")
    if again not in about:
        raise ConfigurationError(f"across{about!r}: redo={redo!r} is none of them")

    def decorate(function: Callable[..., Any]) -> Across:
        return Across(function, CrossCheck(name_of(function), about, str(again)))

    return decorate
