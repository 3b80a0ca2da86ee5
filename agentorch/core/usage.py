"""What work costs, and the limits on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Usage:
    """Model use, summed: tokens, calls and money (US dollars)."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """The part of `input_tokens` that the provider read from its cache."""
    calls: int = 0
    """Model calls, whatever came of them."""
    money: float = 0.0
    approximate: bool = False
    """Whether any count is an estimate of ours because the provider sent none."""
    unpriced: int = 0
    """Calls whose price is unknown; `money` does not hold them."""

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.calls + other.calls,
            self.money + other.money,
            self.approximate or other.approximate,
            self.unpriced + other.unpriced,
        )


NOTHING: Final = Usage()
"""No use at all."""


class Budget(BaseModel):
    """Limits on a run or a task, and on all that it calls; None is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    max_tokens: int | None = Field(default=None, ge=0)
    """Input and output tokens together."""
    max_money: float | None = Field(default=None, ge=0)
    """US dollars."""
    max_calls: int | None = Field(default=None, ge=0)
    """Model calls: 3 makes exactly three. A request that the server turned away and that is made again is the same."""
    max_seconds: float | None = Field(default=None, gt=0)
    """Running time: of the run, while it is carried out and does not wait for a person alone; of a task, its own."""
    max_depth: int | None = Field(default=8, ge=0)
    """Levels of delegation by `context.call`."""
    max_tasks: int | None = Field(default=None, ge=1)
    """Tasks of the run, delegated ones included; of a task, those that it delegates."""

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Only what it limits otherwise than any budget does."""
        fields = type(self).model_fields
        return ((name, value) for name, value in self if value != fields[name].default)

    def __str__(self) -> str:
        return repr(self)

    @property
    def limits_models(self) -> bool:
        """Whether it limits what models may be used for."""
        return not (self.max_calls is None and self.max_tokens is None and self.max_money is None)


UNLIMITED: Final = Budget()
"""A budget without limits but that of depth."""
