"""The model port: one request in, deltas while it is answered, one response out."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Protocol

from agentorch.core.usage import NOTHING, Usage

MOST_CALLS: Final = 128
"""Tool calls that one answer may ask for; a model that asks for more is not at work on its task."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to call a tool."""

    id: str
    name: str
    arguments: str
    """JSON text as the model wrote it: it may be malformed."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    """What an assistant message asks for."""
    tool_call_id: str | None = None
    """Which call a tool message answers."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model sees it."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of an object."""


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """The form that an answer must have.

    The messages say it in words as well: a server that knows no schemas is told nothing else.
    """

    name: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """Everything that one model call needs."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    may_call: bool = True
    """Whether the tools may be called now; False only explains the calls that stand in the messages."""
    output: OutputSchema | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    model: str | None = None
    """Which model is asked, when that is not the one of whoever asks: for `Services`; a `Model` does not look at it."""
    silence: float | None = None
    """Seconds without a word after which the call counts as lost."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """Who asks, for tests and logs; never sent. Keys: "agent", "task", "purpose"."""


FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal"]


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """A finished answer."""

    text: str
    finish_reason: FinishReason
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None
    usage: Usage = NOTHING
    model: str = ""
    """The model that answered, as the provider names it."""
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


OnDelta = Callable[[str], None]
"""Called with each piece of text as it comes; must not block."""


class Model(Protocol):
    """A language model.

    `complete` raises `ModelError` (or a subclass) with a `kind` for everything that goes wrong at the provider: the
    stream that ends without a finish reason, the time-out, the wrong key. A refusal or a content filter is a *response*
    with that finish reason, because its tokens are paid for. What a call used that brought no answer (it broke off, it
    was cancelled) is told with its exception; see `wasted`.

    One that says what it costs is `Priced` besides; any other is unpriced, and may not be used under a limit of money.
    One that has a key names it in `secrets`, so that it is written nowhere; see `secrets_of`. Whoever wraps a model
    passes all of this on.
    """

    name: str
    """As in the settings: "gpt-5-mini", "local/llama"."""

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Return the whole answer; `on_delta` sees its text as it comes."""
        ...

    def count(self, text: str) -> int:
        """Return about how many tokens `text` is; offline, fast, never an error."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class Priced(Protocol):
    """What a model says of money; each by itself will do.

    `priced` alone is for one whose calls cost nothing, or what the `usage.money` of its responses says.
    """

    @property
    def priced(self) -> bool:
        """Whether the price of its calls is known beforehand; without it, whether `cost` knows any."""
        ...

    def cost(self, usage: Usage) -> float | None:
        """Return what `usage` costs in US dollars, or None when nobody knows."""
        ...


def is_priced(model: Any) -> bool:
    """Whether the price of a model's calls is known beforehand: nobody's silence makes them free."""
    priced: bool | None = getattr(model, "priced", None)
    if priced is not None:
        return priced
    cost: Any = getattr(model, "cost", None)
    return cost is not None and cost(Usage(1, 1)) is not None


def secrets_of(model: Any) -> tuple[str, ...]:
    """Return what a model says must be written nowhere: its key and its password; nothing where it does not say."""
    return tuple(getattr(model, "secrets", ()))


def used_by(model: Any, usage: Usage) -> Usage:
    """Return what one call of `model` has used as it is charged: unpriced, where nobody says what it costs."""
    known = usage.money or usage.unpriced or is_priced(model)
    return replace(usage, calls=1) if known else replace(usage, calls=1, unpriced=1)


def wasted(error: BaseException, usage: Usage) -> None:
    """Tell with an exception what the call used that it ends."""
    error.__dict__["model_usage"] = usage


def wasted_by(error: BaseException, model: Any = None) -> Usage:
    """Return what the call of `model` used that an exception has ended: one call, and no more when nobody has told."""
    usage = error.__dict__.get("model_usage")
    if not isinstance(usage, Usage):
        return Usage(calls=1)
    return used_by(model, usage) if model is not None and usage.tokens else replace(usage, calls=1)
