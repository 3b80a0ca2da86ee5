"""Reads a typed function: its parameters and what it returns, with every annotation resolved.

Annotations may be strings (`from __future__ import annotations`) and may name types that are local to the function
in which the reader is called; so the caller hands over the names that it can see.
"""

import inspect
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, get_type_hints

from agentorch.errors import ConfigurationError

ABSENT: Final[Any] = inspect.Parameter.empty
"""No default, no annotation."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One named parameter of a function."""

    name: str
    annotation: Any
    default: Any = ABSENT

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is ABSENT


@dataclass(frozen=True, slots=True)
class Signature:
    """A typed function, read."""

    parameters: tuple[Parameter, ...]
    returns: Any
    open: bool
    """Whether it takes any further names (`**inputs: Any`)."""
    is_async: bool


def visible_names(frame: FrameType | None) -> Mapping[str, Any]:
    """Return the local names of `frame` and of its callers in the same module: where local types are found."""
    scopes: list[dict[str, Any]] = []
    module = frame.f_globals if frame else None
    while frame is not None and frame.f_globals is module:
        scopes.append(dict(frame.f_locals))
        frame = frame.f_back
    return ChainMap(*scopes)


def read_signature(function: Callable[..., Any], *, what: str, names: Mapping[str, Any]) -> Signature:
    """Return the signature of `function`; `what` ("agent 'poet'") begins every message.

    Raises:
        ConfigurationError: an annotation is missing or cannot be resolved, or a parameter has no name to give it by.
    """
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise ConfigurationError(f"{what}: it yields; return the whole output instead")
    hints = _hints(function, what, names)
    if "return" not in hints:
        raise ConfigurationError(f"{what}: it has no return annotation; add '-> type', which is its output schema")
    parameters: list[Parameter] = []
    is_open = False
    for item in inspect.signature(function).parameters.values():
        if item.kind is inspect.Parameter.VAR_KEYWORD:
            is_open = True
            continue
        parameters.append(_parameter(item, hints, what))
    return Signature(tuple(parameters), hints["return"], is_open, inspect.iscoroutinefunction(function))


def _parameter(item: inspect.Parameter, hints: Mapping[str, Any], what: str) -> Parameter:
    if item.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
        raise ConfigurationError(f"{what}: parameter {item.name!r} has no name to be given by; make it an ordinary one")
    if item.name not in hints:
        raise ConfigurationError(
            f"{what}: parameter {item.name!r} has no annotation; add '{item.name}: type', which is its input schema"
        )
    return Parameter(item.name, hints[item.name], item.default)


def _hints(function: Callable[..., Any], what: str, names: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, localns=dict(names), include_extras=True)
    except NameError as error:
        raise ConfigurationError(
            f"{what}: an annotation names {error.name!r}, which is not known here; define or import it above"
        ) from error
    except TypeError as error:
        raise ConfigurationError(f"{what}: its annotations cannot be read: {error}") from error


def first_paragraph(function: Callable[..., Any]) -> str:
    """Return the first paragraph of the docstring in one line, or an empty string."""
    text = inspect.getdoc(function) or ""
    return " ".join(text.split("\n\n")[0].split())
