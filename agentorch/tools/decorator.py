"""`@tool`: makes a typed function a tool."""

import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from agentorch.core.card import Effect
from agentorch.signatures import visible_names
from agentorch.tools.definition import Probe, Tool

P = ParamSpec("P")
R = TypeVar("R")


@overload
def tool(function: Callable[P, R], /) -> Tool[P, R]: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "none",
    probe: Probe | None = None,
    approval: bool = False,
) -> Callable[[Callable[P, R]], Tool[P, R]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "none",
    probe: Probe | None = None,
    approval: bool = False,
) -> Any:
    """Make a typed function a tool: its parameters are the schema that a model sees, its docstring the description.

    `effect`: "none", "idempotent" (safe to repeat with the same key) or "once" (never twice: it happens, or is
    reported as unknown). `probe(key)` says whether a call that was cut off has happened. `approval=True`: a person
    must agree to each call. A parameter annotated `Context` is given, not an input.
    """
    frame = inspect.currentframe()
    if function is not None:
        return Tool(function, names=visible_names(frame.f_back if frame else None))

    def decorate(function: Callable[P, R]) -> Tool[P, R]:
        inner = inspect.currentframe()
        return Tool(
            function,
            name=name,
            description=description,
            effect=effect,
            probe=probe,
            approval=approval,
            names=visible_names(inner.f_back if inner else None),
        )

    return decorate


def as_tool(candidate: Any) -> Tool[..., Any]:
    """Return `candidate` if it is a tool, else make a tool without effects of the typed function that it is."""
    if isinstance(candidate, Tool):
        return candidate  # pyright: ignore[reportUnknownVariableType]
    return Tool(candidate, names={})
