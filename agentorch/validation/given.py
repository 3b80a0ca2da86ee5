"""What a caller gave as `validators=`, sorted: checks of one output each, and checks across tasks."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, cast

from agentorch.errors import ConfigurationError
from agentorch.validation.several_outputs import Across
from agentorch.validation.validation import Validators, read_validators


class Given(NamedTuple):
    """Validators, fit to be asked."""

    validators: Validators
    across: tuple[Across, ...]


def sort_validators(given: Any, agents: Collection[str]) -> Given:
    """Return the checks for any of `agents`, and those across tasks; raise ConfigurationError in words."""
    if isinstance(given, Mapping):
        for key, checks in cast("Mapping[Any, Any]", given).items():
            if any(isinstance(check, Across) for check in (checks, *_listed(checks))):
                raise ConfigurationError(f"validators of {key!r:.60}: a check across tasks is no agent's: give a list")
        return Given(read_validators(given, agents), ())
    listed = _listed(given)
    found = tuple(check for check in listed if isinstance(check, Across))
    names = [check.name for check in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"validators: two checks across tasks are called {twice!r}; rename one")
    if not found:
        return Given(read_validators(listed or given, agents), ())
    return Given(read_validators([check for check in listed if not isinstance(check, Across)], agents), found)


def _listed(given: Any) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        return []
    return list(cast("Iterable[Any]", given))
