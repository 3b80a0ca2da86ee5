"""Policy settings given by name, to an agent or to a task."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from agentorch.core.nearest import did_you_mean
from agentorch.core.policy import Policy
from agentorch.core.task import UNSET
from agentorch.errors import ConfigurationError
from agentorch.signatures import error_words, joined


def policy_of(settings: Mapping[str, Any], *, what: str, others: tuple[str, ...] = ()) -> Policy:
    """Return the policy that sets just these; `others` are further names that were allowed, for the hint.

    Raises:
        ConfigurationError: `agent 'poet': unknown setting 'retrys'; did you mean 'repairs'?`
    """
    if not settings:
        return UNSET
    known = (*Policy.model_fields, *others)
    for name in settings:
        if name not in Policy.model_fields:
            hint = did_you_mean(name, known) or f"the settings are {', '.join(sorted(known))}"
            raise ConfigurationError(f"{what}: unknown setting {name!r}; {hint}")
    try:
        return Policy.model_validate(dict(settings))
    except ValidationError as error:
        raise ConfigurationError(f"{what}: {joined(error_words(error))}") from None


_UNITS: Final = {"": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}


def memory_of(given: str | int | None, *, isolate: bool, what: str) -> int | None:
    """Return a size in bytes: `512MB`, `2GiB`, or the number itself; ConfigurationError in one line otherwise."""
    if given is None:
        return None
    if not isolate:
        raise ConfigurationError(f"{what}: memory={given!r} is for a process of its own; give isolate=True with it")
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", str(given))
    factor = _UNITS.get(found[2].lower()) if found is not None else None
    size = int(float(found[1]) * factor) if found is not None and factor is not None else 0
    if isinstance(given, bool) or size <= 0:
        raise ConfigurationError(f"{what}: memory={given!r}; give a size such as '512MB' or '2GiB'")
    return size
