"""What every call that starts a run takes, and in words what is wrong with what it was given."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypedDict, cast

from pydantic_core import PydanticSerializationError, to_jsonable_python

from agentorch.core.nearest import did_you_mean
from agentorch.core.policy import Policy
from agentorch.core.usage import Budget
from agentorch.core.values import BLOB_KEY, whole_characters
from agentorch.errors import ConfigurationError


class StartOptions(TypedDict, total=False):
    """What every call that starts a run takes; None is the same as leaving it out."""

    inputs: Mapping[str, Any]
    """Values that tasks refer to as `$inputs.name`."""
    budget: Budget | None
    policy: Policy | None
    priority: Literal["interactive", "batch"]
    tags: Mapping[str, str]
    timeout: float | None
    """Seconds that the run may take; the same as `Budget(max_seconds=)`."""
    key: str | None
    """The same key and request attaches to the run that it started; another request raises RunKeyError."""


def checked(options: Mapping[str, Any]) -> StartOptions:
    """Return the options that were given, their inputs as JSON.

    Raises ConfigurationError in one line that names the option, the value and what is wanted.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name not in _WANTED:
            raise ConfigurationError(f"unknown option {name!r} for a run: {did_you_mean(name, _WANTED)}")
        fits, wanted = _WANTED[name]
        if not fits(value):
            raise ConfigurationError(f"{name}={value!r:.80}: {wanted}")
    if BLOB_KEY in given.get("inputs", ()):
        raise ConfigurationError(f"inputs: no input can have the name {BLOB_KEY!r}: choose another")
    if "inputs" in given:
        given["inputs"] = {name: _as_json(name, value) for name, value in given["inputs"].items()}
    return cast("StartOptions", given)


def _as_json(name: str, value: Any) -> Any:
    try:
        return to_jsonable_python(value)
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"inputs: {name!r} has no JSON form: {error}") from None


def _names(value: Any) -> bool:
    return isinstance(value, Mapping) and _words(cast("Mapping[Any, Any]", value))


def _words(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and whole_characters(value) == value


_PRIORITIES: Final = ("interactive", "batch")
_WANTED: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "inputs": (_names, "give values by name, such as inputs={'topic': 'bees'}"),
    "budget": (lambda value: isinstance(value, Budget), "give a Budget, such as budget=Budget(max_calls=10)"),
    "policy": (lambda value: isinstance(value, Policy), "give a Policy, such as policy=Policy(attempts=1)"),
    "priority": (lambda value: value in _PRIORITIES, "it can be 'interactive' or 'batch'"),
    "tags": (lambda value: _names(value) and _words(value.values()), "give words by name, such as tags={'team': 'a'}"),
    "timeout": (_seconds, "give seconds, more than 0"),
    "key": (_is_key, "give a word"),
}
