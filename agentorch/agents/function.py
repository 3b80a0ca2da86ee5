"""A function agent: a typed function behind a card."""

import copy
import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, ParamSpec, Self, TypeVar, cast

from agentorch.agents.definition import Agent, Injected, names_of, strongest, tool_or_name
from agentorch.agents.settings import memory_of, policy_of
from agentorch.context import Context
from agentorch.core.card import Effect
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError
from agentorch.ports.model import Model
from agentorch.signatures import (
    MalformedInput,
    Parameter,
    Signature,
    first_paragraph,
    has_json_form,
    inputs_of_parameters,
    output_of_type,
    read_signature,
)

P = ParamSpec("P")
R = TypeVar("R")

PROBLEMS: Final = "problems"
"""The parameter that makes a function repairable: `problems: list[str]`."""
_OF_THE_RUN: Final = (Task, Context)


class FunctionAgent(Agent, Generic[P, R]):
    """A typed function as an agent. Calling it just calls the function.

    Parameters are its input schema and the return annotation its output schema. A parameter annotated `Task`, `Context`
    or the type of one of the orchestrator's resources is given; `problems: list[str]` is given what was wrong with the
    last output, and is empty at first.
    """

    def __init__(
        self,
        function: Callable[P, R],
        *,
        names: Mapping[str, Any],
        name: str | None = None,
        description: str | None = None,
        capabilities: str | Sequence[str] = (),
        fallback: Any = (),
        effects: Effect = "none",
        tools: Sequence[Any] = (),
        model: str | Model | Sequence[str | Model] | None = None,
        needs_model: bool = False,
        isolate: bool = False,
        memory: str | int | None = None,
        policies: Mapping[str, Any] | None = None,
    ) -> None:
        body = cast("Callable[..., Any]", function)
        called = name or getattr(body, "__name__", type(body).__name__)
        what = f"agent {called!r}"
        if not callable(body) or isinstance(body, type):
            raise ConfigurationError(f"{what}: @agent goes on a function")
        self.isolate = isolate
        self.memory = memory_of(memory, isolate=isolate, what=what)
        self._signature = read_signature(body, what=what, names=names)
        self.kind = "function"
        self.prompt = ""
        self.tools = tuple(tool_or_name(tool) for tool in tools)
        self.function = function
        self.is_async = self._signature.is_async
        self.in_loop = self.is_async and not isolate
        self._set_models(model)
        self._resources: dict[str, object] = {}
        self.name = called
        self._sort_parameters()
        self.output = output_of_type(self._signature.returns, what=what)
        self._describe(
            called,
            first_paragraph(body) if description is None else description,
            capabilities=names_of(capabilities),
            effects=strongest(effects, self.tools),
            tracked=effects == "none" and bool(self.tools),
            needs_model=needs_model,
            repairable=self._repairable,
            fallback=names_of(fallback),
            policy=policy_of(policies or {}, what=what, others=_KEYWORDS),
            version=version_of(body),
        )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself."""
        return cast("Callable[P, R]", self.function)(*args, **kwargs)

    def bind(
        self, inputs: Mapping[str, Any], injected: Injected | None = None, *, problems: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the inputs (JSON) in their declared types with what is given, as keyword arguments.

        Raises:
            MalformedInput: a ValueError whose message names the parameter, the value and what is wanted.
        """
        if inputs or not self._inputs.empty:
            try:
                arguments = self._inputs.validate(inputs)
            except MalformedInput as error:
                raise MalformedInput(f"agent {self.name!r}: {error}") from None
        else:
            arguments = {}
        if self.injected:
            give = injected if callable(injected) else (injected or {}).__getitem__
            for name, kind in self.injected:
                arguments[name] = self._resources[name] if name in self._resources else give(kind)
        if self._repairable:
            arguments[PROBLEMS] = list(problems)
        return arguments

    def with_resources(self, resources: Sequence[object]) -> Self:
        """Return the agent with its resource parameters given; ConfigurationError when one is not among them."""
        found: dict[str, object] = {}
        for parameter in self._signature.parameters:
            fitting = [item for item in resources if _fits(item, parameter.annotation)]
            if fitting:
                found[parameter.name] = fitting[0]
        for name, kind in self.injected:
            if kind not in _OF_THE_RUN and name not in found:
                raise ConfigurationError(
                    f"agent {self.name!r}: parameter '{name}: {kind.__name__}' is no JSON input, and no resource of "
                    f"that type was given; pass one by Orchestrator(resources=[...])"
                )
        if not found:
            return self
        other = copy.copy(self)
        other._take(found)  # noqa: SLF001  # its own copy
        return other

    def _take(self, resources: dict[str, object]) -> None:
        self._resources = resources
        self._sort_parameters()
        self.card = self.card.model_copy(update={"input": self._inputs.schema})

    def _sort_parameters(self) -> None:
        """Tell inputs from what is given."""
        taken: list[Parameter] = []
        injected: list[tuple[str, type]] = []
        self._repairable = False
        for parameter in self._signature.parameters:
            if parameter.name == PROBLEMS and parameter.annotation == list[str]:
                self._repairable = True
            elif self._is_given(parameter):
                injected.append((parameter.name, parameter.annotation))
            else:
                taken.append(parameter)
        self.injected = tuple(injected)
        self._inputs = inputs_of_parameters(taken, is_open=self._signature.open, what=f"agent {self.name!r}")

    def _is_given(self, parameter: Parameter) -> bool:
        annotation = parameter.annotation
        if annotation in _OF_THE_RUN or parameter.name in self._resources:
            return True
        if has_json_form(annotation):
            return False
        if not isinstance(annotation, type):
            raise ConfigurationError(
                f"agent {self.name!r}: parameter '{parameter.name}: {annotation!r}' has no JSON form; use JSON types, "
                f"dataclasses or pydantic models"
            )
        return True

    @property
    def signature(self) -> Signature:
        """The function, read."""
        return self._signature


_KEYWORDS = (
    "description",
    "name",
    "capabilities",
    "fallback",
    "effects",
    "tools",
    "model",
    "needs_model",
    "isolate",
    "memory",
)


def version_of(function: Callable[..., Any]) -> str:
    """Return a hash of the source of `function`; of its code, where there is no source."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        text = repr((code.co_code, code.co_consts, code.co_names)) if code else repr(type(function))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _fits(resource: object, annotation: Any) -> bool:
    """Whether a parameter of this type is given that resource; never for the types of plain values."""
    if not isinstance(annotation, type) or annotation.__module__ == "builtins" or annotation in _OF_THE_RUN:
        return False
    try:
        return isinstance(resource, annotation)
    except TypeError:  # a protocol that is not runtime-checkable
        return False
