"""`@agent`: makes a typed function an agent."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, overload

from agentorch.agents.function import FunctionAgent
from agentorch.core.card import Effect
from agentorch.ports.model import Model
from agentorch.signatures import visible_names

P = ParamSpec("P")
R = TypeVar("R")


@overload
def agent(function: Callable[P, R], /) -> FunctionAgent[P, R]: ...


@overload
def agent(
    *,
    description: str | None = None,
    name: str | None = None,
    capabilities: str | Sequence[str] = (),
    fallback: Any = (),
    effects: Effect = "none",
    tools: Sequence[Any] = (),
    model: str | Model | Sequence[str | Model] | None = None,
    needs_model: bool = False,
    isolate: bool = False,
    memory: str | int | None = None,
    **policies: Any,
) -> Callable[[Callable[P, R]], FunctionAgent[P, R]]: ...


def agent(
    function: Callable[..., Any] | None = None,
    /,
    *,
    description: str | None = None,
    name: str | None = None,
    capabilities: str | Sequence[str] = (),
    fallback: Any = (),
    effects: Effect = "none",
    tools: Sequence[Any] = (),
    model: str | Model | Sequence[str | Model] | None = None,
    needs_model: bool = False,
    isolate: bool = False,
    memory: str | int | None = None,
    **policies: Any,
) -> Any:
    """Make a typed function, sync or async, an agent.

    Its parameters are the input schema and its return annotation the output schema. `description` (else the
    docstring's first paragraph) tells planners what it does; `capabilities` are words for look-up; `fallback` names
    the agents to try in its place; `effects` says what its body does to the outside world, unseen: with
    "once" it is never started again by itself; `tools` are those that it uses through `context.tool`, whose effects
    leave receipts, so that it may be; `needs_model` says that it can do nothing without a language model. `isolate`
    runs it in a child process, which is killed when its time is up or its run is cancelled, and may take `memory`
    ("512MB") beside what it begins with. Further keywords are policy settings: `timeout=60`, `attempts=3`.

    Raises:
        ConfigurationError: an annotation is missing, or a setting is unknown.
    """
    frame = inspect.currentframe()
    if function is not None:
        return FunctionAgent(function, names=visible_names(frame.f_back if frame else None))

    def decorate(function: Callable[P, R]) -> FunctionAgent[P, R]:
        inner = inspect.currentframe()
        return FunctionAgent(
            function,
            names=visible_names(inner.f_back if inner else None),
            name=name,
            description=description,
            capabilities=capabilities,
            fallback=fallback,
            effects=effects,
            tools=tools,
            model=model,
            needs_model=needs_model,
            isolate=isolate,
            memory=memory,
            policies=policies,
        )

    return decorate
