"""Validation: holds an output to its schema, then to the agent's checks, then to the caller's validators.

1. A schema that does not hold ends it: checks are written for outputs of the declared type.
2. All checks run, also after one that found something: a repair is told everything at once. Judges, who cost money,
   are asked about what the functions accept.
3. A check gives None, a problem in words, a list of them, or a `Verdict`; a bool says nothing and is a TypeError.
   ValueError and AssertionError reject in their words; every other exception is a fault of the check itself.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from agentorch.agents import Agent, Context, Judge
from agentorch.core.nearest import did_you_mean
from agentorch.core.verdict import Verdict
from agentorch.errors import ConfigurationError
from agentorch.threads import called

Validator = Callable[..., Any]
"""A check that the caller adds: `(output)` or `(output, context)`, sync or async."""
Validators = Iterable[Validator] | Mapping[Any, Any]
"""Validators for every agent, or by agent (or its name): one or several."""
SCHEMA: Final = "schema"
"""Who rejects what is not of the declared type."""


def read_validators(given: Any, agents: Collection[str]) -> Validators:
    """Return the caller's validators, fit to be asked for any of `agents`; raise ConfigurationError in words if not.

    Whatever was given in their place is found here, before any agent is paid for an output that nobody would check.
    """
    if not isinstance(given, Mapping):
        return _checks(() if given is None else given, "validators")
    by_agent: dict[str, tuple[Validator, ...]] = {}
    for key, checks in cast("Mapping[Any, Any]", given).items():
        name = key if isinstance(key, str) else getattr(key, "name", None)
        if not isinstance(name, str):
            raise ConfigurationError(f"validators: {key!r:.60} is no agent; the keys are agents or their names")
        if name not in agents:
            remedy = did_you_mean(name, agents)
            raise ConfigurationError(f"validators: there is no agent {name!r}" + (f"; {remedy}" if remedy else ""))
        found = _checks((checks,) if callable(checks) else checks, f"validators of {name!r}")
        by_agent[name] = (*by_agent.get(name, ()), *found)
    return by_agent


def _checks(given: Any, what: str) -> tuple[Validator, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        example = getattr(given, "__name__", "check")
        raise ConfigurationError(f"{what}: {given!r:.60} is no list of checks; write [{example}]")
    checks = tuple(cast("Iterable[Any]", given))
    for check in checks:
        if not callable(check):
            raise ConfigurationError(f"{what}: {check!r:.60} is no check; a check is a function of the output")
        _takes_context(check)  # says so when it takes no output
    return checks


def validators_for(agent: str, validators: Validators) -> tuple[Validator, ...]:
    """Return the caller's validators that concern an agent."""
    if not isinstance(validators, Mapping):
        return tuple(validators)
    found: list[Validator] = []
    for key, given in cast("Mapping[Any, Any]", validators).items():
        name = key if isinstance(key, str) else str(key.name)
        if name == agent:
            found.extend((given,) if callable(given) else cast("Sequence[Validator]", given))
    return tuple(found)


async def validate(
    agent: Agent, output: Any, *, context: Context | None = None, validators: Sequence[Validator] = ()
) -> tuple[Any, Verdict]:
    """Return the output as JSON and the verdict on it; the JSON is None when its schema does not hold.

    `output` is what the agent gave, in its own type or as JSON.
    """
    encoded, problems = agent.output.examine(output)
    if problems:
        return None, Verdict(problems, (SCHEMA,))
    checks = (*agent.checks, *validators)
    if not checks:
        return encoded, Verdict.accept()
    # Checks see what a resumed run would see: the value that came back from JSON.
    typed = agent.revive(encoded)
    functions = [check for check in checks if not isinstance(check, Judge)]
    verdict = await _asked(functions, typed, context)
    if verdict.accepted and len(functions) < len(checks):
        verdict = await _asked([check for check in checks if isinstance(check, Judge)], typed, context)
    return encoded, verdict


async def _asked(checks: Sequence[Validator], output: Any, context: Context | None) -> Verdict:
    found: list[str] = []
    by: list[str] = []
    for check in checks:
        problems = await run_check(check, output, context)
        if problems:
            found.extend(problems)
            by.append(name_of(check))
    return Verdict(tuple(found), tuple(dict.fromkeys(by)))


async def run_check(check: Validator, output: Any, context: Context | None) -> tuple[str, ...]:
    """Return the problems that one check finds; a sync check runs in a thread."""
    return await run_on(check, *((output, context) if _takes_context(check) else (output,)))


async def run_on(check: Validator, *arguments: Any) -> tuple[str, ...]:
    """Return the problems that a check finds in just these arguments."""
    try:
        result = await (check(*arguments) if isinstance(check, Judge) else called(check, *arguments))
    except (ValueError, AssertionError) as error:
        return (str(error) or f"{name_of(check)} does not hold",)
    return _problems(check, result)


def _problems(check: Validator, result: Any) -> tuple[str, ...]:
    if result is None:
        return ()
    if isinstance(result, Verdict):
        return result.problems
    if isinstance(result, str):
        return (result,) if result else ()
    if isinstance(result, list | tuple) and all(isinstance(item, str) for item in cast("list[Any]", result)):
        return tuple(cast("list[str]", result))
    raise TypeError(
        f"check {name_of(check)!r} returned {result!r:.60}; return None, a problem in words, a list of them, or "
        "a Verdict"
    )


def _takes_context(check: Validator) -> bool:
    """Whether it has a second place to fill."""
    try:
        parameters = inspect.signature(check).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = [item for item in parameters if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    if any(item.kind is item.VAR_POSITIONAL for item in parameters):
        return True
    if not positional:
        raise ConfigurationError(f"check {name_of(check)!r} takes no output; declare (output) or (output, context)")
    return sum(item.default is item.empty or item.name == "context" for item in positional) > 1


def name_of(check: Validator) -> str:
    """Return what a check is called in events and problems."""
    return str(getattr(check, "__name__", None) or getattr(check, "name", None) or type(check).__name__)
