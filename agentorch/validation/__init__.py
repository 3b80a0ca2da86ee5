"""Holds outputs to their schema and to the checks of agents and callers."""

from agentorch.validation.validation import Validator, Validators, read_validators, run_check, validate, validators_for

__all__ = ["Validator", "Validators", "read_validators", "run_check", "validate", "validators_for"]
