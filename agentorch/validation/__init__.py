"""Holds outputs to their schema and to the checks of agents and callers."""

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
    "Validator",
    "Validators",
    "name_of",
    "read_validators",
    "run_check",
    "validate",
    "validators_for",
]
