"""A judge as it is written in an agent file: criteria, or a mapping of what `Judge` takes, or a list of both.

judge: Every claim names its source.

judge:
  - criteria: The tone is calm.
    name: tone
    model: gpt-5-mini
    sees-task: true
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from agentorch.agents import Judge
from agentorch.core.nearest import did_you_mean
from agentorch.errors import ConfigurationError

_TAKEN: Final[Mapping[str, type]] = {"criteria": str, "model": str, "name": str, "sees_task": bool, "tokens": int}
_CALLED: Final[Mapping[type, str]] = {str: "text", bool: "true or false", int: "a whole number"}


def judges_of(written: Any) -> tuple[Judge, ...]:
    """Return the judges; ConfigurationError names the key, the value and what is wanted."""
    if written is None:
        return ()
    listed = cast("list[Any]", written) if isinstance(written, list) else [written]
    return tuple(_judge(one) for one in listed)


def _judge(written: Any) -> Judge:
    if isinstance(written, str):
        return Judge(written)
    if not isinstance(written, dict):
        raise ConfigurationError(f"'judge' is criteria in words, or a mapping with 'criteria'; got {written!r:.60}")
    given = {str(key).replace("-", "_"): value for key, value in cast("dict[Any, Any]", written).items()}
    for key, value in given.items():
        if key not in _TAKEN:
            hint = did_you_mean(key, _TAKEN) or f"its keys are {', '.join(_TAKEN)}"
            raise ConfigurationError(f"'judge': unknown key {key!r}; {hint}")
        if type(value) is not _TAKEN[key]:
            raise ConfigurationError(f"'judge': {key!r} is {_CALLED[_TAKEN[key]]}; got {value!r:.60}")
    return Judge(given.pop("criteria", ""), **given)
