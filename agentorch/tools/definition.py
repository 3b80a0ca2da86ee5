"""A tool: a typed function that a model, or an agent, may call."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

from agentorch.context import Context
from agentorch.core.card import Effect
from agentorch.documents import DocumentError, read_json
from agentorch.errors import ConfigurationError
from agentorch.ports.model import ToolSpec
from agentorch.signatures import (
    MalformedInput,
    Output,
    first_paragraph,
    inputs_of_parameters,
    output_of_type,
    read_signature,
)
from agentorch.threads import called

P = ParamSpec("P")
R = TypeVar("R")

NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}")
"""What every provider accepts as a tool's name."""

Probe = Callable[[str], Any]
"""Says by its key whether an effect has happened; sync or async."""


class Tool(Generic[P, R]):
    """A typed function that a model may call. Calling the tool itself just calls the function."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str | None = None,
        description: str | None = None,
        effect: Effect = "none",
        probe: Probe | None = None,
        approval: bool = False,
        names: Mapping[str, Any],
    ) -> None:
        self.function = function
        """What it does."""
        self.name = name or getattr(function, "__name__", "")
        """What a model calls it by."""
        what = f"tool {self.name!r}"
        if not NAME.fullmatch(self.name):
            raise ConfigurationError(f"{what}: a tool's name is letters, digits, '_' and '-'; give it by name=")
        self.effect: Effect = effect
        """What a call does to the outside world."""
        self.probe = probe
        """Says by its key whether an effect that was cut off has happened."""
        self.approval = approval
        """Whether a person must agree to each call."""
        signature = read_signature(cast("Callable[..., Any]", function), what=what, names=names)
        self.is_async = signature.is_async
        """Whether the function is a coroutine function; others run in a thread."""
        self._context_names = tuple(item.name for item in signature.parameters if item.annotation is Context)
        taken = tuple(item for item in signature.parameters if item.annotation is not Context)
        self._inputs = inputs_of_parameters(taken, is_open=signature.open, what=what)
        self.output: Output = output_of_type(signature.returns, what=what)
        """What it gives."""
        text = description if description is not None else first_paragraph(cast("Callable[..., Any]", function))
        self.spec = ToolSpec(self.name, text, self._inputs.schema)
        """The tool as a model sees it."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself: no step, no check."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"Tool({self.name!r}, effect={self.effect!r})"

    def parse(self, arguments: str | Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as JSON values, checked; MalformedInput in words that a model can act on."""
        values = json_arguments(arguments) if isinstance(arguments, str) else dict(arguments)
        self._inputs.validate(values)
        return values

    async def invoke(self, arguments: str | Mapping[str, Any], *, context: Context | None = None) -> Any:
        """Call the function with JSON arguments and return its output as JSON.

        Raises:
            MalformedInput: the arguments do not fit; the text is for the model.
            MalformedOutput: what the function gave is not what it declares.
        """
        values = json_arguments(arguments) if isinstance(arguments, str) else arguments
        given = self._inputs.validate(values)
        for name in self._context_names:
            given[name] = context
        function = cast("Callable[..., Any]", self.function)
        return self.output.encode(await called(function, **given))


def json_arguments(text: str) -> dict[str, Any]:
    """Return the arguments of a call as a model wrote them; MalformedInput in words that it can act on."""
    try:
        value: Any = read_json(text) if text.strip() else {}
    except DocumentError as error:
        raise MalformedInput(f"the arguments are not JSON: {error}; send one JSON object") from None
    if not isinstance(value, dict):
        raise MalformedInput(f"the arguments are a JSON {type(value).__name__}; send one JSON object")
    return cast("dict[str, Any]", value)
