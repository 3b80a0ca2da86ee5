"""Policy settings given by name, to an agent or to a task."""

from collections.abc import Mapping
from typing import Any

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
