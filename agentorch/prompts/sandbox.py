"""The template environment: sandboxed, strict about missing values, bounded in what it makes.

1. Templates come from files; values are never evaluated as templates.
2. An operator that could make a huge value (`*`, `**`, `+` of sequences) is bounded, loops are by the output's cap.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from jinja2 import BaseLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from agentorch.prompts.fencing import fenced, shown_value

LONGEST: Final = 2_000_000
"""Characters that one rendering may have."""
_LARGEST: Final = 10_000_000
"""Length of a sequence, or size of a number, that an operator may make."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 without a way out, and without a way to fill the memory."""

    intercepted_binops = frozenset({"*", "**", "+"})

    def __init__(self, loader: BaseLoader) -> None:
        super().__init__(
            loader=loader,
            undefined=StrictUndefined,
            autoescape=False,  # prompts are text, not HTML; values are fenced
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            cache_size=400,
            auto_reload=False,
        )
        filters: dict[str, Callable[..., Any]] = self.filters
        filters["fenced"] = fenced
        filters["shown"] = shown_value
        functions: dict[str, Any] = self.globals
        functions["range"] = _short_range

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse what would make a huge value."""
        if operator == "**" and not (isinstance(right, int | float) and abs(right) <= _MOST_POWER):
            raise SecurityError(f"a power may be at most {_MOST_POWER}")
        if operator != "**" and (_is_sequence(left) or _is_sequence(right)):
            size = _size(left) * _size(right) if operator == "*" else _size(left) + _size(right)
            if size > _LARGEST:
                raise SecurityError("an operator would make too large a value")
        return super().call_binop(context, operator, left, right)


_MOST_POWER: Final = 64


def _is_sequence(value: Any) -> bool:
    return isinstance(value, str | bytes | list | tuple)


def _size(value: Any) -> int:
    if _is_sequence(value):
        return len(value)
    return abs(value) if isinstance(value, int) else 1


def _short_range(*args: int) -> range:
    numbers = range(*args)
    if len(numbers) > 10_000:  # noqa: PLR2004
        raise SecurityError("a range may have at most 10,000 numbers")
    return numbers


def bounded(pieces: Iterator[str]) -> str:
    """Join what a template makes, up to the cap; SecurityError beyond."""
    made: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST:
            raise SecurityError(f"it makes more than {LONGEST:,} characters")
        made.append(piece)
    return "".join(made)
