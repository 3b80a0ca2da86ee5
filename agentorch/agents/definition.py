"""An agent: a typed function, or a prompt with a model, behind a card."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ValidationError

from agentorch.agents.settings import policy_of
from agentorch.context import Judge
from agentorch.core.card import AgentCard, Effect, JsonSchema
from agentorch.core.identity import digest
from agentorch.errors import ConfigurationError
from agentorch.ports.model import Model
from agentorch.signatures import Inputs, Output, error_words, inputs_of_model, inputs_of_schema, joined, output_of
from agentorch.tools import Tool, as_tool

Check = Callable[..., Any]
"""Judges an output: `(output)` or `(output, context)`, sync or async; see `agentorch.validation`."""
CheckT = TypeVar("CheckT", bound=Check)
Injected = Mapping[type, Any] | Callable[[type], Any]
"""What is given for a parameter annotated `Task`, `Context` or a resource's type: by type, or by asking."""
EFFECTS: tuple[Effect, ...] = ("none", "idempotent", "once")
"""From weakest to strongest."""


class Agent:
    """A prompt agent: `Agent("critic", description="Finds weak points.", prompt="List them.", output=list[str])`.

    `prompt` is what it is told to do, as text; its inputs are shown to the model with it. `model` is a name, a `Model`
    or several tried in order; None uses the run's. `tools` are typed functions, `Tool`s, or the names of agents that
    it may call. `input` is a pydantic model or a JSON Schema; None takes any names. `output` is a type or a JSON
    Schema. `judge` are criteria in words, or `Judge`s, that outputs are held to. Further keywords are policy settings
    (`timeout=60`, `repairs=1`).

    A typed function becomes an agent by the decorator `@agent`.
    """

    card: AgentCard
    """All that a planner, a verifier or a scheduler may know of it."""
    kind: Literal["function", "prompt"]
    name: str
    prompt: str
    """What a prompt agent is told to do; empty for a function."""
    tools: tuple[Tool[..., Any] | str, ...]
    """What a prompt agent's model may call: tools, and agents by name."""
    models: tuple[str, ...]
    """Names of the models that it is tried with, in order; empty uses the run's."""
    given_models: Mapping[str, Model]
    """The models that were given as objects, by name."""
    checks: list[Check]
    """What its outputs are held to, in order of declaration."""
    function: Callable[..., Any] | None
    """What a function agent does."""
    is_async: bool
    """Whether `function` is a coroutine function; others run in a thread."""
    in_loop: bool = False
    """Whether `function` is carried out in the event loop of its worker."""
    isolate: bool = False
    """Whether `function` runs in a child process of its own."""
    memory: int | None = None
    """Bytes that this process may take beside what it begins with."""
    injected: tuple[tuple[str, type], ...] = ()
    """Parameters of `function` that are no inputs, with their types."""
    output: Output
    """What it gives."""
    source: Path | None
    """The file that it was loaded from."""
    _inputs: Inputs

    def __init__(
        self,
        name: str,
        *,
        description: str,
        prompt: str,
        model: str | Model | Sequence[str | Model] | None = None,
        tools: Sequence[Any] = (),
        input: type[BaseModel] | JsonSchema | None = None,
        output: Any = str,
        fallback: Any = (),
        capabilities: str | Sequence[str] = (),
        judge: str | Judge | Sequence[str | Judge] = (),
        **policies: Any,
    ) -> None:
        what = f"agent {name!r}"
        refuse_isolation(policies.pop("isolate", False), policies.pop("memory", None), what=what)
        if not prompt.strip():
            raise ConfigurationError(f"{what}: its prompt is empty; say what it is to do")
        self.kind = "prompt"
        self.prompt = prompt
        self.function = None
        self.is_async = True
        self.tools = tuple(tool_or_name(tool) for tool in tools)
        self._inputs = _inputs_of(input, what)
        self.output = output_of(output, what=what, written_by_model=True)
        self._set_models(model)
        judges = _judges(judge)
        version: list[Any] = [
            prompt,
            self.models,
            self._inputs.schema,
            self.output.schema,
            [_tool_name(t) for t in self.tools],
        ]
        version += [[one.criteria, one.model_name, one.sees_task] for one in judges]
        self._describe(
            name,
            description,
            capabilities=names_of(capabilities),
            effects=strongest("none", self.tools),
            tracked=True,
            needs_model=True,
            repairable=True,
            fallback=names_of(fallback),
            policy=policy_of(policies, what=what, others=_KEYWORDS),
            version=digest(version),
        )
        self.checks.extend(judges)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise TypeError: only a function can be called directly."""
        del args, kwargs
        raise TypeError(f"prompt agent {self.name!r} is no function; give it to an Orchestrator, or use context.call")

    def __repr__(self) -> str:
        return f"<{self.kind} agent {self.name!r}>"

    def check(self, function: CheckT) -> CheckT:
        """Hold this agent's outputs to `function(output)` or `function(output, context)`; a decorator.

        It returns None, a problem, several, or a `Verdict`; ValueError and AssertionError reject in their words.
        """
        self.checks.append(function)
        return function

    def bind(
        self, inputs: Mapping[str, Any], injected: Injected | None = None, *, problems: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the inputs (JSON) in their declared types, as keyword arguments; a prompt agent's stay JSON.

        Raises:
            MalformedInput: a ValueError whose message names the parameter, the value and what is wanted.
        """
        del injected, problems
        return self._inputs.validate(inputs)

    def encode(self, output: Any) -> Any:
        """Return the JSON value of an output; MalformedOutput says what it breaks."""
        return self.output.encode(output)

    def revive(self, value: Any) -> Any:
        """Return an output in its declared type from its JSON value."""
        return self.output.revive(value)

    def with_resources(self, resources: Sequence[object]) -> Self:
        """Return the agent with its resource parameters given; ConfigurationError when one is not among them."""
        del resources
        return self

    def _set_models(self, model: str | Model | Sequence[str | Model] | None) -> None:
        listed = () if model is None else (model,) if isinstance(model, str) or hasattr(model, "complete") else model
        several: tuple[str | Model, ...] = tuple(listed)  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
        self.models = tuple(item if isinstance(item, str) else item.name for item in several)
        self.given_models = {item.name: item for item in several if not isinstance(item, str)}

    def _describe(self, name: str, description: str, **card: Any) -> None:
        what = f"agent {name!r}"
        if not description.strip():
            raise ConfigurationError(f"{what}: it has no description; say in a sentence what it does")
        self.name = name
        self.checks = []
        self.source = None
        try:
            self.card = AgentCard(
                name=name,
                description=description.strip(),
                input=self._inputs.schema,
                output=self.output.schema,
                models=max(1, len(self.models)),
                **card,
            )
        except ValidationError as error:
            raise ConfigurationError(f"{what}: {joined(error_words(error))}") from None


_KEYWORDS = ("description", "prompt", "model", "tools", "input", "output", "fallback", "capabilities", "judge")


def refuse_isolation(isolate: Any, memory: Any, *, what: str) -> None:
    """Raise ConfigurationError for a prompt agent that asks for a process of its own."""
    if isolate or memory is not None:
        raise ConfigurationError(
            f"{what}: isolate=True is for functions; a prompt agent's model calls are stopped without it"
        )


def names_of(given: Any) -> tuple[str, ...]:
    """Return names from a name, an agent, or several of them."""
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Agent):
        return (given.name,)
    return tuple(item if isinstance(item, str) else str(item.name) for item in given)


def _judges(given: str | Judge | Sequence[str | Judge]) -> tuple[Judge, ...]:
    several = (given,) if isinstance(given, str | Judge) else given
    return tuple(Judge(one) if isinstance(one, str) else one for one in several)


def _inputs_of(declared: type[BaseModel] | JsonSchema | None, what: str) -> Inputs:
    if isinstance(declared, type):
        return inputs_of_model(declared, what=what)
    return inputs_of_schema(declared, what=f"{what}: its input schema")


def strongest(effect: Effect, tools: Sequence[Tool[..., Any] | str]) -> Effect:
    """Return the strongest of an effect and those of tools."""
    effects: list[Effect] = [effect, *(tool.effect for tool in tools if isinstance(tool, Tool))]
    return max(effects, key=EFFECTS.index)


def tool_or_name(candidate: Any) -> Tool[..., Any] | str:
    """Return a tool, or the name of an agent that is used as one."""
    if isinstance(candidate, str):
        return candidate
    return candidate.name if isinstance(candidate, Agent) else as_tool(candidate)


def _tool_name(candidate: Tool[..., Any] | str) -> str:
    return candidate if isinstance(candidate, str) else candidate.name
