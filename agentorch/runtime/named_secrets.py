"""Secrets by name: an input that is wholly `secret:NAME` is that secret for the agent, and its name for everybody else.

1. Only a person names them: in a run's inputs, or in a plan made by hand. What a planner, a model or an agent wrote is
   never looked up: a document that says "secret:NAME" gets nothing.
2. The value is put in by the worker, in what a function is called with. Journal, bus and prompts hold the name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from agentorch.core import inbox
from agentorch.core.nearest import did_you_mean
from agentorch.core.references import parse
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError
from agentorch.messages.work import Work

_NAMED: Final = re.compile(r"secret:([A-Za-z][A-Za-z0-9_.-]*)")
_WITHHELD: Final = "[only a person may name secret {}]"


class NamedSecrets:
    """The values that the user gave, by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def check(self, inputs: Mapping[str, Any], tasks: Iterable[Task] = ()) -> None:
        """Raise ConfigurationError, in one line, for a name that nobody gave a value for."""
        given = [(task.id, task.inputs) for task in tasks if task.inputs]
        for task, value in (("", dict(inputs)), *given):
            for name in _names_in(value):
                if name not in self._values:
                    remedy = did_you_mean(name, self._values) or f"give Orchestrator(secrets={{{name!r}: ...}})"
                    where = f"task '{task}'" if task else "inputs"
                    raise ConfigurationError(f"{where}: no secret {name!r} is known; {remedy}")

    def given(self, work: Work) -> dict[str, Any]:
        """Return the input values for the function that does `work`, secrets put in."""
        if not self._values or work.depth:  # what a delegated task was given are an agent's values
            return work.inputs
        written = work.task.inputs
        return {name: self._filled(value, written.get(name)) for name, value in work.inputs.items()}

    def _filled(self, value: Any, written: Any) -> Any:
        """Return `value`, which came of what the plan has `written`."""
        if isinstance(written, str):
            reference = parse(written)
            if reference is None:
                return self._looked_up(value) if value == written else value
            return self._looked_up(value) if reference.id == "inputs" else value
        if isinstance(written, dict) and isinstance(value, dict):
            plan = cast("dict[str, Any]", written)
            return {name: self._filled(item, plan.get(name)) for name, item in cast("dict[str, Any]", value).items()}
        if isinstance(written, list) and isinstance(value, list):
            pairs = zip(cast("list[Any]", value), cast("list[Any]", written), strict=True)
            return [self._filled(item, part) for item, part in pairs]
        return value

    def _looked_up(self, value: Any) -> Any:
        if isinstance(value, str):
            named = _NAMED.fullmatch(value)
            return value if named is None else self._values.get(named[1], value)
        if isinstance(value, dict):
            return {name: self._looked_up(item) for name, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [self._looked_up(item) for item in cast("list[Any]", value)]
        return value


NO_SECRETS: Final = NamedSecrets({})


def without_names(message: inbox.Message) -> inbox.Message:
    """Return a planner's message with what looks like the name of a secret made unlike one."""
    match message:
        case inbox.Propose() | inbox.Complete():
            tasks = _unnamed(message.tasks)
            return message if tasks is message.tasks else replace(message, tasks=tasks)
        case inbox.Patched():
            put = _unnamed(message.put)
            return message if put is message.put else replace(message, put=put)
        case _:
            return message


def _unnamed(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    if not any(next(_names_in(task.inputs), None) for task in tasks):
        return tasks
    return tuple(replace(task, inputs=_withheld(task.inputs)) for task in tasks)


def _withheld(value: Any) -> Any:
    if isinstance(value, str):
        named = _NAMED.fullmatch(value)
        return value if named is None else _WITHHELD.format(named[1])
    if isinstance(value, dict):
        return {name: _withheld(item) for name, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_withheld(item) for item in cast("list[Any]", value)]
    return value


def _names_in(whole: Any) -> Iterator[str]:
    stack = [whole]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            named = _NAMED.fullmatch(value)
            if named is not None:
                yield named[1]
        elif isinstance(value, dict):
            stack.extend(cast("dict[str, Any]", value).values())
        elif isinstance(value, list | tuple):
            stack.extend(cast("list[Any]", value))
