"""What the core is told of the calls that a body, or a planner, makes: a part of `inbox`, under its rules."""

from dataclasses import dataclass
from typing import Any

from agentorch.core.usage import Usage


@dataclass(frozen=True, slots=True)
class FinishStep:
    """A call inside an attempt brought its result."""

    at: float
    key: str
    step: str
    name: str
    result: Any
    usage: Usage | None = None
    call: str | None = None
    """The model call that it settles, under a budget that limits models."""


@dataclass(frozen=True, slots=True)
class Intend:
    """A running task wants to make a call that may happen once only."""

    at: float
    key: str
    effect: str
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """An intended effect has happened."""

    at: float
    effect: str
    result: Any
    by: str


@dataclass(frozen=True, slots=True)
class Void:
    """An intended effect has certainly not happened."""

    at: float
    effect: str
    by: str


@dataclass(frozen=True, slots=True)
class CallModel:
    """A model is about to be asked, under a budget that limits models."""

    at: float
    call: str
    reserved: Usage
    expected: Usage
    key: str | None = None
    """The dispatch that asks; None is a planner."""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Spend:
    """Model use outside any task, or of one call under a budget that limits models."""

    at: float
    purpose: str
    usage: Usage
    call: str | None = None
