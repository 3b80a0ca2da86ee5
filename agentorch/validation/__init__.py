"""Holds outputs to their schema and to the checks of agents and callers."""

from agentorch.validation.given import Given, sort_validators
from agentorch.validation.several_outputs import Across, across
from agentorch.validation.validation import (
    SCHEMA,
    Validator,
    Validators,
    name_of,
    read_validators,
    run_check,
    validate,
    validators_for,
)

__all__ = [
    "SCHEMA",
    "Across",
    "Given",
    "Validator",
    "Validators",
    "across",
    "name_of",
    "read_validators",
    "run_check",
    "sort_validators",
    "validate",
    "validators_for",
]
